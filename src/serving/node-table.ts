import type { KnownNode, NodePhase, NodeState, UnknownMachine } from './node-board.js';
import { stateText } from './serve-event.js';

/** A node of the table: what was published for it, and what is known of it. */
export interface NodeRow {
  readonly known: KnownNode;
  readonly state: NodeState;
}

/** How a table is drawn. */
export interface TableOptions {
  /** Width of the terminal; no line is longer. */
  readonly columns: number;
  /** Lines that there is room for; without it all nodes are listed. */
  readonly lines?: number;
  readonly now: Date;
}

interface Column {
  readonly title: string;
  readonly text: (row: NodeRow) => string;
}

/** Worst first: what somebody has to look at; then what is under way; then what is well. */
const URGENCY: readonly NodePhase[] = [
  'failed',
  'trouble',
  'firmware',
  'loader',
  'kernel',
  'init',
  'down',
  'unseen',
  'up',
];

/**
 * Nodes as a table. On a terminal that is too short for all, those that need attention come first and the others are only
 * counted. Below it the line of each node whose boot failed.
 */
export function nodeTable(rows: readonly NodeRow[], { columns, lines, now }: TableOptions): string[] {
  const all: readonly Column[] = [
    { title: 'NODE', text: ({ known }) => known.name },
    { title: 'GROUP', text: ({ known }) => known.group },
    { title: 'STATE', text: ({ state }) => (state.phase === 'unseen' ? '-' : stateText(state)) },
    { title: 'SINCE', text: ({ state }) => age(state.since, now) },
    { title: 'FW', text: ({ state }) => state.firmware ?? '' },
    { title: 'LEASE', text: ({ state }) => state.lease ?? '' },
    { title: 'BOOTED', text: bootedText },
  ];
  const room = lines === undefined ? rows.length : Math.max(1, lines - 2);
  const shown = rows.length <= room ? rows : mostUrgent(rows, room - 1);
  const hidden = rows.length - shown.length;
  const fitting = columnsThatFit(all, shown, columns);
  const widths = fitting.map(({ title, text }) =>
    shown.reduce((widest, row) => Math.max(widest, text(row).length), title.length),
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, index) =>
      index === cells.length - 1 ? cell : cell.padEnd(widths[index]!),
    );
    return cut(padded.join('  ').trimEnd(), columns);
  };
  return [
    cut(summaryOf(rows), columns),
    line(fitting.map(({ title }) => title)),
    ...shown.map((row) => line(fitting.map(({ text }) => text(row)))),
    ...(hidden === 0 ? [] : [cut(`and ${hidden} more, less urgent`, columns)]),
  ];
}

/** What failed, in the nodes' own words: a line each, or more where it is too long for one. */
export function failureLines(rows: readonly NodeRow[], columns: number): string[] {
  return rows
    .filter(({ state: { phase } }) => phase === 'failed' || phase === 'trouble')
    .flatMap(({ known, state }) => wrapped(`${known.name}: ${stateText(state)}: ${state.detail}`, columns));
}

/** The last events of the server, whole: as many of the newest as a third of the screen has room for. */
export function newsLines(
  news: readonly string[],
  { columns, lines }: { readonly columns: number; readonly lines: number },
): string[] {
  let shown: string[] = [];
  for (const event of news.toReversed()) {
    const more = [...wrapped(event, columns), ...shown];
    if (shown.length > 0 && more.length > lines / 3) break;
    shown = more;
  }
  return shown;
}

/** Machines that are in no inventory, the latest first. */
export function unknownLines(machines: readonly UnknownMachine[], { columns, now }: TableOptions): string[] {
  return machines
    .toReversed()
    .map(({ mac, ip, name, seen }) =>
      cut(`unknown: ${mac} ${ip}${name === '' ? '' : ` "${name}"`}, ${age(seen, now)} ago`, columns),
    );
}

/** `4 nodes: 2 up, 1 booting, 1 failed`. */
export function summaryOf(rows: readonly NodeRow[]): string {
  const kinds: readonly (readonly [title: string, phases: readonly NodePhase[]])[] = [
    ['up', ['up']],
    ['booting', ['firmware', 'loader', 'kernel', 'init']],
    ['in trouble', ['trouble']],
    ['failed', ['failed']],
    ['down', ['down']],
    ['not seen', ['unseen']],
  ];
  const counts = kinds
    .map(([title, phases]) => ({
      title,
      count: rows.filter(({ state }) => phases.includes(state.phase)).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ title, count }) => `${count} ${title}`);
  return `${rows.length} ${rows.length === 1 ? 'node' : 'nodes'}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}

/** The image and the generation that a node has booted; where another one was published, that it is old. */
function bootedText({ known, state: { booted } }: NodeRow): string {
  if (booted === undefined) return '';
  const isCurrent = booted.image === known.image && booted.generation === known.generation;
  return `${booted.image} ${booted.generation}${isCurrent ? '' : ', not what is published'}`;
}

function mostUrgent(rows: readonly NodeRow[], count: number): NodeRow[] {
  const rank = new Map(URGENCY.map((phase, index) => [phase, index]));
  return rows
    .toSorted((a, b) => rank.get(a.state.phase)! - rank.get(b.state.phase)!)
    .slice(0, Math.max(0, count));
}

/** Columns from the right are left out on a terminal that is too narrow for them; the last one that stays may be cut. */
function columnsThatFit(
  all: readonly Column[],
  rows: readonly NodeRow[],
  columns: number,
): readonly Column[] {
  let width = 0;
  return all.filter(({ title, text }, index) => {
    const widest = rows.reduce((most, row) => Math.max(most, text(row).length), title.length);
    const fits = index < 4 || width + Math.min(widest, 24) <= columns;
    width += widest + 2;
    return fits;
  });
}

/** `12 s`, `3 min`, `5 h`, `2 d`; empty for never. */
function age(since: string, now: Date): string {
  if (since === '') return '';
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Nothing is cut off: a text goes on below, indented, broken between words where there are any. */
function wrapped(text: string, columns: number): string[] {
  const indent = '    ';
  const width = Math.max(20, columns);
  const lines: string[] = [];
  let rest = text;
  for (let room = width; rest.length > room; room = width - indent.length) {
    const blank = rest.lastIndexOf(' ', room);
    const at = blank > room / 2 ? blank : room;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at === blank ? at + 1 : at);
  }
  return [...lines, rest].map((line, index) => (index === 0 ? line : `${indent}${line}`));
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
