import { LAB_IPV6_PREFIX } from './lab-network.js';

/** What the head node's side of a cluster's network is made of. */
export interface ClusterNetwork {
  /** Devices that the servers are configured for; nodes are on the first. */
  readonly devices: readonly [string, ...string[]];
  /** Addresses of the head node with the lengths of their prefixes: `10.1.0.1/16`. */
  readonly addresses: readonly string[];
  /** One tap device per node. */
  readonly taps: readonly string[];
}

/** Input of `ip -batch -` (ip(8)): loopback, a bridge with the head node's addresses, a tap on it for each node. */
export function clusterNetworkBatch({ devices, addresses, taps }: ClusterNetwork): string {
  const [bridge] = devices;
  return `${[
    'link set lo up',
    ...devices.flatMap((device) => [
      `link add ${device} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${device} up`,
    ]),
    // A bridge has a link when one of its ports has, and nodes are not switched on before somebody serves.
    'link add link0 type veth peer name link1',
    `link set link0 master ${bridge} up`,
    'link set link1 up',
    ...addresses.map((address) => `address add ${address} dev ${bridge}`),
    `address add ${LAB_IPV6_PREFIX}1/64 dev ${bridge} nodad`,
    ...taps.flatMap((tap) => [`tuntap add ${tap} mode tap`, `link set ${tap} master ${bridge} up`]),
  ].join('\n')}\n`;
}

/** Name of the tap of a node, by its place in the test; at most 15 characters, as the kernel has it. */
export function tapName(index: number): string {
  return `node${index + 1}`;
}

/**
 * Arguments of a dnsmasq that does nothing but answer router solicitations (dnsmasq(8)): without a router that routes nothing
 * iPXE waits thirteen seconds for one.
 */
export function routerAdvertiser(device: string): [string, ...string[]] {
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    `--interface=${device}`,
    '--bind-interfaces',
    '--enable-ra',
    `--dhcp-range=${LAB_IPV6_PREFIX},ra-only,64`,
    `--ra-param=${device},0,0`,
    '--pid-file=',
    '--leasefile-ro',
    '--user=root',
    '--log-facility=-',
  ];
}
