import type { Inventory } from './inventory.js';
import { ipv4Text, parseIpv4 } from './ipv4.js';
import type { Sighting } from './sighting.js';

/** How machines that were seen become nodes. */
export interface ImportRequest {
  /** Names for machines that told none of the inventory, in their order; those with a MAC address are passed over. */
  readonly names?: readonly string[];
  /** Group of nodes that are new. */
  readonly group?: string;
  /** First address for nodes that are new, counted up; without it they keep the address that they were seen with. */
  readonly firstAddress?: string;
}

/** A row to write: for a new node with everything, for a known one with the MAC address alone. */
export interface ImportedNode {
  readonly name: string;
  readonly mac: string;
  readonly ip?: string;
  readonly group?: string;
  /** Line in which the machine was seen. */
  readonly line: number;
}

/** A machine that becomes no node, and why. */
export interface PassedOver {
  readonly sighting: Sighting;
  readonly reason: string;
  /** Something is to be done about it; otherwise it is only told. */
  readonly conflict: boolean;
}

/** What an import would do. */
export interface ImportPlan {
  readonly nodes: readonly ImportedNode[];
  readonly passedOver: readonly PassedOver[];
}

/** Finds a node for each machine that was seen. Changes nothing. */
export function planImport(
  inventory: Inventory,
  sightings: readonly Sighting[],
  { names = [], group, firstAddress }: ImportRequest,
): ImportPlan {
  const nameOfMac = new Map<string, string>();
  const nodeByName = new Map([...inventory.nodes.values()].map((node) => [node.name.toLowerCase(), node]));
  const nodeByAddress = new Map([...inventory.nodes.values()].map((node) => [node.ip.value, node]));
  const usedAddresses = new Set(nodeByAddress.keys());
  for (const { name, mac } of inventory.nodes.values()) {
    if (mac !== undefined) nameOfMac.set(mac.value, name);
  }
  const byName = ({ hostname }: Sighting) => (hostname === undefined ? undefined : nodeByName.get(hostname));
  const byAddress = ({ ip, fixed }: Sighting) =>
    fixed === undefined || ip === undefined ? undefined : nodeByAddress.get(ip);
  const taken = new Set<string>();
  // A machine that says who it is goes before one that merely comes earlier.
  const allTold = new Set(sightings.map((one) => (byName(one) ?? byAddress(one))?.name.toLowerCase()));
  const free = names.filter((name) => {
    const key = name.toLowerCase();
    const node = nodeByName.get(key);
    return node?.mac === undefined && !(node !== undefined && allTold.has(key));
  });
  let nextAddress = firstAddress === undefined ? undefined : parseIpv4(firstAddress);
  const nodes: ImportedNode[] = [];
  const passedOver: PassedOver[] = [];

  for (const sighting of sightings) {
    const { mac, hostname, line } = sighting;
    const pass = (reason: string, conflict: boolean) => passedOver.push({ sighting, reason, conflict });
    const owner = nameOfMac.get(mac);
    if (owner !== undefined) {
      pass(`it is ${owner} already`, false);
      continue;
    }
    const [named, placed] = [byName(sighting), byAddress(sighting)];
    if (named !== undefined && placed !== undefined && named !== placed) {
      pass(`it is ${named.name} by its name and ${placed.name} by its address`, true);
      continue;
    }
    const told = named ?? placed;
    if (told?.mac !== undefined) {
      const { file, line } = told.mac.position();
      pass(
        `it says that it is ${told.name}, which has ${told.mac.value} in ${file}:${line}; if its board was changed: mkroot node set ${told.name} --mac ${mac}`,
        true,
      );
      continue;
    }
    if (told !== undefined && taken.has(told.name.toLowerCase())) {
      pass(`it says that it is ${told.name}, as another one does`, true);
      continue;
    }
    const next = free.find((name) => !taken.has(name.toLowerCase()));
    const name = told?.name ?? next ?? (group === undefined ? undefined : hostname);
    if (name === undefined || taken.has(name.toLowerCase())) {
      pass(names.length > 0 ? 'there are no names left' : 'it told no name of the inventory', true);
      continue;
    }
    if (nodeByName.has(name.toLowerCase())) {
      taken.add(name.toLowerCase());
      nodes.push({ name: nodeByName.get(name.toLowerCase())!.name, mac, line });
      continue;
    }
    if (group === undefined) {
      pass(`${name} would be a new node, and needs a group`, true);
      continue;
    }
    while (nextAddress !== undefined && usedAddresses.has(ipv4Text(nextAddress))) nextAddress += 1;
    const ip = nextAddress === undefined ? sighting.ip : ipv4Text(nextAddress);
    if (ip === undefined) {
      pass(`${name} would be a new node, and was seen without an address`, true);
      continue;
    }
    taken.add(name.toLowerCase());
    usedAddresses.add(ip);
    nodes.push({ name, mac, ip, group, line });
  }
  return { nodes, passedOver };
}
