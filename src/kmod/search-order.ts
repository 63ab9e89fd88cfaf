import type { BytePath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { normalizeName, unpackedName } from './module-name.js';

/** Where depmod(8) looks for its configuration; a file hides one of the same name further right. */
const CONFIG_DIRECTORIES = [
  '/etc/depmod.d',
  '/run/depmod.d',
  '/usr/local/lib/depmod.d',
  '/usr/lib/depmod.d',
  '/lib/depmod.d',
];

/** Used when the root configures nothing; `built-in` is every directory that the list does not name. */
const DEFAULT_SEARCH = ['override', 'updates', 'built-in', 'extra'];

/** Which of two modules of one name wins; depmod.d(5). */
export interface SearchOrder {
  /** The winner's index in a list of paths relative to the modules directory, in a fixed order; the first of equals. */
  winner(name: string, paths: readonly BytePath[]): number;
}

/** Reads `search` and `override` lines of the root's depmod.d; lines that mean something else are not ours to judge. */
export function readSearchOrder(sysroot: Sysroot, release: string): SearchOrder {
  const search: string[] = [];
  const overrides = new Map<string, string>();
  for (const path of configFiles(sysroot)) {
    for (const line of Buffer.from(sysroot.readFile(path)).toString('latin1').split('\n')) {
      const [keyword, ...words] = line.trim().split(/\s+/);
      if (keyword === 'search') search.push(...words);
      if (keyword !== 'override') continue;
      const [module, version, directory] = words;
      if (module === undefined || version === undefined || directory === undefined) continue;
      if (versionMatches(version, release)) overrides.set(normalizeName(module), directory);
    }
  }
  return searchOrder(search.length === 0 ? DEFAULT_SEARCH : search, overrides);
}

/** The order for a list of directories, best first, and for modules bound to a directory by name. */
export function searchOrder(
  search: readonly string[] = DEFAULT_SEARCH,
  overrides: ReadonlyMap<string, string> = new Map(),
): SearchOrder {
  const builtIn = search.indexOf('built-in');
  const rank = (name: string, path: BytePath): number => {
    const override = overrides.get(name);
    if (override !== undefined && directoryOf(path) === override) return -1;
    const listed = search.findIndex((directory) => path.startsWith(`${directory}/`));
    if (listed >= 0) return listed;
    return builtIn < 0 ? search.length : builtIn;
  };
  return {
    winner: (name, paths) => {
      const ranks = paths.map((path) => rank(name, path));
      return ranks.indexOf(Math.min(...ranks));
    },
  };
}

function directoryOf(path: BytePath): BytePath {
  const file = unpackedName(path);
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

function versionMatches(version: string, release: string): boolean {
  if (version === '*') return true;
  try {
    return new RegExp(version).test(release); // depmod takes an extended regular expression here
  } catch {
    return version === release;
  }
}

function configFiles(sysroot: Sysroot): BytePath[] {
  const byName = new Map<string, BytePath>();
  for (const directory of CONFIG_DIRECTORIES) {
    for (const name of sysroot.list(directory)) {
      const path = `${directory}/${name}`;
      if (name.endsWith('.conf') && !byName.has(name) && sysroot.isFile(path)) byName.set(name, path);
    }
  }
  return [...byName.keys()].sort().map((name) => byName.get(name)!);
}
