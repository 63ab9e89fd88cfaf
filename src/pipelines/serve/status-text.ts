import type { UnknownMachine } from '../../serving/node-board.js';
import {
  failureLines,
  type NodeRow,
  nodeTable,
  type TableOptions,
  unknownLines,
} from '../../serving/node-table.js';
import type { SiteStatus } from './node-status.js';

/** What `mkroot status` prints: whether it is news, and the board. */
export function statusText({ serving, at, rows, unknown }: SiteStatus, options: TableOptions): string[] {
  const { lines } = options;
  if (serving) return boardText(rows, unknown, options);
  const head =
    at === undefined
      ? 'Nobody serves, and nobody has: mkroot serve'
      : `Nobody serves: this is what was known at ${at.slice(0, 19).replace('T', ' ')} UTC`;
  return [
    head.slice(0, options.columns),
    ...boardText(rows, unknown, { ...options, ...(lines === undefined ? {} : { lines: lines - 1 }) }),
  ];
}

/** Table, failures, strangers; the table takes what room the others leave. */
export function boardText(
  rows: readonly NodeRow[],
  unknown: readonly UnknownMachine[],
  { columns, lines, now }: TableOptions,
): string[] {
  const limited = (all: readonly string[], most: number) =>
    lines === undefined || all.length <= most
      ? all
      : [...all.slice(0, most - 1), `and ${all.length - most + 1} more`];
  const below = [
    ...limited(failureLines(rows, columns), Math.floor((lines ?? 0) / 3)),
    ...limited(unknownLines(unknown, { columns, now }), 4),
  ];
  const room = lines === undefined ? {} : { lines: Math.max(3, lines - below.length - 1) };
  return [...nodeTable(rows, { columns, now, ...room }), ...(below.length === 0 ? [] : ['', ...below])];
}
