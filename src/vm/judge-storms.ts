import { type BootCost, forecast, ownSeconds, type StormPlace } from './storm-model.js';
import type { Storm, StormExtrapolation, StormNode } from './storm-report.js';

/** Sizes of clusters that people ask for. */
export const FORECAST_SIZES = [100, 1_000, 4_000] as const;

/** Servers that have one thread: dnsmasq, and what runs in Node.js. */
const SINGLE_THREADED = ['dnsmasq', 'node', 'MainThread'];

/** What one node of a storm cost: the mean of its nodes; its time is that of the last. */
export function costOf({ nodes, serverCpuSeconds, emulatorCpuSeconds, seconds }: Storm): BootCost {
  const per = (total: number) => total / Math.max(1, nodes.length);
  return {
    seconds: seconds ?? 0,
    bytes: mean(nodes, ({ bytesToNode }) => bytesToNode),
    serverCpuSeconds: per(sum(Object.values(serverCpuSeconds))),
    serialCpuSeconds: per(Math.max(...SINGLE_THREADED.map((name) => serverCpuSeconds[name] ?? 0))),
    emulatorCpuSeconds: per(emulatorCpuSeconds),
  };
}

/** Requests of one node, over NFS and HTTP. */
export function requestsOf({ nodes, httpRequests }: Storm): number {
  return mean(nodes, ({ nfsRequests }) => nfsRequests) + httpRequests / Math.max(1, nodes.length);
}

/**
 * What the model says about each storm, from the smallest one of the same transport; that one and those that failed are left
 * as they are.
 */
export function withPredictions(storms: readonly Storm[]): Storm[] {
  return storms.map((storm) => {
    const basis = basisOf(storms, storm.transport);
    if (basis === undefined || basis === storm || storm.seconds === undefined) return storm;
    const cost = costOf(basis);
    const own = ownSeconds(cost, basis.place, basis.size);
    return { ...storm, predictedSeconds: forecast(own, cost, storm.place, storm.size).seconds };
  });
}

/** Minutes for many nodes elsewhere, from the smallest storm of each transport. */
export function extrapolate(storms: readonly Storm[], elsewhere: StormPlace): StormExtrapolation[] {
  const transports = [...new Set(storms.map(({ transport }) => transport))];
  return transports.flatMap((transport) => {
    const basis = basisOf(storms, transport);
    if (basis === undefined) return [];
    const cost = costOf(basis);
    const own = ownSeconds(cost, basis.place, basis.size);
    return [
      {
        transport,
        ownSeconds: own,
        bytesPerNode: cost.bytes,
        requestsPerNode: requestsOf(basis),
        serverCpuSecondsPerNode: cost.serverCpuSeconds,
        forecasts: FORECAST_SIZES.map((nodes) => forecast(own, cost, elsewhere, nodes)),
      },
    ];
  });
}

function basisOf(storms: readonly Storm[], transport: string): Storm | undefined {
  return storms
    .filter((storm) => storm.transport === transport && storm.seconds !== undefined)
    .sort((a, b) => a.size - b.size)[0];
}

function mean(nodes: readonly StormNode[], pick: (node: StormNode) => number): number {
  return sum(nodes.map(pick)) / Math.max(1, nodes.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
