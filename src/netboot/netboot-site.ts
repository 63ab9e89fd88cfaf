import type { BootFiles, DhcpNetwork } from './dhcp-service.js';
import type { BootParameters } from './kernel-command-line.js';

/** Kernel and initrds of one generation, as the boot loaders fetch them. */
export interface BootImage {
  /** Name of the image. */
  readonly name: string;
  readonly generation: string;
  /** Release of the kernel, if it is not the newest of the generation. */
  readonly release?: string;
  /** Path below the TFTP root, without a leading slash. */
  readonly kernel: string;
  /** Paths below the TFTP root; the kernel unpacks them in this order. */
  readonly initrds: readonly string[];
}

/** What a boot menu can offer: the image, the firmware's next boot device, a memory test. */
export type BootChoice = 'image' | 'local' | 'memtest';

/** What a node boots and how. */
export interface NodeBoot {
  readonly image: BootImage;
  readonly parameters: BootParameters;
  /** What boots by itself; the image unless said otherwise. */
  readonly default?: BootChoice;
  /** Further choices of the menu. */
  readonly menu?: readonly BootChoice[];
  /** Seconds that the menu waits; 0 or absent boots at once. */
  readonly timeout?: number;
  /** Serial port on which the boot loaders talk too (not the kernel: that is a console of {@link BootParameters}). */
  readonly serial?: SerialPort;
}

/** A serial port of the machine: 0 is COM1, ttyS0. */
export interface SerialPort {
  readonly port: number;
  readonly baud: number;
}

/** A directory of the server that may be mounted over NFS. */
export interface ServedDirectory {
  /** Absolute. */
  readonly path: string;
  readonly access: 'ro' | 'rw';
}

/** A variable's value: whatever JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A machine that boots over the network. */
export interface NetbootNode {
  /** One label; the site's domain is added where it is wanted. */
  readonly name: string;
  /** Of the device that it boots from. Without one it is known by its address only, and no DHCP server is told of it. */
  readonly mac?: string;
  readonly address: string;
  readonly groups: readonly string[];
  /** For administration: attributes of genders, variables of Ansible. */
  readonly variables?: Readonly<Record<string, JsonValue>>;
  /** Public host keys, `ssh-ed25519 AAAA...` each. */
  readonly sshHostKeys?: readonly string[];
  readonly boot: NodeBoot;
  /** Without it there are files for both. */
  readonly firmware?: 'bios' | 'uefi';
  /** Debian name; without it a PC. Decides which boot loaders have to be there. */
  readonly architecture?: string;
  /** What is exported to this node's address and nobody else. */
  readonly directories?: readonly ServedDirectory[];
}

/** Another machine of the cluster with a fixed address: head node, file server. */
export interface SiteHost {
  readonly name: string;
  readonly address: string;
  readonly sshHostKeys?: readonly string[];
}

/** Everything that the netboot tree is rendered from: the one list of nodes and what they share. */
export interface NetbootSite {
  readonly domain?: string;
  readonly networks: readonly DhcpNetwork[];
  readonly nodes: readonly NetbootNode[];
  /** Servers and the like, for the files of names. */
  readonly hosts?: readonly SiteHost[];
  /** The machine that answers DHCP, TFTP and NFS. */
  readonly server: {
    /** Its address towards the nodes. */
    readonly address: string;
    /** Interfaces on which it answers DHCP. */
    readonly interfaces: readonly string[];
    /** Absolute path of the directory that TFTP serves. */
    readonly tftpRoot: string;
    /** URL under which HTTP serves the same directory, with a trailing slash; without it iPXE takes TFTP. */
    readonly httpRoot?: string;
  };
  /** Exported to every network: bases and cluster overlays read-only, shared directories with root squashed. */
  readonly directories: readonly ServedDirectory[];
  /** What a machine boots that is not in the list; its local disk when absent. */
  readonly unknownNodes?: NodeBoot;
  /** Boot loaders by kind of client; {@link defaultBootFiles} unless said otherwise. */
  readonly bootFiles?: BootFiles;
  /** Memory test programs below the TFTP root. */
  readonly memoryTest?: { readonly bios: string; readonly efi: string };
}
