import type { ParsedYaml } from '../decode/parse-yaml.js';
import type { Problem } from '../decode/problem.js';
import type { NetworkDocument } from './inventory-schema.js';
import { contains, ipv4Text, netmaskText, parseIpv4, parseSubnet, type Subnet } from './ipv4.js';
import type { Network } from './node.js';

/** A network, with its addresses as numbers. */
export interface PlacedNetwork {
  readonly network: Network;
  readonly subnet: Subnet;
  /** Addresses that DHCP hands out freely. */
  readonly range?: { readonly first: number; readonly last: number };
  readonly gateway?: number;
}

/** Decodes the networks of nodes.yaml; one that has a problem is there nevertheless where its subnet is known. */
export function decodeNetworks(
  documents: Readonly<Record<string, NetworkDocument>>,
  yaml: ParsedYaml,
): { readonly networks: readonly PlacedNetwork[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const networks: PlacedNetwork[] = [];
  for (const [name, document] of Object.entries(documents)) {
    const subnet = parseSubnet(document.subnet);
    if (subnet === undefined) continue;
    const complain = (field: string, message: string) =>
      problems.push({
        position: yaml.position(['networks', name, field]),
        message: `networks.${name}.${field} ${message}`,
      });
    const gateway = document.gateway === undefined ? undefined : parseIpv4(document.gateway);
    if (gateway !== undefined && !isHost(subnet, gateway)) {
      complain('gateway', `"${document.gateway}" is not an address for a machine in ${document.subnet}`);
    }
    const range = document.range === undefined ? undefined : parseRange(document.range);
    if (document.range !== undefined) {
      if (range === undefined) complain('range', `"${document.range}" is not a range of addresses`);
      else if (range.first > range.last) complain('range', `"${document.range}" counts down`);
      else if (!isHost(subnet, range.first) || !isHost(subnet, range.last)) {
        complain('range', `"${document.range}" is not within ${document.subnet}`);
      }
    }
    const overlapping = networks.find(
      (other) => other.subnet.first <= subnet.last && subnet.first <= other.subnet.last,
    );
    if (overlapping !== undefined) {
      const { line } = yaml.position(['networks', overlapping.network.name, 'subnet']);
      complain(
        'subnet',
        `"${document.subnet}" overlaps that of ${overlapping.network.name}, in line ${line}`,
      );
    }
    networks.push({
      subnet,
      ...(range === undefined ? {} : { range }),
      ...(gateway === undefined ? {} : { gateway }),
      network: {
        name,
        address: ipv4Text(subnet.first),
        prefix: subnet.prefix,
        netmask: netmaskText(subnet.prefix),
        broadcast: ipv4Text(subnet.last),
        ...(range === undefined
          ? {}
          : { range: { first: ipv4Text(range.first), last: ipv4Text(range.last) } }),
        ...(document.gateway === undefined ? {} : { gateway: document.gateway }),
        ...(document.mtu === undefined ? {} : { mtu: document.mtu }),
        ...(document.vlan === undefined ? {} : { vlan: document.vlan }),
      },
    });
  }
  return { networks, problems };
}

/** An address of a network that a machine can have. */
export function isHost(subnet: Subnet, address: number): boolean {
  return contains(subnet, address) && address !== subnet.first && address !== subnet.last;
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const [first, last] = text.split('-').map((part) => parseIpv4(part.trim()));
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** Why a node cannot have an address in a network; undefined if it can. */
export function whyNotInNetwork(
  { network, subnet, range, gateway }: PlacedNetwork,
  address: number,
): string | undefined {
  const text = ipv4Text(address);
  const where = `${network.address}/${network.prefix} (network ${network.name})`;
  if (!contains(subnet, address)) return `${text} is outside of ${where}`;
  if (address === subnet.first) return `${text} is the address of the network ${where} itself`;
  if (address === subnet.last) return `${text} is the broadcast address of ${where}`;
  if (address === gateway) return `${text} is the gateway of ${where}`;
  if (range !== undefined && contains(range, address)) {
    return `${text} lies in the range that DHCP hands out freely in ${where}`;
  }
  return undefined;
}
