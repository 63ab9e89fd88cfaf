import type { Architecture, BootTarget, Firmware, ServerRole, Variables } from './inventory-schema.js';

/** A machine that serves nodes. */
export interface Server {
  /** Its name in the inventory, a host name. */
  readonly name: string;
  /** IPv4 address under which nodes reach it. */
  readonly address: string;
  readonly roles: readonly ServerRole[];
}

/** A network that nodes have addresses in. */
export interface Network {
  readonly name: string;
  /** Address of the network itself, such as 10.1.0.0. */
  readonly address: string;
  /** Length of the network's prefix: 16 for 10.1.0.0/16. */
  readonly prefix: number;
  /** The same as a netmask: 255.255.0.0. */
  readonly netmask: string;
  readonly broadcast: string;
  /** Addresses, the first and the last, that DHCP hands out to machines which are not in the inventory. */
  readonly range?: { readonly first: string; readonly last: string };
  readonly gateway?: string;
  /** Bytes. */
  readonly mtu?: number;
  /** VLAN id, 1 to 4094. */
  readonly vlan?: number;
}

/** Something that outlives reboots: a directory of an NFS server, mounted over the union of layers. */
export interface PersistentPath {
  /** Where the node sees it. */
  readonly path: string;
  readonly server: Server;
  /** Exported directory; %h, %i and %m stand for the node's name, address and MAC. Absent means the node's own directory for this path. */
  readonly export?: string;
  readonly readOnly: boolean;
  /** Mount options, comma-separated. */
  readonly options?: string;
}

/** Where writes of a node go. */
export interface WritableTop {
  /** Memory, empty at each boot; a local disk; a file on the NFS server. */
  readonly kind: 'tmpfs' | 'disk' | 'image';
  /** Of the disk. */
  readonly label?: string;
  /** A number with k, m, g or %; absent means half of the memory. */
  readonly size?: string;
  /** Number of files, with k, m or g. */
  readonly inodes?: string;
}

/** A local disk that is partitioned at the first boot. */
export interface LocalDisk {
  /** The whole disk as the kernel calls it: sda. */
  readonly device: string;
  /** Size of the swap partition: a number with k, m or g. */
  readonly swap?: string | undefined;
  /** Label of the ext4 on the rest. */
  readonly scratch?: string | undefined;
  /** if-empty, or yes-wipe-DEVICE; absent means that nothing is ever written. */
  readonly consent?: string | undefined;
}

/** How a node gets its base and its layers. */
export interface Transport {
  readonly protocol: 'nfs' | `${'squashfs' | 'erofs'}-${'nfs' | 'http'}`;
  /** Names of servers that base and layers come from; absent means the first one of the role. */
  readonly servers?: readonly string[];
  /** Absent means that /init tries 3 and 4.1 in turn. */
  readonly nfsVersion?: '3' | '4.1' | '4.2';
  /** Mount options of all layers, comma-separated. */
  readonly options?: string;
  /** The host layer names base and shared layer, not the boot entry. */
  readonly pointers?: boolean;
}

/** A serial line on which firmware, boot loader and kernel are heard. */
export interface SerialConsole {
  /** As the kernel calls it: ttyS0. */
  readonly device: string;
  /** Number of the port: 0 for ttyS0. */
  readonly port: number;
  readonly baud: number;
}

/**
 * One node with everything that it is told: its own values over those of its group over those of the cluster. Read-only;
 * this is what boot files, server configuration and layers are rendered from.
 */
export interface Node {
  /** Host name, without the domain. */
  readonly name: string;
  readonly domain?: string;
  /** Lower case with colons. Absent until it is known (`mkroot nodes import`). */
  readonly mac?: string;
  /** IPv4 address. */
  readonly ip: string;
  readonly network: Network;
  /** Length of its network's prefix. */
  readonly prefix: number;
  readonly netmask: string;
  readonly gateway?: string;
  readonly mtu?: number;
  readonly vlan?: number;
  readonly group: string;
  /** Name of the image, that is of its recipe. */
  readonly image: string;
  /** Id of the generation that it is pinned to; absent means that it follows the image's current one. */
  readonly generation?: string;
  /** Release of the kernel to boot, or a glob over those of the image; absent means the newest. */
  readonly kernel?: string;
  /** What its boot entry starts. */
  readonly boot: BootTarget;
  /** What its boot menu offers besides. */
  readonly menu: readonly BootTarget[];
  /** Seconds that the menu waits; 0 boots at once. */
  readonly menuTimeout: number;
  /** Directories below overlays/ of the site, from the lowest to the topmost. */
  readonly overlays: readonly string[];
  /** One word each. */
  readonly kernelArguments: readonly string[];
  /** Kernel modules that its initramfs needs besides the image's own, by name or glob. */
  readonly drivers: readonly string[];
  /** For templates. */
  readonly variables: Variables;
  /** In the order of their paths, parents first. */
  readonly persistent: readonly PersistentPath[];
  readonly writableTop: WritableTop;
  readonly disk?: LocalDisk;
  readonly transport: Transport;
  readonly architecture: Architecture;
  /** Absent where it does not matter: files for both are written. */
  readonly firmware?: Firmware;
  readonly serialConsole?: SerialConsole;
  /** Addresses of name servers. */
  readonly dns: readonly string[];
  /** Addresses or names of time servers. */
  readonly ntp: readonly string[];
  /** Who serves it, by role, the first choice first. */
  readonly servers: Readonly<Record<ServerRole, readonly Server[]>>;
}
