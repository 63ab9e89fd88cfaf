import { editLines } from '../decode/line-ends.js';
import { MkrootError } from '../errors.js';
import { type CsvCell, parseCsv } from './csv.js';

/** Fields of a row by column; `name` is one of them. */
export type RowValues = Readonly<Record<string, string>> & { readonly name: string };

/**
 * Writes rows into the text of a CSV file: into the row of the same name where there is one and its fields are empty, else
 * behind the last. Columns that are missing are added to the head line. Everything else, comments too, stays as it is.
 * @throws MkrootError (InvalidInput) when a field has another value already, or when the text cannot be read.
 */
export function writeRows(text: string, file: string, rows: readonly RowValues[]): string {
  return editLines(text, (lines) => writeIntoLines(lines, file, rows));
}

function writeIntoLines(text: string, file: string, rows: readonly RowValues[]): string {
  const table = parseCsv(text, file);
  const [broken] = table.problems;
  if (broken !== undefined) {
    throw new MkrootError(`Cannot add nodes to "${file}": line ${broken.position.line}: ${broken.message}`);
  }
  const columns = table.head.map((cell) => cell.text);
  const wanted = ['name', 'mac', 'ip', 'group'].filter((column) =>
    rows.some((row) => row[column] !== undefined),
  );
  const added = wanted.filter((column) => !columns.includes(column));
  const lines = text.replace(/\n$/, '').split('\n');
  const separator = separatorOf(lines[(table.head[0]?.position.line ?? 1) - 1] ?? '');
  const joined = (fields: readonly string[]) =>
    fields
      .slice(0, fields.findLastIndex((field) => field !== '') + 1)
      .map((field) => quoted(field, separator))
      .join(separator);
  columns.push(...added);
  if (table.head.length === 0) {
    if (lines.at(-1) === '') lines.pop();
    lines.push(joined(columns));
  } else if (added.length > 0) {
    const at = table.head[0]!.position.line - 1;
    lines[at] = lines[at]!.trimEnd() + separator + joined(added);
  }

  const nameAt = columns.indexOf('name');
  const known = new Map(table.rows.map((row) => [row[nameAt]?.text.toLowerCase() ?? '', row]));
  for (const row of rows) {
    const cells = known.get(row.name.toLowerCase());
    if (cells === undefined) lines.push(joined(columns.map((column) => row[column] ?? '')));
    else {
      const { line } = cells[0]!.position;
      if (cells.some(({ text: field }) => field.includes('\n'))) {
        throw new MkrootError(
          `Cannot add to ${row.name} in "${file}": line ${line} has a field of several lines`,
        );
      }
      lines[line - 1] = joined(columns.map((column, index) => field(column, cells[index], row, file)));
    }
  }
  return `${lines.join('\n')}\n`;
}

function field(column: string, cell: CsvCell | undefined, row: RowValues, file: string): string {
  const [has = '', wanted] = [cell?.text, row[column]];
  if (wanted === undefined || column === 'name' || has === wanted) return has;
  if (has === '') return wanted;
  throw new MkrootError(
    `Cannot add ${column} "${wanted}" to "${file}": line ${cell?.position.line} has "${has}" for ${row.name}`,
  );
}

function separatorOf(head: string): string {
  return head.includes(';') && !head.includes(',') ? ';' : ',';
}

/** Quoted where it would be read as something else: a comment, several fields, a field without its blanks. */
function quoted(text: string, separator: string): string {
  return text.includes(separator) || /["\n]|^#|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
