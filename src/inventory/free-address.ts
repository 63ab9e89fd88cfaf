import { ExitCode, MkrootError } from '../errors.js';
import { isHost } from './decode-networks.js';
import type { Inventory } from './inventory.js';
import { contains, ipv4Text, parseIpv4, parseSubnet } from './ipv4.js';
import type { Network } from './node.js';

/** For whom addresses are looked for. */
export interface AddressRequest {
  /** As the user wrote them, for messages. */
  readonly names: string;
  readonly group: string;
  /** By default that of the group, or the only one. */
  readonly network?: string;
  readonly count: number;
}

/**
 * Free addresses for nodes of a group, as many as are asked for: from behind the last node of the group, or of the network if
 * the group has none there. Passed over are those of nodes, servers and the gateway, and what DHCP hands out.
 * @throws MkrootError if it is not clear which network, or if there are not enough.
 */
export function freeAddresses(inventory: Inventory, request: AddressRequest): string[] {
  const { names, group, count } = request;
  const network = networkFor(inventory, request);
  const { address, prefix, gateway, range } = network;
  const subnet = parseSubnet(`${address}/${prefix}`)!;
  const here = [...inventory.nodes.values()].filter((node) => node.network.name === network.name);
  const taken = new Set([
    ...[...inventory.nodes.values()].map(({ ip }) => parseIpv4(ip.value)!),
    ...[...inventory.servers.values()].map((server) => parseIpv4(server.address)!),
    ...(gateway === undefined ? [] : [parseIpv4(gateway)!]),
  ]);
  const free = (candidate: number) =>
    isHost(subnet, candidate) &&
    !taken.has(candidate) &&
    !(
      range !== undefined &&
      contains({ first: parseIpv4(range.first)!, last: parseIpv4(range.last)! }, candidate)
    );
  const kin = here.filter((node) => node.group.value === group);
  const last = Math.max(subnet.first, ...(kin.length > 0 ? kin : here).map(({ ip }) => parseIpv4(ip.value)!));
  const found: string[] = [];
  const size = subnet.last - subnet.first;
  // Once around: after the end of the network its beginning.
  for (let step = 1; step <= size && found.length < count; step += 1) {
    const candidate = subnet.first + ((last - subnet.first + step) % (size + 1));
    if (free(candidate)) found.push(ipv4Text(candidate));
  }
  if (found.length === count) return found;
  throw new MkrootError(
    `Cannot create "${names}": network ${network.name} (${address}/${prefix}) has ${found.length === 0 ? 'no free address' : `only ${found.length} free addresses`}`,
    { exitCode: ExitCode.InvalidInput, hint: 'Make its range smaller, or name another one by --network.' },
  );
}

function networkFor({ networks, nodes, groups, cluster }: Inventory, request: AddressRequest): Network {
  const { names, group, network } = request;
  const kin = [...nodes.values()].find((node) => node.group.value === group);
  const wanted =
    network ??
    groups.get(group)?.source.settings.network ??
    cluster.settings.network ??
    kin?.network.name ??
    (networks.size === 1 ? [...networks.keys()][0] : undefined);
  const found = wanted === undefined ? undefined : networks.get(wanted);
  if (found !== undefined) return found;
  const known = [...networks.keys()].join(', ');
  throw new MkrootError(
    wanted === undefined
      ? `Cannot create "${names}": there are several networks (${known})`
      : `Cannot create "${names}": there is no network "${wanted}" (${known})`,
    { exitCode: ExitCode.Usage, hint: 'Name one by --network, or the address by --ip.' },
  );
}
