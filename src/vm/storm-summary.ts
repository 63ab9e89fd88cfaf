import { costOf, requestsOf } from './judge-storms.js';
import type { StormPlace } from './storm-model.js';
import type { Storm, StormExtrapolation, StormNode, StormReport } from './storm-report.js';

/** A table: its heading, what it is about, and its cells, the first row of which names the columns. */
export interface StormTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Storms for the terminal: what failed, the tables, PASS or FAIL last. */
export function stormSummary(report: StormReport): string[] {
  const { storms, result, logs } = report;
  const failed = storms.filter(({ reason }) => reason !== undefined);
  return [
    ...failed.map(({ transport, size, reason }) => `${transport}, ${size} at once, failed: ${reason}`),
    ...stormTables(report).flatMap(({ title, rows }) => [title, ...aligned(rows), '']),
    ...(logs === undefined ? [] : [`Logs and report: ${logs}`]),
    `${result === 'pass' ? 'PASS' : 'FAIL'}  ${storms.length - failed.length} of ${storms.length} storms`,
  ];
}

/** What was measured, what the model says about it, and how long it takes elsewhere. */
export function stormTables({
  storms,
  elsewhere,
  extrapolation,
}: Pick<StormReport, 'storms' | 'elsewhere' | 'extrapolation'>): StormTable[] {
  return [
    { title: 'Measured per node', rows: [MEASURED, ...storms.map(measuredRow)] },
    { title: 'On the wire per node, in MB', rows: [ON_THE_WIRE, ...storms.map(wireRow)] },
    ...(storms.some(({ predictedSeconds }) => predictedSeconds !== undefined)
      ? [{ title: 'The model against what was measured', rows: checkRows(storms) }]
      : []),
    {
      title: `Minutes until the last node is up, ${inWords(elsewhere)}`,
      rows: forecastRows(extrapolation),
    },
  ];
}

const MEASURED = [
  'transport',
  'nodes',
  'uplink, Mbit/s',
  'node link',
  'multi-user',
  'requests',
  'server CPU',
  'QEMU CPU',
];

function measuredRow(storm: Storm): string[] {
  const { transport, size, seconds, place } = storm;
  const { serverCpuSeconds, emulatorCpuSeconds } = costOf(storm);
  return [
    transport,
    String(size),
    String(place.uplinkMbit),
    String(place.nodeMbit),
    seconds === undefined ? '-' : `${seconds.toFixed(1)} s`,
    requestsOf(storm).toFixed(0),
    `${serverCpuSeconds.toFixed(2)} s`,
    `${emulatorCpuSeconds.toFixed(1)} s`,
  ];
}

const PHASES = ['firmware', 'loader', 'kernel', 'initramfs', 'system'] as const;

const ON_THE_WIRE = ['transport', 'nodes', 'to it', ...PHASES, 'from it', 'frames'];

function wireRow({ transport, size, nodes }: Storm): string[] {
  const mean = (pick: (node: StormNode) => number) =>
    nodes.reduce((sum, node) => sum + pick(node), 0) / Math.max(1, nodes.length);
  return [
    transport,
    String(size),
    megabytes(mean(({ bytesToNode }) => bytesToNode)),
    ...PHASES.map((wanted) =>
      megabytes(mean(({ phases }) => phases.find(({ phase }) => phase === wanted)?.bytesToNode ?? 0)),
    ),
    megabytes(mean(({ bytesFromNode }) => bytesFromNode)),
    mean(({ framesToNode, framesFromNode }) => framesToNode + framesFromNode).toFixed(0),
  ];
}

function checkRows(storms: readonly Storm[]): string[][] {
  return [
    ['transport', 'nodes', 'predicted', 'measured', 'error'],
    ...storms.flatMap(({ transport, size, predictedSeconds, seconds }) => {
      if (predictedSeconds === undefined || seconds === undefined) return [];
      const error = ((predictedSeconds - seconds) / seconds) * 100;
      return [
        [
          transport,
          String(size),
          `${predictedSeconds.toFixed(1)} s`,
          `${seconds.toFixed(1)} s`,
          `${error > 0 ? '+' : ''}${error.toFixed(0)} %`,
        ],
      ];
    }),
  ];
}

function forecastRows(extrapolation: readonly StormExtrapolation[]): string[][] {
  const sizes = extrapolation[0]?.forecasts.map(({ nodes }) => `${nodes.toLocaleString('en')} nodes`) ?? [];
  return [
    ['transport', 'own', ...sizes],
    ...extrapolation.map(({ transport, ownSeconds, forecasts }) => [
      transport,
      `${(ownSeconds / 60).toFixed(1)}`,
      ...forecasts.map(({ seconds, bottleneck }) => `${(seconds / 60).toFixed(1)} (${bottleneck})`),
    ]),
  ];
}

function inWords({ uplinkMbit, nodeMbit, serverCpus }: StormPlace): string {
  return `uplink ${uplinkMbit} Mbit/s, each node ${nodeMbit} Mbit/s, ${serverCpus === 1 ? 'one processor' : `${serverCpus} processors`} on the head node`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map(
    (cells) =>
      `  ${cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd()}`,
  );
}
