import { dirname, isAbsolute, join } from 'node:path';
import { decodeDocument } from '../decode/decode-document.js';
import { type ParsedYaml, parseYaml } from '../decode/parse-yaml.js';
import type { ValuePath } from '../decode/position.js';
import { problemReport } from '../decode/problem.js';
import { valueAt } from '../decode/schema-problems.js';
import { checkReferences, type KnownNames } from './check-references.js';
import { Complaints } from './complaints.js';
import { decodeNetworks } from './decode-networks.js';
import { addOverrides, addRows, draftNodes } from './draft-nodes.js';
import type { Group, Inventory, SettingsSource } from './inventory.js';
import { inventoryJsonSchema } from './inventory-json-schema.js';
import { type InventoryDocument, inventorySchema, type Settings } from './inventory-schema.js';
import type { Server } from './node.js';
import { decodeRows, type NodeRow } from './node-rows.js';
import { placeNodes } from './place-nodes.js';

/** What decoding needs to know from outside the text. */
export interface InventoryContext {
  /** nodes.yaml as the user knows it, for messages. */
  readonly file: string;
  /** Names of images that nodes may boot. */
  readonly images: readonly string[];
  /** Names of directories in overlays/, for hints. */
  readonly overlays: readonly string[];
  overlayExists(name: string): boolean;
  /** The text of a file that `csv` names, relative to nodes.yaml; undefined if there is none. */
  readCsv(name: string): string | undefined;
}

/**
 * Decodes the text of nodes.yaml and the CSV files that it names.
 * @throws MkrootError (InvalidInput) whose details list every problem as `file:line:column: what`.
 */
export function decodeInventory(text: string, context: InventoryContext): Inventory {
  const { file } = context;
  const yaml = parseYaml(text, file, { textFields: ['mac', 'ip', 'nfsVersion', 'size', 'inodes', 'name'] });
  const complaints = new Complaints();
  for (const { position, message } of yaml.problems) complaints.add(position, message);
  const report = () => {
    const hint = 'Every field is explained in docs/inventory-reference.md.';
    return problemReport({ what: 'inventory', file, hint }, complaints.problems());
  };
  // In a document that is not YAML, what else seems to be wrong only hides the cause.
  if (!yaml.wellFormed) throw report();
  const { value: document, problems } = decodeDocument(inventorySchema, {
    yaml,
    schema: inventoryJsonSchema,
    whole: 'the inventory',
  });
  for (const { position, message, rule } of problems) complaints.add(position, message, rule);
  if (document === undefined) throw report();
  const inventory = assemble(document, yaml, context, complaints);
  if (complaints.problems().length > 0) throw report();
  yaml.release();
  return inventory;
}

function assemble(
  document: InventoryDocument,
  yaml: ParsedYaml,
  context: InventoryContext,
  complaints: Complaints,
): Inventory {
  const { cluster: clusterDocument } = document;
  const source = (level: SettingsSource['level'], name: string, settings: Settings, path: ValuePath) => ({
    level,
    name,
    settings,
    position: (below: ValuePath) => yaml.position([...path, ...below]),
  });
  const {
    domain,
    dns,
    ntp,
    report,
    bootLoader,
    servers: serverDocuments,
    ...clusterSettings
  } = clusterDocument;
  const cluster = source('cluster', '', clusterSettings, ['cluster']);
  const servers = decodeServers(serverDocuments, yaml, complaints);
  const groups = new Map<string, Group>(
    Object.entries(document.groups).map(([name, { description, ...settings }]) => [
      name,
      {
        name,
        ...(description === undefined ? {} : { description }),
        source: source('group', name, settings, ['groups', name]),
      },
    ]),
  );
  const { networks, problems } = decodeNetworks(document.networks, yaml);
  for (const { position, message } of problems) complaints.add(position, message, 'bad-network');

  const drafts = draftNodes(document.nodes, yaml, complaints);
  const rows = readRows(document, yaml, context, complaints);
  addRows(drafts, rows, complaints);
  const overrides = addOverrides(drafts, document.overrides, yaml, complaints);
  const written = (field: string) => new Set(Object.keys(asMapping(valueAt(yaml.value, [field]))));
  const known: KnownNames = {
    images: new Set(context.images),
    networks: written('networks'),
    servers: new Set(Object.keys(asMapping(valueAt(yaml.value, ['cluster', 'servers'])))),
    hasNfsServer: [...servers.values()].some(({ roles }) => roles.includes('nfs')),
    overlayExists: (name) => context.overlayExists(name),
    overlays: context.overlays,
  };
  const sources = [
    cluster,
    ...[...groups.values()].map((group) => group.source),
    ...Object.entries(document.nodes).map(([key, settings]) => source('node', key, settings, ['nodes', key])),
    ...rows.map((row) => row.source),
    ...overrides,
  ];
  for (const one of sources) checkReferences(one, known, complaints);
  const nodes = placeNodes(
    drafts,
    {
      cluster,
      groups,
      groupNames: written('groups'),
      networks,
      allNetworks: networks.length === known.networks.size,
      servers,
    },
    complaints,
  );
  const withRole = (role: 'dns' | 'ntp') =>
    [...servers.values()].filter(({ roles }) => roles.includes(role)).map(({ address }) => address);
  return {
    file: context.file,
    ...(domain === undefined ? {} : { domain }),
    ...(bootLoader === undefined ? {} : { bootLoader }),
    dns: dns ?? withRole('dns'),
    ntp: ntp ?? withRole('ntp'),
    report,
    servers,
    networks: new Map(networks.map(({ network }) => [network.name, network])),
    groups,
    nodes,
    cluster,
    csv: csvNames(document),
    position: (path) => yaml.position(path),
  };
}

function decodeServers(
  documents: InventoryDocument['cluster']['servers'],
  yaml: ParsedYaml,
  complaints: Complaints,
): Map<string, Server> {
  const servers = new Map<string, Server>();
  for (const [name, document] of Object.entries(documents)) {
    const same = [...servers.values()].find(({ address }) => address === document.address);
    if (same !== undefined) {
      complaints.add(
        yaml.position(['cluster', 'servers', name, 'address']),
        `address ${document.address} is that of server ${same.name}, too; give one of them all roles`,
        'duplicate-address',
      );
    }
    servers.set(name, { name, ...document });
  }
  return servers;
}

function readRows(
  document: InventoryDocument,
  yaml: ParsedYaml,
  context: InventoryContext,
  complaints: Complaints,
): NodeRow[] {
  return csvNames(document).flatMap((name, index) => {
    const text = context.readCsv(name);
    if (text === undefined) {
      const position = yaml.position(typeof document.csv === 'string' ? ['csv'] : ['csv', index]);
      complaints.add(
        position,
        `csv "${name}" does not exist (relative paths start at nodes.yaml)`,
        'missing-file',
      );
      return [];
    }
    return decodeRows(text, isAbsolute(name) ? name : join(dirname(context.file), name), complaints);
  });
}

function csvNames({ csv = [] }: InventoryDocument): readonly string[] {
  return typeof csv === 'string' ? [csv] : csv;
}

function asMapping(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
