import type { StormTable } from '../../src/vm/storm-summary.js';
import type { Result } from './measure.js';

/** A comparison: who took part, and what mkroot is meant to reach. */
export interface Comparison {
  readonly title: string;
  /** What everybody had to do. */
  readonly task: string;
  /** The one that the others are compared with comes first: mkroot. */
  readonly results: readonly Result[];
  readonly targets: readonly Target[];
  /** Of what each contender had, where they are the same with more and more of it: their growth is what counts then. */
  readonly sizes?: readonly number[];
  /** What else was found, of storms of nodes. */
  readonly tables?: readonly StormTable[];
}

/** Something that mkroot is meant to reach. */
export interface Target {
  readonly what: string;
  readonly value: number;
  /** At most this. */
  readonly limit: number;
  readonly unit: string;
}

/** Text between these two lines of docs/benchmarks.md is replaced. */
export const MARKERS = ['<!-- results of `npm run bench` -->', '<!-- end of results -->'] as const;

/** Likewise, for what grows with the number of nodes. */
export const GROWTH_MARKERS = [
  '<!-- growth, by `npm run bench -- inventory publish` -->',
  '<!-- end of growth -->',
] as const;

/** Likewise, for storms of nodes. */
export const STORM_MARKERS = [
  '<!-- storms, by `npm run bench -- storm` -->',
  '<!-- end of storms -->',
] as const;

/** The further tables of the comparisons, each below its title. */
export function furtherTables(comparisons: readonly Comparison[]): string {
  return comparisons
    .flatMap(({ tables = [] }) => tables)
    .map(({ title, rows }) => `**${title}**\n\n${markdownTable(rows)}`)
    .join('\n\n');
}

/** What the largest of several inventories is meant to take at most: issue 3 of this project. */
export function largestTargets(title: string, results: readonly Result[]): Target[] {
  const { name, seconds: time, peakKiB } = results.at(-1)!;
  return [
    { what: `${title}, ${name}, time`, value: time, limit: 2, unit: ' s' },
    { what: `${title}, ${name}, memory`, value: peakKiB / 1024, limit: 300, unit: ' MiB' },
  ];
}

/** Time, processor time and memory by size, and the factor from each size to the next. */
export function growthTable(comparisons: readonly Comparison[]): string {
  const sizes = comparisons[0]?.sizes ?? [];
  const nodes = sizes.map((size) => size.toLocaleString('en'));
  const factors = nodes.slice(1).map((size, index) => `${nodes[index]} to ${size}`);
  const head = ['', ...nodes.map((size) => `${size} nodes`), ...factors];
  const rows = comparisons.flatMap(({ title, results }) => {
    const row = (what: string, values: readonly (number | undefined)[], text: (value: number) => string) => [
      what,
      ...values.map((value) => (value === undefined ? '' : text(value))),
      ...values.slice(1).map((value, index) => `× ${ratio(value, values[index])}`),
    ];
    const mebibytes = (value: number) => `${(value / 1024).toFixed(0)} MiB`;
    return [
      [`**${title}**`, ...head.slice(1).map(() => '')],
      row(
        'time',
        results.map((result) => result.seconds),
        seconds,
      ),
      row(
        'processor time',
        results.map(({ cpuSeconds }) => cpuSeconds),
        seconds,
      ),
      row(
        'peak memory',
        results.map(({ peakKiB }) => peakKiB),
        mebibytes,
      ),
    ];
  });
  return markdownTable([head, ...rows]);
}

/** Ratios of every comparison, one row for each contender. */
export function resultTable(comparisons: readonly Comparison[]): string {
  const head = ['', 'Time', 'CPU', 'Size', 'Memory', 'Time here', 'CPU here', 'Size here', 'Memory here'];
  const rows = comparisons.flatMap(({ title, results }) => {
    const [base] = results;
    return [
      [`**${title}**`, ...head.slice(1).map(() => '')],
      ...results.map((result) => [
        result.name,
        ratio(result.seconds, base?.seconds),
        ratio(result.cpuSeconds, base?.cpuSeconds),
        ratio(result.bytes, base?.bytes),
        ratio(result.peakKiB || undefined, base?.peakKiB || undefined),
        `${seconds(result.seconds)} (${seconds(result.spread[0])} to ${seconds(result.spread[1])})`,
        result.cpuSeconds === undefined ? '' : seconds(result.cpuSeconds),
        result.bytes === undefined ? '' : `${(result.bytes / 1e6).toFixed(2)} MB`,
        result.peakKiB === 0 ? '' : `${(result.peakKiB / 1024).toFixed(0)} MiB`,
      ]),
    ];
  });
  return markdownTable([head, ...rows]);
}

/** What each comparison had to do, and what is to be known about the contenders. */
export function remarks(comparisons: readonly Comparison[]): string {
  const told = new Set<string>();
  const isNews = (text: string): boolean => !told.has(text) && told.add(text).has(text);
  return comparisons
    .flatMap(({ title, task, results }) => [
      `- **${title}** (${roundsOf(results)}): ${task}`,
      ...results
        .flatMap(({ name, remark }) => (remark === undefined ? [] : [`  - ${name}: ${remark}`]))
        .filter(isNews),
    ])
    .join('\n');
}

/** Each target, what was reached, and by how much it was missed. */
export function targetTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons
    .flatMap(({ targets }) => targets)
    .map(({ what, value, limit, unit }) => [
      what,
      `at most ${limit}${unit}`,
      `${digits(value)}${unit}`,
      value <= limit ? 'met' : `missed by ${(((value - limit) / limit) * 100).toFixed(0)} %`,
    ]);
  return rows.length === 0 ? '' : markdownTable([['Target', 'Wanted', 'Reached', ''], ...rows]);
}

/** The document with the text between its markers replaced. */
export function withResults(
  document: string,
  results: string,
  [begin, end]: readonly [string, string] = MARKERS,
): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The document lacks the lines ${begin} and ${end}`);
  return `${document.slice(0, from + begin.length)}\n${results.trim()}\n${document.slice(to)}`;
}

function roundsOf(results: readonly Result[]): string {
  const rounds = results[0]?.rounds ?? 0;
  return rounds === 1 ? 'one run' : `median of ${rounds}`;
}

function ratio(value: number | undefined, base: number | undefined): string {
  if (value === undefined || base === undefined) return '';
  return (value / base).toFixed(2);
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  const widths = head!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head!), rule, ...body.map(line)].join('\n');
}
