import { MkrootError } from '../errors.js';
import type { NetbootSite } from '../netboot/netboot-site.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';

/** Version of the layout of the record; a reader refuses another one. */
const FORMAT = 1;

/** What was published last: `STATE/published.json`. Boot files and server configuration follow from it alone. */
export interface PublishedRecord {
  /** When (ISO 8601, UTC). */
  readonly at: string;
  /** True while boot files are being written; it stays so if that is interrupted. */
  readonly unfinished: boolean;
  /** Absent before the first publish has ended. */
  readonly site?: NetbootSite;
  /** Name of the server that the tree is for, if one was given. */
  readonly server?: string;
  /**
   * Directories of generations and of versions of layers that boot files named and do not name any more, and since when
   * (ISO 8601, UTC): running nodes may still have them mounted.
   */
  readonly retired: Readonly<Record<BytePath, string>>;
}

/** Where what nodes boot is published: TFTP serves STATE/netboot/tftp. */
export function publishedTree(state: BytePath): BytePath {
  return `${state}/netboot`;
}

function recordPath(state: BytePath): BytePath {
  return `${state}/published.json`;
}

/**
 * Reads the record; undefined if nothing was ever published.
 * @throws MkrootError for one that is damaged, or of another version of mkroot.
 */
export function readRecord(fs: ReadFileSystem, state: BytePath): PublishedRecord | undefined {
  const path = recordPath(state);
  if (fs.lstat(path) === undefined) return undefined;
  try {
    const { format, ...record } = JSON.parse(Buffer.from(fs.readFile(path)).toString('utf8')) as {
      format: unknown;
    } & PublishedRecord;
    if (format !== FORMAT || typeof record.retired !== 'object') throw new Error('its format is another one');
    return record;
  } catch (cause) {
    throw new MkrootError(`Cannot read "${displayPath(path)}": it is no record of what was published`, {
      hint: 'Move it away and publish again; what running nodes use is then not known to `mkroot gc`.',
      cause,
    });
  }
}

/** Replaces the record in one step. */
export function writeRecord(fs: FileSystem, state: BytePath, record: PublishedRecord): void {
  fs.writeFile(recordPath(state), `${JSON.stringify({ format: FORMAT, ...record }, null, 1)}\n`, 0o600);
}

/** Removes what a run that was killed left beside the record and beside the tree's list. Only for the holder of the lock. */
export function removeUnfinishedRecords(fs: FileSystem, state: BytePath): void {
  for (const directory of [state, publishedTree(state)]) {
    if (fs.lstat(directory) === undefined) continue;
    for (const name of fs.readdir(directory)) {
      if (/^(published\.json|\.mkroot-tree\.json)\.tmp-\d+-\d+$/.test(name))
        fs.remove(`${directory}/${name}`);
    }
  }
}

/** Directories of generations and of versions of layers that a site's boot files name. */
export function referencesOf(site: NetbootSite | undefined): Set<BytePath> {
  const references = new Set<BytePath>();
  for (const { boot } of site?.nodes ?? []) {
    const { base, cluster = [], host } = boot.parameters;
    for (const location of [base, ...cluster, host]) {
      if (location !== undefined) references.add(parentOf(location.path));
    }
  }
  return references;
}

/** GENERATION/root and VERSION/layer: what belongs together lies beside it. */
function parentOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The record of a publish that begins: whatever it names may be booted from now on, even if it does not end. */
export function begunRecord(
  before: PublishedRecord | undefined,
  site: NetbootSite,
  at: string,
): PublishedRecord {
  const named = [...referencesOf(site)].map((path): [BytePath, string] => [path, at]);
  return {
    ...before,
    at,
    unfinished: true,
    retired: { ...before?.retired, ...Object.fromEntries(named) },
  };
}

/** The record of a publish that has ended: what boot files named before it and do not name now is retired. */
export function finishedRecord(
  begun: PublishedRecord,
  site: NetbootSite,
  server: string | undefined,
): PublishedRecord {
  const used = referencesOf(site);
  const named = [...referencesOf(begun.site)].map((path): [BytePath, string] => [path, begun.at]);
  const retired = Object.entries({ ...begun.retired, ...Object.fromEntries(named) })
    .filter(([path]) => !used.has(path))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    at: begun.at,
    unfinished: false,
    site,
    ...(server === undefined ? {} : { server }),
    retired: Object.fromEntries(retired),
  };
}
