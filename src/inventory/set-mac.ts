import { replaceItemInYaml, setInYaml } from '../decode/edit-yaml.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { type FileChange, readCsvText, shownName, writtenEntries } from './change-site.js';
import type { Inventory } from './inventory.js';
import { SITE_NAMES, type Site } from './load-inventory.js';
import { normalizeMac } from './mac.js';
import { expandNodeSet } from './node-set.js';
import { resolveNode } from './resolve-node.js';
import { importChanges } from './write-import.js';
import { replaceInRows } from './write-rows.js';

/** What gives a node another MAC address: nothing if it has it already. */
export interface MacChanges {
  readonly changes: readonly FileChange[];
  /** Where it stands then: entries of nodes.yaml, such as nodes.n001, and files. */
  readonly places: readonly string[];
}

/**
 * What has to be written to give a node another MAC address, as after a swap of its board: in nodes.yaml or in its CSV file, wherever it
 * has one. A node that has none gets it in its own entry, or in a CSV file where it is one of a range.
 * @param yaml nodes.yaml as it was read, which `inventory` was decoded from.
 * @throws MkrootError NotFound for a node that is not there; Usage for what is no MAC address, or is to be that of several nodes.
 */
export function macChanges(
  fs: ReadFileSystem,
  site: Site,
  yaml: string,
  inventory: Inventory,
  name: string,
  given: string,
): MacChanges {
  const mac = normalizeMac(given);
  if (mac === undefined) {
    throw new MkrootError(`Cannot set mac of ${name} to "${given}": it is no MAC address of a network card`, {
      exitCode: ExitCode.Usage,
      hint: 'Write it as in 52:54:00:12:34:56.',
    });
  }
  const set = expandNodeSet(name);
  if ('names' in set && set.names.length > 1) {
    throw new MkrootError(
      `Cannot set mac of "${name}": these are ${set.names.length} nodes, and it is that of one`,
      {
        exitCode: ExitCode.Usage,
        hint: 'Name one node.',
      },
    );
  }
  const { node } = resolveNode(inventory, name);
  if (node.mac === mac) return { changes: [], places: [] };
  const { entries, csv } = writtenEntries(yaml);
  const entry = entries.find(
    ({ section, names }) => section === 'nodes' && names.includes(name.toLowerCase()),
  );
  const written = (entry?.value as { mac?: unknown } | undefined)?.mac;
  const changes: FileChange[] = [];
  const places: string[] = [];
  if (
    entry !== undefined &&
    (written !== undefined || (node.mac === undefined && entry.names.length === 1))
  ) {
    const text = Array.isArray(written)
      ? replaceItemInYaml(yaml, ['nodes', entry.key, 'mac'], entry.names.indexOf(name.toLowerCase()), mac)
      : setInYaml(yaml, ['nodes', entry.key, 'mac'], mac);
    changes.push({ name: SITE_NAMES.inventory, before: yaml, text });
    places.push(`nodes.${entry.key}`);
  }
  for (const file of csv) {
    const before = readCsvText(fs, site, file) ?? '';
    const text = replaceInRows(before, shownName(site, file), { name, mac });
    if (text === before) continue;
    changes.push({ name: file, before, text });
    places.push(shownName(site, file));
  }
  if (changes.length > 0) return { changes, places };
  const imported = importChanges(fs, site, yaml, [{ name, mac }]);
  return { changes: imported, places: imported.map((change) => shownName(site, change.name)) };
}
