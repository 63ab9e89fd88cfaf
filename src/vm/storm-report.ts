import type { BootPhase } from './milestones.js';
import type { StormForecast, StormPlace } from './storm-model.js';

/** How a storm's nodes get their root, in the order of the report. */
export const STORM_TRANSPORTS = ['nfs-3', 'nfs-4.1', 'nfs-4.2', 'squashfs-nfs', 'squashfs-http'] as const;

/** One of {@link STORM_TRANSPORTS}. */
export type StormTransport = (typeof STORM_TRANSPORTS)[number];

/** What one node of a storm took, from power-on to multi-user. */
export interface StormNode {
  readonly mac: string;
  /** Seconds until multi-user. */
  readonly seconds: number;
  /** On the wire, with the headers of Ethernet. */
  readonly bytesToNode: number;
  readonly bytesFromNode: number;
  readonly framesToNode: number;
  readonly framesFromNode: number;
  /** Remote procedure calls over NFS, as the node's kernel counts them. */
  readonly nfsRequests: number;
  /** Bytes to the node in each phase of its boot. */
  readonly phases: readonly { readonly phase: BootPhase; readonly bytesToNode: number }[];
}

/** Nodes that booted at once. */
export interface Storm {
  /** A transport, or what else was compared. */
  readonly transport: string;
  /** How many. */
  readonly size: number;
  readonly result: 'pass' | 'fail';
  /** Why not, for the first node that did not come up. */
  readonly reason?: string;
  readonly place: StormPlace;
  readonly nodes: readonly StormNode[];
  /** Seconds until the last node was at multi-user; absent if one never was. */
  readonly seconds?: number;
  /** Requests over HTTP by all nodes. */
  readonly httpRequests: number;
  /** Processor seconds of each server, by the name of its process, for all nodes. */
  readonly serverCpuSeconds: Readonly<Record<string, number>>;
  /** Processor seconds of the machines that played the nodes. */
  readonly emulatorCpuSeconds: number;
  /** What the model says, from the smallest storm of the transport; absent for that one. */
  readonly predictedSeconds?: number;
}

/** What a transport costs per node, and how long storms of it take elsewhere. */
export interface StormExtrapolation {
  readonly transport: string;
  /** Seconds of a boot in which it waits for no byte, here. */
  readonly ownSeconds: number;
  readonly bytesPerNode: number;
  readonly requestsPerNode: number;
  readonly serverCpuSecondsPerNode: number;
  readonly forecasts: readonly StormForecast[];
}

/** A test of many nodes at once: what `--json` prints and storm.json holds. Stable. */
export interface StormReport {
  readonly result: 'pass' | 'fail';
  readonly image: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly accelerator: string;
  /** Of the lab, where the storms were measured. */
  readonly lab: StormPlace;
  readonly storms: readonly Storm[];
  /** For which head node it is extrapolated. */
  readonly elsewhere: StormPlace;
  readonly extrapolation: readonly StormExtrapolation[];
  /** Directory of the logs; absent once they are removed. */
  readonly logs?: string;
}
