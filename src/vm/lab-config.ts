import { LAB_IPV6_PREFIX, OTHER_SERVER } from './lab-network.js';

/** Files of the TFTP tree, by the names under which they are served. */
export const TFTP = {
  loader: 'pxelinux.0',
  /** iPXE for UEFI, and what it goes on with. */
  ipxe: 'snponly.efi',
  ipxeScript: 'boot.ipxe',
  kernel: 'vmlinuz',
  initrd: 'initrd.img',
  /** The segment with the emulated NIC's driver; absent where the initrd has it. */
  driverSegment: 'driver.img',
} as const;

/** A directory and the name by which the node mounts it, such as /base: short, and without the host's odd characters. */
export interface LabExport {
  readonly name: string;
  readonly directory: string;
  /** Default false. */
  readonly writable?: boolean;
}

/**
 * What a lab's dnsmasq is told beyond the usual (dnsmasq(8), 2.80 and later). The firmware's part of the boot is kept
 * short: iPXE waits two seconds for further offers unless told that no other boot server exists (PXE option 43.6,
 * "discovery control"), and thirteen more for an IPv6 router before it does without, so the lab answers router
 * solicitations with a router that routes nothing.
 */
export function labDnsmasqExtras(device: string): string {
  return `${[
    'user=root', // the TFTP tree is in a directory that only root may enter
    'dhcp-option=tag:!efi64,vendor:PXEClient,6,2b', // OVMF takes it for a menu without entries
    'enable-ra',
    `dhcp-range=${LAB_IPV6_PREFIX},ra-only,64`,
    `ra-param=${device},0,0`,
  ].join('\n')}\n`;
}

/** dnsmasq.conf of the second DHCP server: it knows nothing of the lab, names itself as gateway and, if told so, another root. */
export function otherDnsmasq(rootPath: string | undefined): string {
  return `${[
    'user=root',
    'port=0',
    'interface=eth0',
    'log-dhcp',
    'log-facility=-',
    'no-ping',
    'dhcp-authoritative',
    `dhcp-range=${OTHER_SERVER.firstLease},${OTHER_SERVER.lastLease},1h`,
    'dhcp-leasefile=/run/other.leases',
    'pid-file=/run/other.pid',
    ...(rootPath === undefined ? [] : [`dhcp-option=option:root-path,"${rootPath}"`]),
  ].join('\n')}\n`;
}
