import { otherPlaceText, type Position } from '../decode/position.js';
import type { Complaints } from './complaints.js';
import { type PlacedNetwork, whyNotInNetwork } from './decode-networks.js';
import type { DraftNodes } from './draft-nodes.js';
import { firmwareProblem } from './firmware-problem.js';
import type { Group, NodeEntry, SettingsSource } from './inventory.js';
import { contains, ipv4Text, parseIpv4 } from './ipv4.js';
import type { Server } from './node.js';

/** What nodes have to fit into. */
export interface Surroundings {
  readonly cluster: SettingsSource;
  readonly groups: ReadonlyMap<string, Group>;
  /** Names of all groups that the file has, usable or not. */
  readonly groupNames: ReadonlySet<string>;
  readonly networks: readonly PlacedNetwork[];
  /** False if some network is not usable, so that an address may well lie in that one. */
  readonly allNetworks: boolean;
  readonly servers: ReadonlyMap<string, Server>;
}

/** Kinds of complaints, and the ids that `mkroot lint` has for them. */
const RULES = {
  server: 'duplicate-name',
  group: 'incomplete-node',
  'unknown group': 'unknown-name',
  image: 'incomplete-node',
  mac: 'duplicate-mac',
  ip: 'incomplete-node',
  'ip taken': 'duplicate-address',
  'ip of server': 'duplicate-address',
  subnet: 'address-outside',
  firmware: 'other-firmware',
} as const;

/** Gives every node its group and its network, and complains about nodes that lack something or collide. */
export function placeNodes(
  drafts: DraftNodes,
  around: Surroundings,
  complaints: Complaints,
): Map<string, NodeEntry> {
  const nodes = new Map<string, NodeEntry>();
  const macs = new Map<string, { name: string; position: () => Position }>();
  const addresses = new Map<number, { name: string; position: () => Position }>();
  const servers = new Map(
    [...around.servers.values()].map(({ name, address }) => [parseIpv4(address), name]),
  );
  const serverNames = new Set([...around.servers.keys()].map((name) => name.toLowerCase()));
  for (const { name, position, group, ip, mac, sources, faulty, isRow } of drafts.values()) {
    const complain = (kind: keyof typeof RULES, place: () => Position, message: string) =>
      complaints.addForNode(kind, place(), message, RULES[kind]);
    if (serverNames.has(name.toLowerCase())) {
      complain('server', position, `${name} is the name of a server in cluster.servers, too`);
    }
    if (group === undefined && !faulty.has('group')) {
      const what = isRow === true ? 'is not in nodes.yaml, and its row names no group' : 'is in no group';
      complain('group', position, `${name} ${what}`);
    }
    if (group !== undefined && !around.groupNames.has(group.value)) {
      const near = complaints.suggestion(group.value, around.groupNames);
      complain('unknown group', group.position, `group "${group.value}" is not known${near}`);
    }
    const groupSource = group === undefined ? undefined : around.groups.get(group.value)?.source;
    const levels = [...sources, ...(groupSource === undefined ? [] : [groupSource]), around.cluster];
    if (groupSource !== undefined && levels.every(({ settings }) => settings.image === undefined)) {
      complain(
        'image',
        position,
        `${name} has no image; name one here, in group ${group?.value} or in cluster`,
      );
    }
    const contradiction = firmwareProblem(levels);
    if (contradiction !== undefined)
      complain('firmware', () => contradiction.position, `firmware of ${name}: ${contradiction.what}`);
    if (mac !== undefined) {
      const taken = macs.get(mac.value);
      if (taken === undefined) macs.set(mac.value, { name, position: mac.position });
      else {
        complain(
          'mac',
          mac.position,
          `mac ${mac.value} of ${name} is that of ${taken.name}, in ${otherPlaceText(taken.position(), mac.position())}`,
        );
      }
    }
    if (ip === undefined) {
      if (!faulty.has('ip')) complain('ip', position, `${name} has no address (ip)`);
      continue;
    }
    const taken = addresses.get(ip.value);
    const text = ipv4Text(ip.value);
    if (taken === undefined) addresses.set(ip.value, { name, position: ip.position });
    else {
      complain(
        'ip taken',
        ip.position,
        `ip ${text} of ${name} is that of ${taken.name}, in ${otherPlaceText(taken.position(), ip.position())}`,
      );
    }
    const server = servers.get(ip.value);
    if (server !== undefined)
      complain('ip of server', ip.position, `ip ${text} of ${name} is that of server ${server}`);

    const wanted = levels.find(({ settings }) => settings.network !== undefined)?.settings.network;
    const placed = around.networks.find(({ network, subnet }) =>
      wanted === undefined ? contains(subnet, ip.value) : network.name === wanted,
    );
    const only = around.networks.length === 1 ? around.networks[0] : undefined;
    const candidate = placed ?? (wanted === undefined ? only : undefined);
    const why = candidate === undefined ? undefined : whyNotInNetwork(candidate, ip.value);
    if (why !== undefined) complain('subnet', ip.position, `ip of ${name}: ${why}`);
    else if (placed === undefined && wanted === undefined && around.allNetworks) {
      const subnets = around.networks.map(({ network }) => `${network.address}/${network.prefix}`);
      complain(
        'subnet',
        ip.position,
        `ip of ${name}: ${text} is outside of every network (${subnets.join(', ') || 'there is none'})`,
      );
    }
    if (placed !== undefined && group !== undefined) {
      nodes.set(name, {
        name,
        position,
        group,
        ip: { value: text, position: ip.position },
        ...(mac === undefined ? {} : { mac }),
        network: placed.network,
        sources,
      });
    }
  }
  return nodes;
}
