import { posix } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Resolved, Sysroot } from '../rootfs/sysroot.js';
import { expandTokens } from './dynamic-string-tokens.js';
import { DynamicFlag1 } from './elf-dynamic.js';
import { ElfFile } from './elf-file.js';
import { hasElfMagic } from './elf-header.js';
import type { Loader } from './loader.js';
import { describeMachine, machineMismatch } from './machine.js';

/** The part of a loaded object that the search for its libraries depends on. */
export interface Asker {
  readonly elf: ElfFile;
  /** Path inside the root, without links. */
  readonly path: BytePath;
  /** The name by which it was opened; $ORIGIN is this name's directory (for the program itself: of its real path). */
  readonly openedAs: BytePath;
  /** The object that asked for it; undefined for the program. */
  readonly loadedBy: Asker | undefined;
}

/** A library that was found. */
export interface FoundLibrary {
  readonly elf: ElfFile;
  readonly resolved: Resolved;
  readonly openedAs: BytePath;
  /** Found in a directory that only ld.so.conf names: without a cache the loader will not look there. */
  readonly needsPlacement: boolean;
  /** Found relative to the asker's own place. */
  readonly usesOrigin: boolean;
}

/** What a search without result has looked at, for the error message. */
export interface SearchMiss {
  readonly searched: readonly BytePath[];
  /** Files of the right name for another machine. */
  readonly skipped: readonly string[];
}

interface SearchDirectory {
  readonly path: BytePath;
  readonly usesOrigin: boolean;
  readonly onlyConfigured: boolean;
}

/** Finds libraries in a root as the target's loader would, glibc's (elf/dl-load.c) or musl's (ldso/dynlink.c). */
export class LibrarySearch {
  readonly #files = new Map<BytePath, ElfFile>();
  readonly #directories = new Map<BytePath, Resolved | undefined>();

  constructor(private readonly sysroot: Sysroot) {}

  /** The ELF file at a resolved path; each file is read once. */
  read(resolved: Resolved): ElfFile {
    const known = this.#files.get(resolved.path);
    if (known !== undefined) return known;
    const { hostPath, path: name, stat } = resolved;
    const elf = new ElfFile({ fs: this.sysroot.fs, hostPath, name, size: stat.size });
    this.#files.set(resolved.path, elf);
    return elf;
  }

  /** The first of a loader's default directories that exists in the root, for libraries that have to be put there. */
  defaultDirectory(loader: Loader): Resolved | undefined {
    for (const path of loader.defaultDirectories) {
      const directory = this.#directory(path);
      if (directory !== undefined) return directory;
    }
    return undefined;
  }

  /**
   * Looks for the library `name` on behalf of `asker`.
   * @throws MkrootError if a file of that name is there but is no ELF file, or not in the loader's byte order: the loader
   * stops there too.
   */
  find(name: BytePath, asker: Asker, loader: Loader): FoundLibrary | SearchMiss {
    if (name.includes('/')) return this.#findByPath(name, asker, loader);
    const searched: BytePath[] = [];
    const skipped: string[] = [];
    for (const directory of this.#searchPath(asker, loader)) {
      if (searched.includes(directory.path)) continue;
      searched.push(directory.path);
      const place = this.#directory(directory.path);
      if (place === undefined) continue;
      const resolved = this.sysroot.resolveIn(place, name);
      if (resolved === undefined) continue;
      const elf = this.#accept(resolved, name, asker, loader, skipped);
      if (elf === undefined) continue;
      const needsPlacement = directory.onlyConfigured && !this.#isDefault(place, loader);
      if (needsPlacement && asksNoDefaults(asker)) throw unreachable(name, asker, directory.path);
      return {
        elf,
        resolved: { ...resolved, links: [...place.links, ...resolved.links] },
        openedAs: `${directory.path}/${name}`,
        usesOrigin: directory.usesOrigin,
        needsPlacement,
      };
    }
    return { searched, skipped };
  }

  #findByPath(name: BytePath, asker: Asker, loader: Loader): FoundLibrary | SearchMiss {
    const expanded = expandTokens(name, tokenValues(asker, loader));
    if (expanded === undefined) return { searched: [name], skipped: [] };
    const resolved = this.sysroot.resolve(expanded.path);
    const skipped: string[] = [];
    const elf = resolved && this.#accept(resolved, name, asker, loader, skipped);
    if (resolved === undefined || elf === undefined)
      return { searched: [posix.dirname(expanded.path)], skipped };
    return {
      elf,
      resolved,
      openedAs: expanded.path,
      usesOrigin: expanded.usesOrigin,
      needsPlacement: false,
    };
  }

  /** Directories in the loader's order. */
  *#searchPath(asker: Asker, loader: Loader): Generator<SearchDirectory> {
    if (loader.flavour === 'musl') {
      for (let object: Asker | undefined = asker; object !== undefined; object = object.loadedBy)
        yield* muslRunPath(object);
      yield* loader.defaultDirectories.map(plainDirectory);
      return;
    }
    const own = asker.elf.dynamic;
    if (own?.runpath === undefined) {
      for (let object: Asker | undefined = asker; object !== undefined; object = object.loadedBy) {
        const dynamic = object.elf.dynamic;
        if (dynamic?.runpath === undefined) yield* glibcRunPath(dynamic?.rpath, object, loader);
      }
    }
    yield* glibcRunPath(own?.runpath, asker, loader);
    const noDefault = asksNoDefaults(asker);
    for (const path of loader.configuredDirectories) {
      const place = noDefault ? this.#directory(path) : undefined;
      if (place !== undefined && this.#isDefault(place, loader)) continue;
      yield { path, usesOrigin: false, onlyConfigured: true };
    }
    if (!noDefault) yield* loader.defaultDirectories.map(plainDirectory);
  }

  /** glibc skips files of another class or machine; everything else that is wrong with a candidate ends its search. */
  #accept(
    resolved: Resolved,
    name: BytePath,
    asker: Asker,
    loader: Loader,
    skipped: string[],
  ): ElfFile | undefined {
    const refuse = (what: string, cause?: unknown): MkrootError =>
      new MkrootError(
        `Cannot load "${displayPath(name)}" for "${displayPath(asker.path)}": "${displayPath(resolved.path)}" ${what}`,
        { hint: 'Replace or remove that file; the loader on the node would stop at it too.', cause },
      );
    if (resolved.stat.kind !== 'file') throw refuse(`is a ${resolved.stat.kind}, not a library`);
    let elf: ElfFile;
    try {
      elf = this.read(resolved);
    } catch (cause) {
      if (!(cause instanceof MkrootError)) throw cause;
      const isElf = hasElfMagic(this.sysroot.fs.readRange(resolved.hostPath, 0, 4));
      throw refuse(isElf ? `is damaged: ${cause.message}` : 'is no ELF file', cause);
    }
    const mismatch = machineMismatch(elf.header, asker.elf.header);
    if (mismatch === undefined) {
      if (elf.header.type === 'shared' || elf.header.type === 'executable') return elf;
      throw refuse(`is a ${elf.header.type} ELF file, not a shared library`);
    }
    const other = describeMachine(elf.header);
    if (mismatch === 'byte order' || loader.flavour === 'musl')
      throw refuse(`is for ${other}, not for ${describeMachine(asker.elf.header)}`);
    skipped.push(`${displayPath(resolved.path)} is for ${other}`);
    return undefined;
  }

  #directory(path: BytePath): Resolved | undefined {
    if (this.#directories.has(path)) return this.#directories.get(path);
    const resolved = this.sysroot.resolve(path);
    const directory = resolved?.stat.kind === 'directory' ? resolved : undefined;
    this.#directories.set(path, directory);
    return directory;
  }

  #isDefault(directory: Resolved, loader: Loader): boolean {
    return loader.defaultDirectories.some((path) => this.#directory(path)?.path === directory.path);
  }
}

/** Words for a library that nobody found. */
export function missingLibrary(name: BytePath, asker: Asker, miss: SearchMiss): MkrootError {
  const chain: BytePath[] = [];
  for (let object: Asker | undefined = asker; object !== undefined; object = object.loadedBy)
    chain.push(displayPath(object.path));
  const shown = displayPath(name);
  return new MkrootError(
    `Cannot load "${shown}" for "${displayPath(asker.path)}": no such library for ${describeMachine(asker.elf.header)} in the root`,
    {
      exitCode: ExitCode.NotFound,
      hint: `Install the package that brings ${shown} into the root (apt-file search ${shown}), or name its directory in the root's /etc/ld.so.conf.`,
      details: [
        ...(chain.length > 1 ? [`Asked for by: ${chain.join(', loaded by ')}`] : []),
        `Searched: ${miss.searched.map(displayPath).join(', ')}`,
        ...miss.skipped.map((text) => `Skipped: ${text}`),
      ],
    },
  );
}

function asksNoDefaults(asker: Asker): boolean {
  return ((asker.elf.dynamic?.flags1 ?? 0) & DynamicFlag1.NoDefaultLibraries) !== 0;
}

function unreachable(name: BytePath, asker: Asker, directory: BytePath): MkrootError {
  return new MkrootError(
    `Cannot load "${displayPath(name)}" for "${displayPath(asker.path)}": it lies in ${displayPath(directory)}, which only ld.so.conf names, and the program forbids the default directories (DF_1_NODEFLIB)`,
    { hint: 'No link can help the loader here: link the program with a DT_RUNPATH of that directory.' },
  );
}

function plainDirectory(path: BytePath): SearchDirectory {
  return { path, usesOrigin: false, onlyConfigured: false };
}

function tokenValues(object: Asker, loader: Loader) {
  return {
    ORIGIN: posix.dirname(object.loadedBy === undefined ? object.path : object.openedAs),
    ...(loader.lib === undefined ? {} : { LIB: loader.lib }),
    ...(loader.platform === undefined ? {} : { PLATFORM: loader.platform }),
  };
}

/**
 * The directories of a DT_RPATH or DT_RUNPATH. An empty or relative one means the working directory of whoever starts the
 * program; nothing can be shipped for that, so it is left out.
 */
function glibcRunPath(path: BytePath | undefined, object: Asker, loader: Loader): SearchDirectory[] {
  return (path ?? '').split(':').flatMap((part) => {
    const expanded = expandTokens(part, tokenValues(object, loader));
    return expanded?.path.startsWith('/') ? [{ ...expanded, onlyConfigured: false }] : [];
  });
}

/** musl knows $ORIGIN alone, and drops the whole path if it meets another token. DT_RUNPATH wins over DT_RPATH. */
function muslRunPath(object: Asker): SearchDirectory[] {
  const path = object.elf.dynamic?.runpath ?? object.elf.dynamic?.rpath ?? '';
  if (/\$(?!ORIGIN|\{ORIGIN\})/.test(path)) return [];
  const origin = posix.dirname(object.loadedBy === undefined ? object.path : object.openedAs);
  return path.split(/[:\n]/).flatMap((part) => {
    const expanded = part.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, () => origin);
    return expanded.startsWith('/')
      ? [{ path: expanded, usesOrigin: expanded !== part, onlyConfigured: false }]
      : [];
  });
}
