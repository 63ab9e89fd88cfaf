import { isAbsolute, join } from 'node:path';
import { parseYaml } from '../decode/parse-yaml.js';
import { readText } from '../decode/read-text.js';
import { valueAt } from '../decode/schema-problems.js';
import { replaceText, requireUnchanged } from '../decode/write-text.js';
import { toBytePath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import type { Inventory } from './inventory.js';
import { SITE_NAMES, type Site, sitePath, tryChange } from './load-inventory.js';
import { expandNodeSet } from './node-set.js';

/** A file of a site that shall have another text. */
export interface FileChange {
  /** As nodes.yaml names it. */
  readonly name: string;
  /** The text that was read; undefined if there is no such file. */
  readonly before: string | undefined;
  readonly text: string;
}

/** An entry of `nodes` or `overrides`, as it stands in nodes.yaml. */
export interface WrittenEntry {
  readonly section: 'nodes' | 'overrides';
  readonly key: string;
  /** Names that the key stands for, in lower case. */
  readonly names: readonly string[];
  readonly value: unknown;
}

/** What is written in nodes.yaml about nodes, without a check. */
export function writtenEntries(yaml: string): { entries: WrittenEntry[]; csv: string[] } {
  const { value } = parseYaml(yaml, SITE_NAMES.inventory, { textFields: [] });
  const entries = (['nodes', 'overrides'] as const).flatMap((section) =>
    Object.entries(valueAt(value, [section]) ?? {}).map(([key, entry]) => {
      const set = expandNodeSet(key);
      const names = 'names' in set ? set.names.map((name) => name.toLowerCase()) : [];
      return { section, key, names, value: entry as unknown };
    }),
  );
  const csv = [valueAt(value, ['csv'])].flat().filter((name) => typeof name === 'string');
  return { entries, csv };
}

/** The text of a CSV file of the site; undefined if there is none. */
export function readCsvText(fs: ReadFileSystem, site: Site, name: string): string | undefined {
  const path = pathOf(site, name);
  return fs.lstat(toBytePath(path)) === undefined ? undefined : readText(fs, 'inventory', path);
}

/** A file of the site as the user knows it. */
export function shownName(site: Site, name: string): string {
  return isAbsolute(name) ? name : sitePath(site, name);
}

/**
 * Writes files of a site in their order, after the inventory has been decoded as it will be.
 * @param what What is done, for the message: "create "n1"".
 * @param yaml nodes.yaml as it was read, for what is changed may be right with that one only.
 * @throws MkrootError InvalidInput with every problem that the inventory would have; Locked if somebody has saved one of the
 * files or nodes.yaml since. Nothing is written then.
 */
export function changeSite(
  fs: FileSystem,
  site: Site,
  what: string,
  yaml: string,
  changes: readonly FileChange[],
): Inventory {
  const after = tryChange(fs, site, what, changedTexts(yaml, changes));
  writeChanges(fs, site, yaml, changes);
  return after;
}

/** Texts of the files that {@link tryChange} decodes. */
export function changedTexts(yaml: string, changes: readonly FileChange[]): Map<string, string> {
  return new Map([[SITE_NAMES.inventory, yaml], ...changes.map(({ name, text }) => [name, text] as const)]);
}

/**
 * Writes files of a site in their order, after it was tried what the inventory will be.
 * @throws MkrootError Locked if somebody has saved one of the files or nodes.yaml since.
 */
export function writeChanges(fs: FileSystem, site: Site, yaml: string, changes: readonly FileChange[]): void {
  requireUnchanged(fs, pathOf(site, SITE_NAMES.inventory), yaml);
  for (const { name, before, text } of changes) replaceText(fs, pathOf(site, name), before, text);
}

function pathOf({ directory }: Site, name: string): string {
  return isAbsolute(name) ? name : join(directory, name);
}
