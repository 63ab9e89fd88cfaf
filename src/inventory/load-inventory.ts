import { isAbsolute, join } from 'node:path';
import { readText } from '../decode/read-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import { displayPath, toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { decodeInventory } from './decode-inventory.js';
import type { Inventory } from './inventory.js';

/** A directory that describes a cluster: nodes.yaml, CSV files that it names, recipes/ and overlays/. */
export interface Site {
  /** Absolute. */
  readonly directory: string;
  /** Directory that the user's relative paths start from; messages are shorter below it. */
  readonly workingDirectory: string;
  /** Names of the images that nodes may boot. */
  readonly images: readonly string[];
}

/** The names of what a site consists of. */
export const SITE_NAMES = {
  inventory: 'nodes.yaml',
  csv: 'nodes.csv',
  recipes: 'recipes',
  overlays: 'overlays',
} as const;

/** Absolute path of something in a site, as the user knows it when it lies below the working directory. */
export function sitePath({ directory, workingDirectory }: Site, name: string): string {
  const path = join(directory, name);
  return path.startsWith(`${workingDirectory}/`) ? path.slice(workingDirectory.length + 1) : path;
}

/**
 * Loads the inventory of a site.
 * @param changed Texts to take instead of what is on disk, by name relative to the site: to try a change before it is made.
 * @throws MkrootError NotFound without a nodes.yaml; InvalidInput with every problem.
 */
export function loadInventory(
  fs: ReadFileSystem,
  site: Site,
  changed: ReadonlyMap<string, string> = new Map(),
): Inventory {
  const overlays = join(site.directory, SITE_NAMES.overlays);
  const isDirectory = (directory: string) => {
    const kind = fs.lstat(toBytePath(directory))?.kind;
    return kind === 'directory' || kind === 'symlink';
  };
  return decodeInventory(changed.get(SITE_NAMES.inventory) ?? readInventoryText(fs, site), {
    file: sitePath(site, SITE_NAMES.inventory),
    images: site.images,
    overlays: isDirectory(overlays) ? fs.readdir(toBytePath(overlays)).map(displayPath) : [],
    overlayExists: (name) => isDirectory(join(overlays, name)),
    readCsv: (name) => {
      const text = changed.get(name);
      if (text !== undefined) return text;
      const csv = isAbsolute(name) ? name : join(site.directory, name);
      return fs.lstat(toBytePath(csv)) === undefined ? undefined : readText(fs, 'inventory', csv);
    },
  });
}

/**
 * The text of a site's nodes.yaml.
 * @throws MkrootError NotFound without one.
 */
export function readInventoryText(fs: ReadFileSystem, site: Site): string {
  const path = join(site.directory, SITE_NAMES.inventory);
  if (fs.lstat(toBytePath(path)) === undefined) {
    throw new MkrootError(`Cannot find the inventory "${path}": there is no such file`, {
      exitCode: ExitCode.NotFound,
      hint: 'Name the directory by --site DIR, or make one by: mkroot init DIR',
    });
  }
  return readText(fs, 'inventory', path);
}

/**
 * The inventory as it would be after a change that is not made yet.
 * @throws MkrootError (InvalidInput) that says what the change was and every problem that it would bring.
 */
export function tryChange(
  fs: ReadFileSystem,
  site: Site,
  what: string,
  changed: ReadonlyMap<string, string>,
): Inventory {
  try {
    return loadInventory(fs, site, changed);
  } catch (cause) {
    if (!(cause instanceof MkrootError)) throw cause;
    const problems = cause.details.map((line) => line.replace(/^ *\S*?:\d+:\d+: /, '  '));
    throw new MkrootError(`Cannot ${what}: the inventory would not be usable`, {
      exitCode: cause.exitCode,
      details: problems,
      hint: 'Nothing has been written.',
      cause,
    });
  }
}
