/** Addresses and names inside a lab. They are the same in every lab: each has a network namespace to itself. */
export const LAB = {
  /** Where all servers of the lab listen. */
  server: '10.77.0.1',
  prefixLength: 24,
  firstLease: '10.77.0.100',
  lastLease: '10.77.0.200',
  bridge: 'br0',
  tap: 'tap0',
  /** Locally administered: 52:54:00 is QEMU's, the rest is the lab's address. */
  mac: '52:54:00:77:00:01',
  hostname: 'mkroot-lab',
  /** Where nobody is. */
  nobody: '10.77.0.9',
} as const;

/** Where the lab's HTTP server listens. */
export const LAB_HTTP_PORT = 80;

/** File of an ext4 below the directory that outlives boots. */
export const LAB_DISK = 'top.ext4';

/** File of a disk beside it that a node finds first. */
export const LAB_DISK_BEFORE = 'before.disk';

/** Label of the ext4. */
export const LAB_DISK_LABEL = 'scratch';

/** IPv6 prefix of the lab (RFC 4193); see labDnsmasqExtras for why there is one. */
export const LAB_IPV6_PREFIX = 'fd77::';

/** A further tap of the lab: on its bridge, or on none, where nobody answers. */
export interface FurtherTap {
  readonly device: string;
  readonly place: 'lab' | 'elsewhere';
}

/** A second DHCP server that nobody asked for, as a router under somebody's desk: its own namespace, address and range. */
export const OTHER_SERVER = {
  namespace: 'other',
  address: '10.77.0.2',
  firstLease: '10.77.0.210',
  lastLease: '10.77.0.240',
} as const;

/** Input of `ip -batch -` that makes the second server's namespace and joins it to the lab's bridge. */
export const OTHER_SERVER_JOINS = `netns add ${OTHER_SERVER.namespace}
link add other type veth peer name eth0 netns ${OTHER_SERVER.namespace}
link set other master ${LAB.bridge} up
`;

/** Input of `ip -batch -` for inside that namespace. */
export const OTHER_SERVER_RISES = `address add ${OTHER_SERVER.address}/${LAB.prefixLength} dev eth0
link set eth0 up
link set lo up
`;

/** A second NFS server with the same files, and the address that it takes over from the first one. */
export const STANDBY_SERVER = { namespace: 'standby', address: '10.77.0.5' } as const;

/** Input of `ip -batch -` that makes the second NFS server's namespace, joins it to the bridge, and gives the first server the address. */
export const STANDBY_JOINS = `netns add ${STANDBY_SERVER.namespace}
link add standby type veth peer name eth0 netns ${STANDBY_SERVER.namespace}
link set standby master ${LAB.bridge} up
address add ${STANDBY_SERVER.address}/${LAB.prefixLength} dev ${LAB.bridge}
`;

/** Input of `ip -batch -` for inside that namespace. */
export const STANDBY_RISES = `link set lo up
link set eth0 up
`;

/** Input of `ip -batch -`: the first server's machine is as good as gone. */
export const MOVING_ADDRESS_LEAVES = `address del ${STANDBY_SERVER.address}/${LAB.prefixLength} dev ${LAB.bridge}
`;

/**
 * Input of `ip -batch -` for inside the second server's namespace. A device announces its addresses when its own changes (arp_notify); the new
 * one is that of VRRP (RFC 5798). When it comes up it does, too, but before the port of the bridge lets anything through.
 */
export const MOVING_ADDRESS_ARRIVES = `address add ${STANDBY_SERVER.address}/${LAB.prefixLength} dev eth0
link set eth0 address 00:00:5e:00:01:05
`;

/** TCP ports of 127.0.0.1 in the lab at which the switch with a tagged port (qemu/vlan-switch) takes QEMU's connections. */
export const VLAN_SWITCH = { untagged: 7701, tagged: 7702 } as const;

/**
 * Input of `ip -batch -` (ip(8)) that makes the lab's network: loopback, a bridge with the server's address, a tap.
 * @param mtu bytes of the largest packet; the kernel's 1500 by default
 */
export function networkBatch(further: readonly FurtherTap[] = [], mtu?: number): string {
  const { server, prefixLength, bridge, tap } = LAB;
  return `${[
    'link set lo up',
    `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
    `address add ${server}/${prefixLength} dev ${bridge}`,
    `link set ${bridge} up`,
    `address add ${LAB_IPV6_PREFIX}1/64 dev ${bridge} nodad`,
    `tuntap add ${tap} mode tap`,
    `link set ${tap} master ${bridge} up`,
    ...further.flatMap(({ device, place }) => [
      `tuntap add ${device} mode tap`,
      `link set ${device} ${place === 'lab' ? `master ${bridge} ` : ''}up`,
    ]),
    // A bridge takes no more than each of its ports.
    ...(mtu === undefined
      ? []
      : [tap, ...further.map(({ device }) => device), bridge].map(
          (device) => `link set ${device} mtu ${mtu}`,
        )),
  ].join('\n')}\n`;
}
