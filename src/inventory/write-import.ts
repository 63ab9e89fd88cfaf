import { isAbsolute, join } from 'node:path';
import { setInYaml } from '../decode/edit-yaml.js';
import { parseYaml } from '../decode/parse-yaml.js';
import { readText } from '../decode/read-text.js';
import { valueAt } from '../decode/schema-problems.js';
import { replaceText, requireUnchanged } from '../decode/write-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import { toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import { parseCsv } from './csv.js';
import type { ImportedNode } from './import-nodes.js';
import { readInventoryText, SITE_NAMES, type Site, sitePath, tryChange } from './load-inventory.js';
import { writeRows } from './write-rows.js';

/**
 * Writes imported nodes into the first CSV file that nodes.yaml names, or into nodes.csv, which nodes.yaml then names. The
 * outcome is decoded before anything is written.
 * @returns The files that were written, as the user knows them.
 * @throws MkrootError InvalidInput with every problem that the inventory would have then, or where there is a nodes.csv that
 * nodes.yaml does not name; Locked if somebody changes one of the
 * files at the same time.
 */
export function writeImport(fs: FileSystem, site: Site, nodes: readonly ImportedNode[]): string[] {
  const yaml = readInventoryText(fs, site);
  const { value } = parseYaml(yaml, SITE_NAMES.inventory, { textFields: [] });
  const named = [valueAt(value, ['csv'])].flat().find((name) => typeof name === 'string');
  const csv = named ?? SITE_NAMES.csv;
  const path = (name: string) => (isAbsolute(name) ? name : join(site.directory, name));
  const shown = isAbsolute(csv) ? csv : sitePath(site, csv);
  const before =
    fs.lstat(toBytePath(path(csv))) === undefined ? undefined : readText(fs, 'inventory', path(csv));
  const wanted = nodes.map(({ line, ...row }) => ({ ...row }));
  const rows = writeRows(before ?? '', shown, wanted);
  // Rows that stood in it would count all of a sudden. Its own are those of an import that was killed before it named the file.
  if (
    named === undefined &&
    before !== undefined &&
    parseCsv(before, shown).rows.length > 0 &&
    rows !== before
  ) {
    throw new MkrootError(
      `Cannot add nodes to "${shown}": it is there with rows that do not count, as nodes.yaml does not name it`,
      {
        exitCode: ExitCode.InvalidInput,
        hint: `If they shall count, write into nodes.yaml: csv: ${csv}; otherwise rename the file. Nothing has been written.`,
      },
    );
  }
  const changes = [{ name: csv, before, text: rows }];
  if (named === undefined) {
    changes.push({ name: SITE_NAMES.inventory, before: yaml, text: setInYaml(yaml, ['csv'], csv) });
  }
  const texts = new Map([
    [SITE_NAMES.inventory, yaml],
    ...changes.map(({ name, text }) => [name, text] as const),
  ]);
  tryChange(fs, site, `add nodes to "${shown}"`, texts);
  // Rows that were written for another nodes.yaml would not be the ones that were checked.
  requireUnchanged(fs, path(SITE_NAMES.inventory), yaml);
  for (const change of changes) replaceText(fs, path(change.name), change.before, change.text);
  return changes.map(({ name }) => (isAbsolute(name) ? name : sitePath(site, name)));
}
