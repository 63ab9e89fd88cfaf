// Run by scripts/bench.mjs. Takes the names of parts, --rounds=N, --logs=DIR and --write; see docs/benchmarks.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BenchContext } from './bench-context.js';
import { type BenchRoot, benchRoot } from './bench-root.js';
import { benchBoot } from './boot.js';
import { benchBuild } from './build.js';
import { benchInitrd } from './initrd.js';
import { benchInventory } from './inventory.js';
import { benchNewc } from './newc.js';
import { benchPublish } from './publish.js';
import {
  type Comparison,
  furtherTables,
  GROWTH_MARKERS,
  growthTable,
  MARKERS,
  remarks,
  resultTable,
  STORM_MARKERS,
  targetTable,
  withResults,
} from './report.js';
import { benchStorm } from './storm.js';
import { loadNow, quietness, toolVersions } from './tool-versions.js';

const PARTS: Readonly<Record<string, (context: BenchContext) => Promise<Comparison[]>>> = {
  initrd: benchInitrd,
  newc: benchNewc,
  build: benchBuild,
  boot: benchBoot,
  storm: benchStorm,
  inventory: benchInventory,
  publish: benchPublish,
};

const repository = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    logs: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const unknown = positionals.filter((name) => PARTS[name] === undefined);
if (unknown.length > 0 || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  console.error(
    `usage: npm run bench -- [${Object.keys(PARTS).join('] [')}] [--rounds=N] [--logs=DIR] [--write]`,
  );
  process.exit(2);
}
const document = `${repository}/docs/benchmarks.md`;
// Now, not after half an hour: the document may have lost the lines that the results go between.
if (values.write) {
  const text = readFileSync(document, 'utf8');
  for (const markers of [MARKERS, GROWTH_MARKERS, STORM_MARKERS]) withResults(text, '', markers);
}
const wanted = Object.keys(PARTS).filter((name) => positionals.length === 0 || positionals.includes(name));

// Not /tmp: that is often memory, and roots belong on a disk.
const directory = mkdtempSync('/var/tmp/mkroot-bench-');
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('uncaughtException', (error) => {
  console.error(`\nThe benchmark was not finished: ${error.message}`);
  process.exit(1);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const load = loadNow();
let root: BenchRoot | undefined;
const comparisons: Comparison[] = [];
for (const name of wanted) {
  const context: BenchContext = {
    repository,
    root: () => (root ??= benchRoot(process.env['MKROOT_BENCH_ROOT'], directory)),
    directory: `${directory}/${name}`,
    logs: values.logs === undefined ? undefined : resolve(values.logs, name),
    rounds,
  };
  mkdirSync(context.directory);
  process.stderr.write(`\n== ${name}\n`);
  comparisons.push(...(await PARTS[name]!(context)));
  rmSync(context.directory, { recursive: true });
}

const measuredWith = () => `${quietness(load, loadNow())}

Measured with:

${toolVersions(repository, root?.path).join('\n')}`;

/** Prints the report of some of the comparisons, if there are any, and puts it into the document. */
function report(
  some: readonly Comparison[],
  intro: string,
  table: string,
  markers: readonly [string, string],
): void {
  if (some.length === 0) return;
  const parts = [intro, table, targetTable(some), remarks(some), measuredWith()];
  const text = `\n${parts.join('\n\n')}\n`;
  console.log(text);
  if (values.write) writeFileSync(document, withResults(readFileSync(document, 'utf8'), text, markers));
}

const growing = comparisons.filter(({ sizes }) => sizes !== undefined);
const storms = comparisons.filter(({ tables }) => tables !== undefined);
const others = comparisons.filter((one) => ![...growing, ...storms].includes(one));
const RATIOS =
  'Ratios to the first line of each comparison. The last four columns are what this machine happened to take.';
report(others, RATIOS, resultTable(others), MARKERS);
report(
  growing,
  'What it takes with more nodes, and the factor for ten times as many: 10 is linear.',
  growthTable(growing),
  GROWTH_MARKERS,
);
report(storms, RATIOS, `${resultTable(storms)}\n\n${furtherTables(storms)}`, STORM_MARKERS);
