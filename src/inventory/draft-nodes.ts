import type { ParsedYaml } from '../decode/parse-yaml.js';
import { otherPlaceText, type Position, type ValuePath } from '../decode/position.js';
import { valueAt } from '../decode/schema-problems.js';
import type { Complaints } from './complaints.js';
import type { Given, SettingsSource } from './inventory.js';
import { HOSTNAME, type InventoryDocument, type NodeDocument } from './inventory-schema.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';
import type { NodeRow } from './node-rows.js';
import { expandNodeSet } from './node-set.js';

/** A node while its values are gathered from nodes.yaml and CSV files. */
export interface DraftNode {
  readonly name: string;
  readonly position: () => Position;
  /** Only a row of a CSV file names it. */
  readonly isRow?: true;
  group?: Given<string>;
  ip?: Given<number>;
  mac?: Given<string>;
  /** The nearest first. */
  readonly sources: SettingsSource[];
  /** Fields that are there but not usable, so that their absence is no second problem. */
  readonly faulty: Set<string>;
}

/** Nodes by name in lower case: host names know no case (RFC 1123). */
export type DraftNodes = Map<string, DraftNode>;

/** The nodes of `nodes`, with their names and addresses expanded. */
export function draftNodes(
  documents: InventoryDocument['nodes'],
  yaml: ParsedYaml,
  complaints: Complaints,
): DraftNodes {
  const drafts: DraftNodes = new Map();
  for (const [key, document] of Object.entries(documents)) {
    const path = ['nodes', key];
    const position = () => yaml.keyPosition(['nodes'], key);
    const names = expandNames(key, position, complaints);
    const source = settingsSource(key, document, yaml, path);
    const faulty = new Set(
      (['group', 'ip', 'mac'] as const).filter(
        (field) => document[field] === undefined && valueAt(yaml.value, [...path, field]) !== undefined,
      ),
    );
    const group = given(document.group, () => yaml.position([...path, 'group']));
    const ips = expandAddresses(document.ip, names.length, yaml, path, complaints);
    const macs = expandMacs(document.mac, names.length, yaml, path, complaints);
    names.forEach((name, index) => {
      const known = drafts.get(name.toLowerCase());
      if (known !== undefined) {
        const place = otherPlaceText(known.position(), position());
        complaints.addForNode('name', position(), `${name} is there already, in ${place}`, 'duplicate-name');
        return;
      }
      const ip = ips?.[index];
      const mac = macs?.[index];
      drafts.set(name.toLowerCase(), {
        name,
        position,
        ...(group === undefined ? {} : { group }),
        ...(ip === undefined ? {} : { ip }),
        ...(mac === undefined ? {} : { mac }),
        sources: [source],
        faulty: ips === undefined && document.ip !== undefined ? new Set([...faulty, 'ip']) : faulty,
      });
    });
  }
  return drafts;
}

/** Rows of CSV files complete the nodes of their names, or are nodes by themselves. */
export function addRows(drafts: DraftNodes, rows: readonly NodeRow[], complaints: Complaints): void {
  const seen = new Map<string, () => Position>();
  for (const { name, group, ip, mac, source, faulty } of rows) {
    const key = name.value.toLowerCase();
    const before = seen.get(key);
    if (before !== undefined) {
      const place = otherPlaceText(before(), name.position());
      complaints.add(name.position(), `${name.value} is there already, in ${place}`, 'duplicate-name');
      continue;
    }
    seen.set(key, name.position);
    let draft = drafts.get(key);
    if (draft === undefined) {
      draft = { name: name.value, position: name.position, isRow: true, sources: [], faulty: new Set() };
      drafts.set(key, draft);
    }
    for (const [field, value] of Object.entries({ group, ip, mac } as const)) {
      const known = draft[field as 'group' | 'ip' | 'mac'];
      if (value === undefined || known === undefined || value.value === known.value) continue;
      const place = otherPlaceText(known.position(), value.position());
      complaints.add(value.position(), `${field} of ${name.value} is given already, in ${place}`);
    }
    if (group !== undefined) draft.group ??= group;
    if (ip !== undefined) draft.ip ??= ip;
    if (mac !== undefined) draft.mac ??= mac;
    for (const field of faulty) draft.faulty.add(field);
    draft.sources.unshift(source);
  }
}

/** `overrides`, which stand above everything else that is said about a node. Returns them for further checks. */
export function addOverrides(
  drafts: DraftNodes,
  documents: InventoryDocument['overrides'],
  yaml: ParsedYaml,
  complaints: Complaints,
): SettingsSource[] {
  return Object.entries(documents).map(([key, document]) => {
    const position = () => yaml.keyPosition(['overrides'], key);
    const source = settingsSource(key, document, yaml, ['overrides', key]);
    for (const name of expandNames(key, position, complaints)) {
      const draft = drafts.get(name.toLowerCase());
      if (draft !== undefined) draft.sources.unshift(source);
      else {
        const names = [...drafts.values()].map((one) => one.name);
        const near = complaints.suggestion(name, names);
        complaints.addForNode(
          'unknown',
          position(),
          `overrides "${key}": there is no node ${name}${near}`,
          'unknown-name',
        );
      }
    }
    return source;
  });
}

function settingsSource(
  name: string,
  settings: NodeDocument,
  yaml: ParsedYaml,
  path: ValuePath,
): SettingsSource {
  return { level: 'node', name, settings, position: (below) => yaml.position([...path, ...below]) };
}

function given<T>(value: T | undefined, position: () => Position): Given<T> | undefined {
  return value === undefined ? undefined : { value, position };
}

function expandNames(key: string, position: () => Position, complaints: Complaints): readonly string[] {
  const set = expandNodeSet(key);
  if ('problem' in set) {
    complaints.add(position(), `"${key}": ${set.problem}`);
    return [];
  }
  return set.names.filter((name) => {
    if (HOSTNAME.test(name)) return true;
    complaints.addForNode(
      'hostname',
      position(),
      `"${name}" is not a host name (letters, digits and hyphens, at most 63, without a domain)`,
    );
    return false;
  });
}

/** One address for each of `count` nodes; undefined where there are none, or where they are not usable. */
function expandAddresses(
  ip: NodeDocument['ip'],
  count: number,
  yaml: ParsedYaml,
  path: ValuePath,
  complaints: Complaints,
): Given<number>[] | undefined {
  if (ip === undefined || count === 0) return undefined;
  const field = [...path, 'ip'];
  const items =
    typeof ip === 'string'
      ? [{ text: ip, position: () => yaml.position(field) }]
      : ip.map((text, index) => ({ text, position: () => yaml.position([...field, index]) }));
  const addresses: Given<number>[] = [];
  for (const { text, position } of items) {
    const set = expandNodeSet(text);
    if ('problem' in set) {
      complaints.add(position(), `ip "${text}": ${set.problem}`);
      return undefined;
    }
    for (const name of set.names) {
      const value = parseIpv4(name);
      if (value === undefined) {
        complaints.add(position(), `ip "${name}" is not an IPv4 address, such as 10.1.0.1`);
        return undefined;
      }
      addresses.push({ value, position });
    }
  }
  const [first] = addresses;
  if (typeof ip === 'string' && addresses.length === 1 && first !== undefined) {
    return Array.from({ length: count }, (_, index) => ({ ...first, value: first.value + index }));
  }
  if (addresses.length === count) return addresses;
  complaints.add(
    yaml.position(field),
    `ip has ${counted(addresses.length, 'address', 'es')} for ${counted(count, 'node')}`,
  );
  return undefined;
}

function expandMacs(
  mac: NodeDocument['mac'],
  count: number,
  yaml: ParsedYaml,
  path: ValuePath,
  complaints: Complaints,
): Given<string>[] | undefined {
  if (mac === undefined || count === 0) return undefined;
  const field = [...path, 'mac'];
  const macs =
    typeof mac === 'string'
      ? [{ value: normalizeMac(mac)!, position: () => yaml.position(field) }]
      : mac.map((text, index) => ({
          value: normalizeMac(text)!,
          position: () => yaml.position([...field, index]),
        }));
  if (macs.length === count) return macs;
  complaints.add(
    yaml.position(field),
    `mac has ${counted(macs.length, 'address', 'es')} for ${counted(count, 'node')}; give as many in a list, or put them into a CSV file`,
  );
  return undefined;
}

function counted(count: number, noun: string, plural = 's'): string {
  return `${count} ${noun}${count === 1 ? '' : plural}`;
}
