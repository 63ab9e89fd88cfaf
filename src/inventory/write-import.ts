import { isAbsolute, join } from 'node:path';
import { setInYaml } from '../decode/edit-yaml.js';
import { parseYaml } from '../decode/parse-yaml.js';
import { readText } from '../decode/read-text.js';
import { valueAt } from '../decode/schema-problems.js';
import { writeText } from '../decode/write-text.js';
import { toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { ImportedNode } from './import-nodes.js';
import { SITE_NAMES, type Site, sitePath, tryChange } from './load-inventory.js';
import { writeRows } from './write-rows.js';

/**
 * Writes imported nodes into the first CSV file that nodes.yaml names, or into nodes.csv, which nodes.yaml then names. The
 * outcome is decoded before anything is written.
 * @returns The files that were written, as the user knows them.
 * @throws MkrootError InvalidInput with every problem that the inventory would have then.
 */
export function writeImport(fs: FileSystem, site: Site, nodes: readonly ImportedNode[]): string[] {
  const text = readText(fs, 'inventory', join(site.directory, SITE_NAMES.inventory));
  const { value } = parseYaml(text, SITE_NAMES.inventory, { textFields: [] });
  const named = [valueAt(value, ['csv'])].flat().find((name) => typeof name === 'string');
  const csv = named ?? SITE_NAMES.csv;
  const path = (name: string) => (isAbsolute(name) ? name : join(site.directory, name));
  const shown = isAbsolute(csv) ? csv : sitePath(site, csv);
  const present = fs.lstat(toBytePath(path(csv))) !== undefined;
  const rows = writeRows(
    present ? readText(fs, 'inventory', path(csv)) : '',
    shown,
    nodes.map(({ line, ...row }) => ({ ...row })),
  );
  const changed = new Map([[csv, rows]]);
  if (named === undefined) changed.set(SITE_NAMES.inventory, setInYaml(text, ['csv'], csv));
  tryChange(fs, site, `add nodes to "${shown}"`, changed);
  for (const [name, content] of changed) {
    writeText(fs, path(name), content);
  }
  return [...changed.keys()].map((name) => (isAbsolute(name) ? name : sitePath(site, name)));
}
