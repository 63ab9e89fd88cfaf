import type { RootSquashfs } from '../../images/root-squashfs.js';
import type { BootParameters } from '../../netboot/kernel-command-line.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { BootSubject } from '../../stages/prepare-lab-files.js';
import type { AcceleratorChoice } from '../../vm/accelerator.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import type { ScenarioBoot } from '../../vm/scenario.js';

/** `lab` is the whole path with DHCP, TFTP and NFS; `user` is QEMU's own network, which needs no privileges. */
export type BootNetwork = 'lab' | 'user';

/** A boot test, as the command line asks for it. */
export interface BootTestOptions {
  /** What the report calls it: a recipe's name or a directory. */
  readonly image: string;
  readonly subject: BootSubject;
  /** Modules that the initrd must have and that must load in the root; those that the initrd was made for by default. */
  readonly modules?: readonly string[];
  readonly network: BootNetwork;
  readonly accelerator: AcceleratorChoice;
  /** Debian name of this machine's architecture: KVM runs guests of no other. */
  readonly hostArchitecture: string;
  /** The one that the machine of the image's architecture usually has, by default. */
  readonly nic?: EmulatedNic;
  readonly nfsVersion: NonNullable<BootParameters['nfsVersion']>;
  /** MiB. */
  readonly memory: number;
  /** Processors of the node; what suits the accelerator by default. */
  readonly cpus?: number;
  /** Milliseconds from power-on to power-off. */
  readonly timeoutMs: number;
  /** Directory that gets logs, timeline.json and report.html; without it they are only kept after a failure. */
  readonly report?: BytePath;
  /** Keep the lab's files and logs after a success too. */
  readonly keep: boolean;
  /** Where logs of a failure go without `report`. */
  readonly logsParent: BytePath;
  /** Where the lab's files are while it runs. */
  readonly temporaryParent: BytePath;
  /** The directory qemu/ of the package. */
  readonly shippedFiles: BytePath;
  /** Path of Node.js, which runs servers of qemu/; the one of $PATH by default. */
  readonly nodeProgram?: string;
  /** Further words for the kernel's command line. */
  readonly kernelArguments: readonly string[];
  /** What happens to the boot from outside, and what has to be seen; a plain boot without it. */
  readonly scenario?: ScenarioBoot;
  /** The root as one file, for scenarios that boot it. */
  readonly baseImage?: RootSquashfs;
  /** What a scenario's nodes write to that outlives their boots. */
  readonly kept?: BytePath;
  readonly signal?: AbortSignal;
}
