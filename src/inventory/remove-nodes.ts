import { removeFromYaml } from '../decode/edit-yaml.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { FileSystem } from '../ports/file-system.js';
import { changeSite, type FileChange, readCsvText, shownName, writtenEntries } from './change-site.js';
import { loadInventory, readInventoryText, SITE_NAMES, type Site } from './load-inventory.js';
import { expandNodeSet } from './node-set.js';
import { resolveNode } from './resolve-node.js';
import { removeRows } from './write-rows.js';

/** What removing nodes came to. */
export interface RemoveResult {
  readonly names: readonly string[];
  /** Files that were changed, as the user knows them. */
  readonly files: readonly string[];
}

/**
 * Takes nodes out of nodes.yaml (their entries in `nodes` and `overrides`) and out of its CSV files. Everything else there stays,
 * comments too.
 * @param given Names, each one node or several in ClusterShell's syntax.
 * @throws MkrootError NotFound for a node that is not there; InvalidInput for one of a range of which others stay, which only a
 * person can write anew; Locked if somebody changes the files at the same time.
 */
export function removeNodes(fs: FileSystem, site: Site, given: readonly string[]): RemoveResult {
  const yaml = readInventoryText(fs, site);
  const inventory = loadInventory(fs, site, new Map([[SITE_NAMES.inventory, yaml]]));
  const names = [...new Set(given.flatMap(namesIn))];
  for (const name of names) resolveNode(inventory, name);
  const gone = new Set(names.map((name) => name.toLowerCase()));
  const { entries, csv } = writtenEntries(yaml);
  let text = yaml;
  for (const { section, key, names: members } of entries) {
    const first = members.find((name) => gone.has(name));
    if (first === undefined) continue;
    if (!members.every((name) => gone.has(name))) throw partOfRange(first, section, key, inventory.file);
    text = removeFromYaml(text, [section, key]);
  }
  const changes: FileChange[] = csv.flatMap((name) => {
    const before = readCsvText(fs, site, name);
    if (before === undefined) return [];
    const rows = removeRows(before, shownName(site, name), gone);
    return rows === before ? [] : [{ name, before, text: rows }];
  });
  if (text !== yaml) changes.push({ name: SITE_NAMES.inventory, before: yaml, text });
  changeSite(fs, site, `remove "${given.join(' ')}"`, yaml, changes);
  return { names, files: changes.map(({ name }) => shownName(site, name)) };
}

function namesIn(given: string): readonly string[] {
  const set = expandNodeSet(given);
  if ('names' in set) return set.names;
  throw new MkrootError(`Cannot remove "${given}": ${set.problem}`, { exitCode: ExitCode.Usage });
}

function partOfRange(name: string, section: string, key: string, file: string): MkrootError {
  return new MkrootError(
    `Cannot remove "${name}": it is one of "${key}" in ${section} of ${file}, and others of it stay`,
    {
      exitCode: ExitCode.InvalidInput,
      hint:
        section === 'nodes'
          ? 'Write that entry without it, its address too, as in: n[001-002,004-128]: { ip: 10.1.1.[1-2,4-128] }. Nothing has been written.'
          : 'Write that entry without it. Nothing has been written.',
    },
  );
}
