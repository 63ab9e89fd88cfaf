import { isDeepStrictEqual } from 'node:util';
import { setInYaml } from '../decode/edit-yaml.js';
import { parseYaml } from '../decode/parse-yaml.js';
import { positionText } from '../decode/position.js';
import { valueAt } from '../decode/schema-problems.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { FileSystem } from '../ports/file-system.js';
import { changedTexts, type FileChange, writeChanges } from './change-site.js';
import type { Inventory } from './inventory.js';
import { loadInventory, readInventoryText, SITE_NAMES, type Site, tryChange } from './load-inventory.js';
import { normalizeMac } from './mac.js';
import { typedNames } from './node-set.js';
import { resolveNode } from './resolve-node.js';
import { macChanges } from './set-mac.js';

/** A value of a node, by its field or by `variables.NAME`. */
export interface NodeValue {
  readonly field: string;
  readonly value: string;
}

/** What setting values came to. */
export interface SetNodeResult {
  /** Names of the nodes that are different now. */
  readonly changed: readonly string[];
  /** Where the values stand: the entry's key in nodes.yaml, below nodes or overrides, and the file of a MAC address that stands elsewhere. */
  readonly entry: string;
}

/** What shall be different about a node. */
export interface NodeChanges {
  readonly values?: readonly NodeValue[];
  /** MAC address, of one node only. */
  readonly mac?: string;
}

/**
 * Sets values of one node, or of several in ClusterShell's syntax, in nodes.yaml: in the node's own entry where it has one,
 * else in `overrides`; a MAC address where that stands ({@link macChanges}). Nothing else in the files changes, and no other node;
 * everything is checked before anything is written, and each file is written once.
 * @throws MkrootError Usage for names that cannot be read; NotFound for a node that is not there; InvalidInput for a value that does not fit, or when another
 * entry goes before the one that can be written; Locked if somebody changes a file at the same time.
 */
export function setNode(
  fs: FileSystem,
  site: Site,
  nodes: string,
  { values = [], mac }: NodeChanges,
): SetNodeResult {
  const text = readInventoryText(fs, site);
  const inventory = loadInventory(fs, site, new Map([[SITE_NAMES.inventory, text]]));
  const names = typedNames(nodes, 'set values of');
  const before = new Map(names.map((name) => [name, resolveNode(inventory, name).node]));
  const board = mac === undefined ? undefined : macChanges(fs, site, text, inventory, nodes, mac);
  const { changes = [], places = [] } = board ?? {};
  if (values.length === 0 && changes.length === 0) return { changed: [], entry: nodes };
  const what =
    values.length === 0 ? `set mac of ${nodes} to "${normalizeMac(mac!)}"` : `set values of "${nodes}"`;
  const yaml = parseYaml(text, inventory.file, { textFields: [] });
  const own = valueAt(yaml.value, ['nodes', nodes]) !== undefined;
  let refusal: MkrootError | undefined;
  for (const section of own ? ['nodes', 'overrides'] : ['overrides']) {
    const wanted = withValues(text, changes, [section, nodes], values);
    const after = tryChange(fs, site, what, changedTexts(text, wanted));
    refusal = overruled(after, names, values);
    if (refusal !== undefined) continue;
    writeChanges(fs, site, text, wanted);
    const changed = names.filter(
      (name) => !isDeepStrictEqual(before.get(name), resolveNode(after, name).node),
    );
    const entries = [...places, ...(values.length === 0 ? [] : [`${section}.${nodes}`])];
    return { changed, entry: [...new Set(entries)].join(' and ') };
  }
  throw refusal!;
}

/** Changes of files to which values of an entry of nodes.yaml are added. */
function withValues(
  yaml: string,
  changes: readonly FileChange[],
  entry: readonly [section: string, key: string],
  values: readonly NodeValue[],
): FileChange[] {
  if (values.length === 0) return [...changes];
  const { inventory } = SITE_NAMES;
  const start = changes.find(({ name }) => name === inventory)?.text ?? yaml;
  const text = values.reduce(
    (changing, { field, value }) => setInYaml(changing, [...entry, ...field.split('.')], value),
    start,
  );
  // Last: it may name a CSV file that is written first.
  return [...changes.filter(({ name }) => name !== inventory), { name: inventory, before: yaml, text }];
}

/** Another entry that says something else and is nearer. */
function overruled(
  inventory: Inventory,
  names: readonly string[],
  values: readonly NodeValue[],
): MkrootError | undefined {
  for (const name of names) {
    const { origins } = resolveNode(inventory, name);
    for (const { field, value } of values) {
      const origin = origins.find((one) => one.field === field);
      if (origin === undefined || origin.value === value) continue;
      const place = origin.position === undefined ? '' : ` in ${positionText(origin.position)}`;
      return new MkrootError(
        `Cannot set ${field} of ${name} to "${value}": "${origin.name}"${place} goes before it`,
        { exitCode: ExitCode.InvalidInput, hint: 'Change or remove that entry.' },
      );
    }
  }
  return undefined;
}
