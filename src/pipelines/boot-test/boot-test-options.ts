import type { RootImage } from '../../images/root-image.js';
import type { BootParameters } from '../../netboot/kernel-command-line.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { BootSubject } from '../../stages/boot-test/prepare-lab-files.js';
import type { BootFirmware } from '../../vm/firmware.js';
import type { ImageTransport } from '../../vm/image-transport.js';
import type { ScenarioBoot } from '../../vm/scenario.js';
import type { LabOptions } from './lab-options.js';

/** `lab` is the whole path with DHCP, TFTP and NFS; `user` is QEMU's own network, which needs no privileges. */
export type BootNetwork = 'lab' | 'user';

/** A boot test, as the command line asks for it. */
export interface BootTestOptions extends LabOptions {
  /** What the report calls it: a recipe's name or a directory. */
  readonly image: string;
  readonly subject: BootSubject;
  /** Modules that the initrd must have and that must load in the root; those that the initrd was made for by default. */
  readonly modules?: readonly string[];
  readonly network: BootNetwork;
  /** Of base and layers, where a scenario says nothing else; so are transport and firmware. */
  readonly nfsVersion: NonNullable<BootParameters['nfsVersion']>;
  /** How the base comes to the node as one file; a directory over NFS without it. */
  readonly transport?: ImageTransport;
  /** What the machine boots by; what its type usually has, by default. */
  readonly firmware?: BootFirmware;
  /** Where the lab's files are while it runs. */
  readonly temporaryParent: BytePath;
  /** Path of Node.js, which runs servers of qemu/; the one of $PATH by default. */
  readonly nodeProgram?: string;
  /** What happens to the boot from outside, and what has to be seen; a plain boot without it. */
  readonly scenario?: ScenarioBoot;
  /** The root as one file, if it was made before; a transport that needs one has it made for this boot otherwise. */
  readonly baseImage?: RootImage;
  /** What a scenario's nodes write to that outlives their boots. */
  readonly kept?: BytePath;
}
