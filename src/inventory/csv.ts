import type { Position } from '../decode/position.js';
import type { Problem } from '../decode/problem.js';

/** A field of a CSV file. */
export interface CsvCell {
  readonly text: string;
  readonly position: Position;
}

/** The rows of a CSV file; rows without any text are left out. */
export interface CsvTable {
  readonly head: readonly CsvCell[];
  readonly rows: readonly (readonly CsvCell[])[];
  readonly problems: readonly Problem[];
}

/**
 * Reads CSV (RFC 4180): commas, or semicolons where the head line has those and no comma; quotes around a field, doubled
 * inside. Lines that start with `#` are comments. Blanks around a field do not count, nor does a byte order mark. Never throws.
 */
export function parseCsv(text: string, file: string): CsvTable {
  const problems: Problem[] = [];
  const rows: CsvCell[][] = [];
  const headLine = /^(?:\s*(?:#[^\n]*)?\n)*([^\n]*)/.exec(text)?.[1] ?? '';
  const separator = headLine.includes(';') && !headLine.includes(',') ? ';' : ',';
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    let lineStart = at;
    if (text[at] === '#') {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end + 1;
      line += 1;
      continue;
    }
    const row: CsvCell[] = [];
    for (let more = true; more; ) {
      while (text[at] === ' ' || text[at] === '\t') at += 1;
      const position = { file, line, column: at - lineStart + 1 };
      let cell = '';
      if (text[at] === '"') {
        let end = at + 1;
        for (;;) {
          const quote = text.indexOf('"', end);
          if (quote === -1) {
            problems.push({ position, message: 'a quote is opened here and never closed' });
            end = text.length;
            break;
          }
          end = quote + 1;
          if (text[end] !== '"') break;
          end += 1;
        }
        cell = text.slice(at + 1, end - 1).replaceAll('""', '"');
        const newlines = text.slice(at, end).split('\n').length - 1;
        if (newlines > 0) {
          line += newlines;
          lineStart = text.lastIndexOf('\n', end - 1) + 1;
        }
        at = end;
        while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at += 1;
        if (at < text.length && text[at] !== separator && text[at] !== '\n') {
          problems.push({
            position: { file, line, column: at - lineStart + 1 },
            message: 'a field goes on after its closing quote',
          });
          while (at < text.length && text[at] !== separator && text[at] !== '\n') at += 1;
        }
      } else {
        const start = at;
        while (at < text.length && text[at] !== separator && text[at] !== '\n') at += 1;
        cell = text.slice(start, at).trim();
      }
      row.push({ text: cell, position });
      more = text[at] === separator;
      at += 1;
    }
    line += 1;
    if (row.some((cell) => cell.text !== '')) rows.push(row);
  }
  const [head = [], ...body] = rows;
  return { head, rows: body, problems };
}
