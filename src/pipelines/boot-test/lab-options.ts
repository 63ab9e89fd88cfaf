import type { BytePath } from '../../ports/byte-path.js';
import type { AcceleratorChoice } from '../../vm/accelerator.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';

/** What every test with virtual machines is told: a boot, several nodes of a site, a storm. */
export interface LabOptions {
  readonly accelerator: AcceleratorChoice;
  /** Debian name of this machine's architecture: KVM runs guests of no other. */
  readonly hostArchitecture: string;
  /** The one that the machine of the image's architecture and firmware usually has, by default. */
  readonly nic?: EmulatedNic;
  /** MiB of each node. */
  readonly memory: number;
  /** Processors of each node; what suits the accelerator by default. */
  readonly cpus?: number;
  /** Milliseconds of each boot, from power-on to its goal. */
  readonly timeoutMs: number;
  /** Further words for the kernel's command line. */
  readonly kernelArguments: readonly string[];
  /** Directory that gets logs, the report as JSON and report.html; without it they are only kept after a failure. */
  readonly report?: BytePath;
  /** Keep the lab's files and logs after a success too. */
  readonly keep: boolean;
  /** Where logs of a failure go without `report`. */
  readonly logsParent: BytePath;
  /** The directory qemu/ of the package. */
  readonly shippedFiles: BytePath;
  readonly signal?: AbortSignal;
}
