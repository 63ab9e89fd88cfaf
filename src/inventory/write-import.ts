import { setInYaml } from '../decode/edit-yaml.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import { changeSite, type FileChange, readCsvText, shownName, writtenEntries } from './change-site.js';
import { parseCsv } from './csv.js';
import type { ImportedNode } from './import-nodes.js';
import { readInventoryText, SITE_NAMES, type Site } from './load-inventory.js';
import { writeRows } from './write-rows.js';

/**
 * Writes imported nodes into the first CSV file that nodes.yaml names, or into nodes.csv, which nodes.yaml then names. The
 * outcome is decoded before anything is written.
 * @returns The files that were written, as the user knows them.
 * @throws MkrootError InvalidInput with every problem that the inventory would have then, or where there is a nodes.csv that
 * nodes.yaml does not name; Locked if somebody changes one of the files at the same time.
 */
export function writeImport(
  fs: FileSystem,
  site: Site,
  nodes: readonly Omit<ImportedNode, 'line'>[],
): string[] {
  const yaml = readInventoryText(fs, site);
  const changes = importChanges(fs, site, yaml, nodes);
  changeSite(fs, site, `add nodes to "${shownName(site, changes[0]!.name)}"`, yaml, changes);
  return changes.map(({ name }) => shownName(site, name));
}

/**
 * What {@link writeImport} would write: the CSV file first, then nodes.yaml if it does not name that one yet.
 * @param yaml nodes.yaml as it was read.
 */
export function importChanges(
  fs: ReadFileSystem,
  site: Site,
  yaml: string,
  nodes: readonly Omit<ImportedNode, 'line'>[],
): FileChange[] {
  const [named] = writtenEntries(yaml).csv;
  const csv = named ?? SITE_NAMES.csv;
  const shown = shownName(site, csv);
  const before = readCsvText(fs, site, csv);
  const wanted = nodes.map(({ name, mac, ip, group }) => ({
    name,
    mac,
    ...(ip === undefined ? {} : { ip }),
    ...(group === undefined ? {} : { group }),
  }));
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
  const changes: FileChange[] = [{ name: csv, before, text: rows }];
  if (named === undefined) {
    changes.push({ name: SITE_NAMES.inventory, before: yaml, text: setInYaml(yaml, ['csv'], csv) });
  }
  return changes;
}
