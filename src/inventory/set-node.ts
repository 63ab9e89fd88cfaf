import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { setInYaml } from '../decode/edit-yaml.js';
import { parseYaml } from '../decode/parse-yaml.js';
import { positionText } from '../decode/position.js';
import { valueAt } from '../decode/schema-problems.js';
import { replaceText } from '../decode/write-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { FileSystem } from '../ports/file-system.js';
import type { Inventory } from './inventory.js';
import { loadInventory, readInventoryText, SITE_NAMES, type Site, tryChange } from './load-inventory.js';
import { typedNames } from './node-set.js';
import { resolveNode } from './resolve-node.js';

/** A value of a node, by its field or by `variables.NAME`. */
export interface NodeValue {
  readonly field: string;
  readonly value: string;
}

/** What setting values came to. */
export interface SetNodeResult {
  /** Names of the nodes that are different now. */
  readonly changed: readonly string[];
  /** Where the values stand in nodes.yaml: the entry's key, below nodes or overrides. */
  readonly entry: string;
}

/**
 * Sets values of one node, or of several in ClusterShell's syntax, in nodes.yaml: in the node's own entry where it has one,
 * else in `overrides`. Nothing else in the file changes, and no other node; both are checked before anything is written.
 * @throws MkrootError Usage for names that cannot be read; NotFound for a node that is not there; InvalidInput for a value that does not fit, or when another
 * entry goes before the one that can be written; Locked if somebody changes the file at the same time.
 */
export function setNode(
  fs: FileSystem,
  site: Site,
  nodes: string,
  values: readonly NodeValue[],
): SetNodeResult {
  const path = join(site.directory, SITE_NAMES.inventory);
  const text = readInventoryText(fs, site);
  const inventory = loadInventory(fs, site, new Map([[SITE_NAMES.inventory, text]]));
  const names = typedNames(nodes, 'set values of');
  const before = new Map(names.map((name) => [name, resolveNode(inventory, name).node]));
  const yaml = parseYaml(text, inventory.file, { textFields: [] });
  const own = valueAt(yaml.value, ['nodes', nodes]) !== undefined;
  let refusal: MkrootError | undefined;
  for (const place of own ? ['nodes', 'overrides'] : ['overrides']) {
    const edited = values.reduce(
      (changing, { field, value }) => setInYaml(changing, [place, nodes, ...field.split('.')], value),
      text,
    );
    const changes = new Map([[SITE_NAMES.inventory, edited]]);
    const after = tryChange(fs, site, `set values of "${nodes}"`, changes);
    refusal = overruled(after, names, values);
    if (refusal !== undefined) continue;
    replaceText(fs, path, text, edited);
    const changed = names.filter(
      (name) => !isDeepStrictEqual(before.get(name), resolveNode(after, name).node),
    );
    return { changed, entry: `${place}.${nodes}` };
  }
  throw refusal!;
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
