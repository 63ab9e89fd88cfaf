import type { Accelerator } from './accelerator.js';
import type { BootFirmware } from './firmware.js';
import type { SelfCheck } from './self-check-report.js';
import type { Reached } from './timeline.js';

/** A file that took part, by its bytes. */
export interface ReportedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** Everything about one boot test: what `--json` prints and timeline.json holds. Stable. */
export interface BootReport {
  readonly result: 'pass' | 'fail';
  /** Name of the recipe, or the root directory. */
  readonly image: string;
  /** When the machine was switched on, ISO 8601. */
  readonly startedAt: string;
  readonly network: 'lab' | 'user';
  /** What started the machine; absent where QEMU loaded kernel and initrd itself. */
  readonly firmware?: BootFirmware;
  readonly accelerator: Accelerator;
  /** Why another accelerator was given up first. */
  readonly fallback?: string;
  readonly root: string;
  readonly kernel: ReportedFile;
  readonly initrd: ReportedFile;
  /** The lab's own addition, loaded after the initrd. */
  readonly driverSegment?: ReportedFile;
  readonly milestones: readonly Reached[];
  readonly checks: readonly SelfCheck[];
  /** What a scenario saw of what it expects, in words. */
  readonly proved?: readonly string[];
  /** Milliseconds since power-on when the boot of a scenario ended. */
  readonly endedMs?: number;
  /** From the last thing that a scenario did to the node to the end of the boot. */
  readonly secondsFromLastStep?: number;
  readonly failure?: {
    /** Title of the milestone that did not come; absent if all came and a check failed. */
    readonly milestone?: string;
    readonly reason: string;
    /** The last lines of the serial console. */
    readonly console: readonly string[];
  };
  /** What this kind of test cannot tell. */
  readonly notTested: readonly string[];
  /** Directory of the logs; absent once they are removed. */
  readonly logs?: string;
}
