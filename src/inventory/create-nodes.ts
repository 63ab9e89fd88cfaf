import { join } from 'node:path';
import { setInYaml } from '../decode/edit-yaml.js';
import { positionText } from '../decode/position.js';
import { replaceText } from '../decode/write-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { FileSystem } from '../ports/file-system.js';
import { freeAddresses } from './free-address.js';
import type { Inventory } from './inventory.js';
import { ipv4Text, parseIpv4 } from './ipv4.js';
import { loadInventory, readInventoryText, SITE_NAMES, type Site, tryChange } from './load-inventory.js';
import { expandNodeSet } from './node-set.js';

/** Nodes that shall be. */
export interface NewNodes {
  /** One name, or several in ClusterShell's syntax. */
  readonly names: string;
  /** By default the only one. */
  readonly group?: string;
  /** Of the first node, counted up; by default the next ones that are free. */
  readonly ip?: string;
  readonly network?: string;
  /** As many as names, or none. */
  readonly macs: readonly string[];
  readonly image?: string;
}

/** The inventory with the new nodes; nothing is written yet. */
export interface NodeCreation {
  readonly names: readonly string[];
  readonly group: string;
  /** One for each name. */
  readonly addresses: readonly string[];
  /** nodes.yaml as it was read. */
  readonly before: string;
  /** nodes.yaml as it will be. */
  readonly text: string;
  readonly inventory: Inventory;
}

/**
 * Adds an entry for nodes to the text of nodes.yaml, at the end of `nodes`; every other character stays as it is. The whole
 * inventory is decoded with it.
 * @throws MkrootError InvalidInput with every problem that the nodes would bring; Usage for what is missing.
 */
export function planCreation(fs: FileSystem, site: Site, request: NewNodes): NodeCreation {
  const { names: given, macs } = request;
  const before = readInventoryText(fs, site);
  const inventory = loadInventory(fs, site, new Map([[SITE_NAMES.inventory, before]]));
  const refuse = (why: string, hint: string, exitCode: ExitCode = ExitCode.Usage) =>
    new MkrootError(`Cannot create "${given}": ${why}`, { exitCode, hint });
  const set = expandNodeSet(given);
  if ('problem' in set) throw refuse(set.problem, 'Name one node, or several as in n[005-008].');
  const { names } = set;
  for (const name of names) {
    const known = inventory.nodes.get(name);
    if (known === undefined) continue;
    const place = positionText(known.position());
    const hint = `Change it by: mkroot node set ${name}`;
    throw refuse(`${name} is there already, in ${place}`, hint, ExitCode.InvalidInput);
  }
  const group = request.group ?? (inventory.groups.size === 1 ? [...inventory.groups.keys()][0] : undefined);
  if (group === undefined) {
    const known = [...inventory.groups.keys()].join(', ');
    throw refuse('nothing says which group it is in', `Name one by --group: ${known}`);
  }
  if (macs.length > 0 && macs.length !== names.length) {
    throw refuse(
      `${macs.length} MAC addresses are given for ${names.length} nodes`,
      'Give one for each, or none.',
    );
  }
  const addresses = addressesFor(inventory, request, names.length, group);
  const path = ['nodes', given] as const;
  const values: [field: string, value: unknown][] = [
    ['group', group],
    ['ip', isCountedUp(addresses) ? addresses[0] : addresses],
    ...(macs.length === 0 ? [] : [['mac', macs.length === 1 ? macs[0] : macs] as [string, unknown]]),
    ...(request.image === undefined ? [] : [['image', request.image] as [string, unknown]]),
  ];
  const text = values.reduce(
    (changing, [field, value]) => setInYaml(changing, [...path, field], value),
    before,
  );
  const changes = new Map([[SITE_NAMES.inventory, text]]);
  const after = tryChange(fs, site, `create "${given}"`, changes);
  return { names, group, addresses, before, text, inventory: after };
}

/**
 * Writes nodes.yaml with the new nodes.
 * @throws MkrootError Locked if it is not the one any more that they were planned for.
 */
export function writeCreation(fs: FileSystem, site: Site, { before, text }: NodeCreation): void {
  replaceText(fs, join(site.directory, SITE_NAMES.inventory), before, text);
}

function addressesFor(
  inventory: Inventory,
  { names, ip, network }: NewNodes,
  count: number,
  group: string,
): string[] {
  if (ip === undefined) {
    return freeAddresses(inventory, { names, group, count, ...(network === undefined ? {} : { network }) });
  }
  const first = parseIpv4(ip);
  if (first === undefined) {
    throw new MkrootError(`Cannot create "${names}": "${ip}" is not an IPv4 address`, {
      exitCode: ExitCode.Usage,
      hint: 'Write it as in 10.1.0.1, or leave --ip out to get the next one that is free.',
    });
  }
  return Array.from({ length: count }, (_, index) => ipv4Text(first + index));
}

function isCountedUp(addresses: readonly string[]): boolean {
  const numbers = addresses.map((address) => parseIpv4(address)!);
  return numbers.every((number, index) => number === numbers[0]! + index);
}
