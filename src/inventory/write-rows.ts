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
  columns.push(...added);
  if (table.head.length === 0) {
    if (lines.at(-1) === '') lines.pop();
    lines.push(joined(columns, separator));
  } else if (added.length > 0) {
    const at = table.head[0]!.position.line - 1;
    lines[at] = lines[at]!.trimEnd() + separator + joined(added, separator);
  }

  const nameAt = columns.indexOf('name');
  const known = new Map(table.rows.map((row) => [row[nameAt]?.text.toLowerCase() ?? '', row]));
  for (const row of rows) {
    const cells = known.get(row.name.toLowerCase());
    if (cells === undefined)
      lines.push(
        joined(
          columns.map((column) => row[column] ?? ''),
          separator,
        ),
      );
    else {
      const { line } = cells[0]!.position;
      requireOneLine(cells, row.name, file);
      lines[line - 1] = joined(
        columns.map((column, index) => field(column, cells[index], row, file)),
        separator,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Replaces values in the row of a name, where there is one and they are not empty; the text as it is otherwise. */
export function replaceInRows(text: string, file: string, row: RowValues): string {
  const { head, rows } = parseCsv(text, file);
  const columns = head.map((cell) => cell.text);
  const nameAt = columns.indexOf('name');
  const cells = rows.find((one) => one[nameAt]?.text.toLowerCase() === row.name.toLowerCase());
  const replaced = columns.filter(
    (column, index) => column !== 'name' && row[column] !== undefined && (cells?.[index]?.text ?? '') !== '',
  );
  if (cells === undefined || replaced.length === 0) return text;
  requireOneLine(cells, row.name, file);
  return editLines(text, (edited) => {
    const lines = edited.split('\n');
    const separator = separatorOf(lines[(head[0]?.position.line ?? 1) - 1] ?? '');
    const fields = cells.map((cell, index) => {
      const column = columns[index] ?? '';
      return replaced.includes(column) ? row[column]! : cell.text;
    });
    lines[cells[0]!.position.line - 1] = joined(fields, separator);
    return lines.join('\n');
  });
}

/** Takes out the rows of names (in lower case). */
export function removeRows(text: string, file: string, names: ReadonlySet<string>): string {
  const { head, rows } = parseCsv(text, file);
  const nameAt = head.findIndex((cell) => cell.text === 'name');
  const removed = rows.filter((row) => names.has(row[nameAt]?.text.toLowerCase() ?? ''));
  for (const row of removed) requireOneLine(row, row[nameAt]!.text, file);
  const gone = new Set(removed.map((row) => row[0]!.position.line - 1));
  return text
    .split('\n')
    .filter((_, line) => !gone.has(line))
    .join('\n');
}

function requireOneLine(cells: readonly CsvCell[], name: string, file: string): void {
  if (!cells.some(({ text }) => text.includes('\n'))) return;
  throw new MkrootError(
    `Cannot change ${name} in "${file}": line ${cells[0]?.position.line} has a field of several lines`,
  );
}

/** A row without empty fields at its end. */
function joined(fields: readonly string[], separator: string): string {
  return fields
    .slice(0, fields.findLastIndex((one) => one !== '') + 1)
    .map((one) => quoted(one, separator))
    .join(separator);
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
