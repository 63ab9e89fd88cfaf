import { LAB, LAB_IPV6_PREFIX } from './lab-network.js';

/** The network of a lab in which many nodes boot at once. */
export interface StormNetwork {
  readonly nodes: number;
  /** Of each node's link, both ways, in Mbit/s. */
  readonly nodeMbit: number;
  /** Of the head node's link, which all share evenly, both ways, in Mbit/s. */
  readonly uplinkMbit: number;
}

/** The device of the switch that the head node is on. */
const UPLINK = 'uplink';
const SWITCH = 'switch';

/** A queue that holds less than this much of a node drops; more of it would only add delay. */
const QUEUE_BYTES = 131_072;

/** A class may send this many bytes at once: what its rate gives in a millisecond, and never less than a large packet. */
function burstOf(kbit: number): number {
  return Math.max(20_000, Math.ceil(kbit / 8));
}

/** The class of what is for no single node: broadcasts. */
const EVERYBODY = 0xffff;

/** The most nodes of a storm: the lab's DHCP server has an address for each. */
export const MOST_STORM_NODES = 100;

/** The node's MAC address; its last two bytes are its number, from 1. */
export function stormMac(node: number): string {
  const [high, low] = [node >> 8, node & 0xff].map((byte) => byte.toString(16).padStart(2, '0'));
  return `52:54:00:78:${high}:${low}`;
}

/** Name of the node's tap. */
export function stormTap(node: number): string {
  return `node${node}`;
}

function numbers(nodes: number): number[] {
  return Array.from({ length: nodes }, (_, index) => index + 1);
}

/**
 * Input of `ip -batch -` (ip(8)): a switch with a tap per node, and the head node on a cable of its own, so that what it sends
 * can be shaped on its way to the switch. Its device has the name that the servers are configured for.
 */
export function stormNetworkBatch({ nodes }: StormNetwork): string {
  const { server, prefixLength, bridge: head } = LAB;
  return `${[
    'link set lo up',
    `link add ${SWITCH} type bridge forward_delay 0 mcast_snooping 0`,
    // It is no more than a switch: it would answer for the head node's address and take what is sent there past the shaping.
    `link set ${SWITCH} arp off up`,
    `link add ${head} type veth peer name ${UPLINK}`,
    `link set ${UPLINK} master ${SWITCH} up`,
    // Pieces that a slow link has done with soon: one of 64 KiB holds the others up.
    `link set ${head} gso_max_size 16384 up`,
    `address add ${server}/${prefixLength} dev ${head}`,
    `address add ${LAB_IPV6_PREFIX}1/64 dev ${head} nodad`,
    ...numbers(nodes).flatMap((node) => [
      `tuntap add ${stormTap(node)} mode tap`,
      `link set ${stormTap(node)} master ${SWITCH} up`,
    ]),
  ].join('\n')}\n`;
}

/**
 * Input of `tc -batch -` (tc-htb(8), tc-u32(8)): a class per node each way, which gets its share of the uplink, borrows what
 * others leave, and never has more than the node's own link. To the node it is found by the last bytes of the
 * destination's MAC address, from the node by those of the source's.
 */
export function stormShaping({ nodes, nodeMbit, uplinkMbit }: StormNetwork): string {
  // One more for what is for no single node: together they may not have more than there is.
  const share = Math.max(1, Math.floor((uplinkMbit * 1000) / (nodes + 1)));
  const most = Math.min(nodeMbit, uplinkMbit) * 1000;
  const directions = [
    { device: LAB.bridge, offset: -10 },
    { device: UPLINK, offset: -4 },
  ];
  return `${directions
    .flatMap(({ device, offset }) => [
      `qdisc add dev ${device} root handle 1: htb default ${EVERYBODY.toString(16)} r2q 100`,
      htbClass(device, '1:', '1:fffe', uplinkMbit * 1000, uplinkMbit * 1000),
      htbClass(device, '1:fffe', `1:${EVERYBODY.toString(16)}`, share, most),
      ...numbers(nodes).flatMap((node) => {
        const id = `1:${node.toString(16)}`;
        return [
          htbClass(device, '1:fffe', id, Math.min(share, most), most),
          `qdisc add dev ${device} parent ${id} bfifo limit ${QUEUE_BYTES}`,
          `filter add dev ${device} parent 1: protocol all prio 1 u32 match u16 0x${node.toString(16).padStart(4, '0')} 0xffff at ${offset} flowid ${id}`,
        ];
      }),
    ])
    .join('\n')}\n`;
}

function htbClass(device: string, parent: string, id: string, rateKbit: number, ceilKbit: number): string {
  return `class add dev ${device} parent ${parent} classid ${id} htb rate ${rateKbit}kbit ceil ${ceilKbit}kbit burst ${burstOf(rateKbit)}b cburst ${burstOf(ceilKbit)}b quantum 20000`;
}
