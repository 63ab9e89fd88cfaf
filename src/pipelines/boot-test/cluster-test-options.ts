import type { BytePath } from '../../ports/byte-path.js';
import type { AcceleratorChoice } from '../../vm/accelerator.js';
import type { MachineFirmware } from '../../vm/cluster-report.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import type { TestNodeSelection } from './choose-test-nodes.js';

/** A test of several nodes at once, as the command line asks for it. */
export interface ClusterTestOptions extends TestNodeSelection {
  /** Of all machines, in place of what nodes.yaml says. */
  readonly firmware?: MachineFirmware;
  readonly accelerator: AcceleratorChoice;
  /** Debian name of this machine's architecture: KVM runs guests of no other. */
  readonly hostArchitecture: string;
  /** Of machines with BIOS; with UEFI it is virtio_net. */
  readonly nic?: EmulatedNic;
  /** MiB of each node. */
  readonly memory: number;
  /** Processors of each node; what suits the accelerator by default. */
  readonly cpus?: number;
  /** Milliseconds from power-on to power-off, for each boot. */
  readonly timeoutMs: number;
  /** Further words for the kernel's command line. */
  readonly kernelArguments: readonly string[];
  /**
   * Commands for sh(1). Each is run once all nodes are up; they have to stay undisturbed, are reset, and boot what is published then.
   */
  readonly during: readonly string[];
  /** What nodes report and keep goes to the state directory itself, as with real nodes; by default to copies. */
  readonly writeState: boolean;
  /** Directory that gets logs, timeline.json and report.html; without it they are only kept after a failure. */
  readonly report?: BytePath;
  /** Keep the lab's files and logs after a success too. */
  readonly keep: boolean;
  /** Where logs of a failure go without `report`. */
  readonly logsParent: BytePath;
  /** The directory qemu/ of the package. */
  readonly shippedFiles: BytePath;
  /** The argv that runs this mkroot. */
  readonly mkroot: readonly [string, ...string[]];
  readonly signal?: AbortSignal;
}
