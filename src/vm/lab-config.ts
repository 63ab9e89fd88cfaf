import { LAB, LAB_IPV6_PREFIX } from './lab-network.js';

/** Files of the TFTP tree, by the names under which they are served. */
export const TFTP = {
  loader: 'pxelinux.0',
  config: 'pxelinux.cfg/default',
  kernel: 'vmlinuz',
  initrd: 'initrd.img',
  /** The segment with the emulated NIC's driver; absent where the initrd has it. */
  driverSegment: 'driver.img',
} as const;

/**
 * The command that serves DHCP and TFTP inside a lab (dnsmasq(8), 2.80 and later), logging to standard error.
 *
 * The firmware's part of the boot is kept short: iPXE waits two seconds for further offers unless told that no other
 * boot server exists (PXE option 43.6, "discovery control"), and thirteen more for an IPv6 router before it gives up on
 * IPv6, so the lab answers router solicitations with a router that routes nothing. `--no-ping` saves three seconds in
 * which dnsmasq looks whether an address is in use.
 */
export function dnsmasqArgv(tftpRoot: string): [string, ...string[]] {
  const { server, bridge, firstLease, lastLease } = LAB;
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--log-facility=-',
    '--log-dhcp',
    '--user=root', // the TFTP tree is in a directory that only root may enter
    '--pid-file=',
    '--leasefile-ro',
    '--port=0',
    `--interface=${bridge}`,
    '--bind-interfaces',
    '--no-ping',
    '--dhcp-authoritative',
    `--dhcp-range=${firstLease},${lastLease},1h`,
    `--dhcp-boot=${TFTP.loader},,${server}`,
    '--dhcp-option=vendor:PXEClient,6,2b',
    '--enable-ra',
    `--dhcp-range=${LAB_IPV6_PREFIX},ra-only,64`,
    `--ra-param=${bridge},0,0`,
    '--enable-tftp',
    `--tftp-root=${tftpRoot}`,
  ];
}

/** Where the NFS server listens; rpcbind tells NFS 3 clients the mount port. */
const NFS_PORT = 2049;
const MOUNT_PORT = 20048;

/** A directory and the name by which the node mounts it, such as /base: short, and without the host's odd characters. */
export interface LabExport {
  readonly name: string;
  readonly directory: string;
}

/**
 * Configuration of nfs-ganesha (ganesha-core-config(8), ganesha-export-config(8)): each directory read-only under its
 * name. Root of the node is root here, so that it can read what only root may; the lab's network reaches no further.
 *
 * @param recovery directory for NFS 4 client records; the default in /var/lib/nfs would be the host's
 */
export function ganeshaConfig(exports: readonly LabExport[], recovery: string): string {
  return `# One lab of mkroot qemu-test; gone with it.
NFS_CORE_PARAM {
  Protocols = 3, 4;
  mount_path_pseudo = true;
  Enable_NLM = false;
  Enable_RQUOTA = false;
  NFS_Port = ${NFS_PORT};
  MNT_Port = ${MOUNT_PORT};
  Bind_addr = ${LAB.server};
}
NFSv4 {
  Graceless = true;
  RecoveryBackend = fs;
  RecoveryRoot = ${quote(recovery)};
}
LOG {
  Default_Log_Level = EVENT;
}
${exports.map((entry, index) => exportBlock(entry, index + 1)).join('')}`;
}

function exportBlock({ name, directory }: LabExport, id: number): string {
  return `EXPORT {
  Export_Id = ${id};
  Path = ${quote(directory)};
  Pseudo = ${quote(name)};
  Access_Type = RO;
  Squash = No_Root_Squash;
  SecType = sys;
  Transports = TCP;
  FSAL { Name = VFS; }
}
`;
}

/** Ganesha reads "..." with backslash escapes. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * Configuration of PXELINUX: one kernel, its initrd segments in order, no menu, no waiting. There is no SERIAL line: the
 * BIOS already repeats everything on the serial port.
 */
export function pxelinuxConfig(segments: readonly string[], commandLine: string): string {
  return `DEFAULT mkroot
PROMPT 0
LABEL mkroot
  KERNEL ${TFTP.kernel}
  INITRD ${segments.join(',')}
  APPEND ${commandLine}
`;
}

/** What the node is told on the kernel's command line; layers are directories that the lab exports. */
export interface LabCommandLine {
  readonly base: string;
  readonly cluster: string | undefined;
  readonly host: string | undefined;
  readonly hostname: string;
  /** NFS version: 3, 4.1, 4.2. */
  readonly nfsVersion: string;
  /** Address of the server as the node sees it. */
  readonly server: string;
  /** Further words, last. */
  readonly extra: readonly string[];
}

/**
 * The kernel's command line of a lab node: console on the first serial port, the keys of docs/boot-protocol.md, and a
 * quick end when /init or the kernel gives up, which -no-reboot turns into the end of QEMU.
 */
export function labCommandLine(line: LabCommandLine): string {
  const { server, base, cluster, host, hostname, nfsVersion, extra } = line;
  return [
    'console=ttyS0,115200',
    'panic=1',
    `mkroot.base=nfs:${server}:${base}`,
    ...(cluster === undefined ? [] : [`mkroot.cluster=${server}:${cluster}`]),
    ...(host === undefined ? [] : [`mkroot.host=${server}:${host}`]),
    `mkroot.nfsvers=${nfsVersion}`,
    `mkroot.hostname=${hostname}`,
    ...extra,
  ].join(' ');
}
