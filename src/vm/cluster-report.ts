import type { BootReport } from './boot-report.js';
import type { MachineFirmware } from './firmware.js';

/** One node of a cluster test: every boot that it made in the lab, in order. */
export interface NodeTestReport {
  readonly node: string;
  readonly group: string;
  readonly address: string;
  readonly firmware: MachineFirmware;
  readonly result: 'pass' | 'fail';
  readonly boots: readonly BootReport[];
}

/** Everything about a test of several nodes at once: what `--json` prints and timeline.json holds. Stable. */
export interface ClusterReport {
  readonly result: 'pass' | 'fail';
  /** When the first machine was switched on, ISO 8601. */
  readonly startedAt: string;
  readonly nodes: readonly NodeTestReport[];
  /** What was done to the cluster between two boots: the commands, in order. */
  readonly during: readonly string[];
  /** What of the published tree was replaced inside the lab, in words. */
  readonly replaced: readonly string[];
  /** Directory of the logs; absent once they are removed. */
  readonly logs?: string;
}
