import { costOf, requestsOf } from './judge-storms.js';
import type { StormPlace } from './storm-model.js';
import type { Storm, StormExtrapolation, StormReport } from './storm-report.js';

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
    { title: 'Bytes to a node by phase', rows: phaseRows(storms) },
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
  'MB to node',
  'MB from it',
  'frames',
  'requests',
  'server CPU',
  'QEMU CPU',
];

function measuredRow(storm: Storm): string[] {
  const { transport, size, seconds, nodes, place } = storm;
  const per = (sum: number) => sum / Math.max(1, nodes.length);
  const { bytes, serverCpuSeconds, emulatorCpuSeconds } = costOf(storm);
  const from = per(nodes.reduce((sum, { bytesFromNode }) => sum + bytesFromNode, 0));
  const frames = per(nodes.reduce((sum, node) => sum + node.framesToNode + node.framesFromNode, 0));
  return [
    transport,
    String(size),
    String(place.uplinkMbit),
    String(place.nodeMbit),
    seconds === undefined ? '-' : `${seconds.toFixed(1)} s`,
    megabytes(bytes),
    megabytes(from),
    frames.toFixed(0),
    requestsOf(storm).toFixed(0),
    `${serverCpuSeconds.toFixed(2)} s`,
    `${emulatorCpuSeconds.toFixed(1)} s`,
  ];
}

function phaseRows(storms: readonly Storm[]): string[][] {
  const phases = ['firmware', 'loader', 'kernel', 'initramfs', 'system'] as const;
  return [
    ['transport', 'nodes', ...phases],
    ...storms.map(({ transport, size, nodes }) => [
      transport,
      String(size),
      ...phases.map((phase) =>
        megabytes(
          nodes
            .flatMap((node) => node.phases.filter((one) => one.phase === phase))
            .reduce((sum, { bytesToNode }) => sum + bytesToNode, 0) / Math.max(1, nodes.length),
        ),
      ),
    ]),
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
