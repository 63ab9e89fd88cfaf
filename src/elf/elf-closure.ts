import { posix } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileStat } from '../ports/file-system.js';
import { parseShebang, SHEBANG_SIZE } from '../rootfs/shebang.js';
import type { FollowedLink, Resolved, Sysroot } from '../rootfs/sysroot.js';
import { type ClosureCause, describeCause } from './closure-cause.js';
import type { ElfFile } from './elf-file.js';
import { hasElfMagic } from './elf-header.js';
import { LibrarySearch } from './library-search.js';
import { type Loader, LoaderCatalogue } from './loader.js';
import { describeMachine, machineMismatch } from './machine.js';
import { type LoadedObject, ProcessImage } from './process-image.js';
import { RunTimeNeeds, type RunTimeOptions } from './run-time-needs.js';

/** A program that shall run in the image. */
export interface ElfRequest {
  /** Inside the root; an ELF file of any kind, or a script. */
  readonly path: BytePath;
  /** Why it is wanted, in the caller's words: `--program`, `recipe compute.yaml:12`. */
  readonly label: string;
}

/** How far a closure goes. */
export interface ElfClosureOptions extends RunTimeOptions {
  /**
   * Interpreters that the image has from elsewhere, such as `/bin/sh` from busybox: a script that asks for one by this very
   * name does not bring the root's own.
   */
  readonly provided?: ReadonlySet<BytePath>;
}

/** A file that has to be in the image. */
export interface ClosureFile {
  /** Inside the root, without links. */
  readonly path: BytePath;
  readonly hostPath: BytePath;
  readonly stat: FileStat;
  /** Every symbolic link by which the file is found; the image needs them all. In byte order of their paths. */
  readonly links: readonly FollowedLink[];
  /** Why it is there: the first reason that was met. */
  readonly cause: ClosureCause;
}

/** A symbolic link that the root does not have and the image needs. */
export interface PlacedLink {
  readonly path: BytePath;
  /** Absolute. */
  readonly target: BytePath;
  readonly cause: ClosureCause;
}

/** Everything that some programs need in order to run. All lists are in byte order of their paths. */
export interface ElfClosure {
  readonly files: readonly ClosureFile[];
  /**
   * Links to add so that the loader finds libraries of ld.so.conf's directories: an image has no ld.so.cache, and for
   * another machine nobody on the host could make one.
   */
  readonly placements: readonly PlacedLink[];
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/** A script may be run by a script, four times over (execve(2)); the fifth is an error. */
const MAX_INTERPRETERS = 5;
/** What env(1) searches when an image starts it: the kernel's and systemd's default path together. */
const ENV_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The programs and everything that they need at run time: loaders, libraries, interpreters of scripts, libraries opened by
 * dlopen(3) as far as notes and rules tell, data files. Nothing of the root is run; its machine does not matter.
 * @throws MkrootError that names what is missing or damaged, and who asked for it.
 */
export function resolveElfClosure(
  sysroot: Sysroot,
  programs: readonly ElfRequest[],
  options: ElfClosureOptions = {},
): ElfClosure {
  const builder = new ElfClosureBuilder(sysroot, options);
  for (const { path, label } of programs) builder.add(path, { kind: 'requested', label });
  return builder.finish();
}

/** Collects closures of one program after the other; each file of the root is read once. */
export class ElfClosureBuilder {
  readonly #search: LibrarySearch;
  readonly #loaders: LoaderCatalogue;
  readonly #files = new Map<BytePath, ClosureFile & { readonly links: FollowedLink[] }>();
  readonly #placements = new Map<BytePath, PlacedLink>();
  readonly #warnings = new Set<string>();
  readonly #programs = new Set<BytePath>();
  readonly #runTime: RunTimeNeeds;

  constructor(
    private readonly sysroot: Sysroot,
    private readonly options: ElfClosureOptions = {},
  ) {
    this.#search = new LibrarySearch(sysroot);
    this.#loaders = new LoaderCatalogue(sysroot);
    this.#runTime = new RunTimeNeeds(sysroot, options, (sentence) => this.#warn(sentence));
  }

  /** Adds a program or script with all that it needs. */
  add(path: BytePath, cause: ClosureCause, depth = 0): void {
    const resolved = this.sysroot.resolve(path);
    if (resolved?.stat.kind !== 'file') throw missingProgram(this.sysroot, path, cause, resolved);
    this.#keep(resolved, cause);
    // Data rules go by the name, so a program that has several is looked at under each.
    const visit = `${resolved.path} ${posix.basename(path)}`;
    if (this.#programs.has(visit)) return;
    this.#programs.add(visit);
    const head = this.sysroot.fs.readRange(resolved.hostPath, 0, SHEBANG_SIZE);
    if (hasElfMagic(head)) this.#addElf(path, resolved, cause);
    else this.#addScript(resolved, head, depth);
  }

  /** What a program's loader would bring in, without notes and rules; for comparison with ldd(1). */
  load(path: BytePath): ProcessImage {
    const resolved = this.sysroot.resolve(path);
    const cause: ClosureCause = { kind: 'requested', label: path };
    if (resolved?.stat.kind !== 'file') throw missingProgram(this.sysroot, path, cause, resolved);
    return this.#load(resolved, this.#search.read(resolved), cause);
  }

  finish(): ElfClosure {
    for (const { path, target } of this.#placements.values()) {
      const taken = this.#takenBy(path);
      if (taken === undefined) continue;
      this.#placements.delete(path);
      this.#warn(
        `Cannot put a link to "${displayPath(target)}" at "${displayPath(path)}": the image needs "${displayPath(taken)}" under that name, and the loader will take it`,
      );
    }
    return {
      files: inOrder([...this.#files.values()]).map((file) => ({ ...file, links: inOrder(file.links) })),
      placements: inOrder([...this.#placements.values()]),
      warnings: [...this.#warnings],
    };
  }

  #addScript(script: Resolved, head: Uint8Array, depth: number): void {
    const shebang = parseShebang(head);
    if (shebang === undefined) {
      throw new MkrootError(
        `Cannot take "${displayPath(script.path)}" as a program: it is neither an ELF file nor a script with a #! line`,
        { hint: 'Ship a data file with --file instead.' },
      );
    }
    if (depth >= MAX_INTERPRETERS) {
      throw new MkrootError(
        `Cannot take "${displayPath(script.path)}" as a program: its interpreter is a script, and so on for ${MAX_INTERPRETERS} times`,
        { hint: 'The kernel refuses this too; look at the #! lines.' },
      );
    }
    const cause: ClosureCause = { kind: 'shebang', of: script.path };
    if (!this.options.provided?.has(shebang.interpreter)) this.add(shebang.interpreter, cause, depth + 1);
    if (shebang.program !== undefined) this.add(this.#inPath(shebang.program), cause, depth + 1);
  }

  #inPath(program: BytePath): BytePath {
    if (program.includes('/')) return program;
    const candidates = ENV_PATH.map((directory) => `${directory}/${program}`);
    return (
      candidates.find((path) => this.options.provided?.has(path) || this.sysroot.isFile(path)) ??
      `/usr/bin/${program}`
    );
  }

  #addElf(asked: BytePath, resolved: Resolved, cause: ClosureCause): void {
    const elf = this.#search.read(resolved);
    if (elf.header.type !== 'executable' && elf.header.type !== 'shared') {
      throw new MkrootError(
        `Cannot take "${displayPath(resolved.path)}" as a program: it is a ${elf.header.type} ELF file`,
        { hint: 'Kernel modules are named with --nic or --driver, other files with --file.' },
      );
    }
    const image = this.#load(resolved, elf, cause);
    const data = this.#runTime.follow(image, asked);
    for (const object of image.objects) this.#keepObject(object, image.loader);
    const { configuration } = image.loader;
    if (configuration !== undefined && elf.interpreter !== undefined)
      this.#keep(configuration, { kind: 'loader-configuration', of: resolved.path });
    for (const { file, cause: why } of data) this.#keep(file, why);
  }

  #load(resolved: Resolved, elf: ElfFile, cause: ClosureCause): ProcessImage {
    if (elf.header.programHeaders.length === 0)
      throw new MkrootError(
        `Cannot read ELF file "${displayPath(resolved.path)}": it has no program headers, so nobody can load it`,
        { hint: 'The file is damaged; install its package again.' },
      );
    const loader = this.#loaders.loaderOf(elf);
    return ProcessImage.load(
      this.#search,
      loader,
      { elf, resolved, cause },
      elf.interpreter === undefined ? undefined : this.#interpreter(elf.interpreter, resolved, elf),
    );
  }

  #interpreter(path: BytePath, of: Resolved, elf: ElfFile): Resolved {
    const resolved = this.sysroot.resolve(path);
    const machine = describeMachine(elf.header);
    const action = `Cannot find the dynamic loader "${displayPath(path)}" of "${displayPath(of.path)}"`;
    if (resolved?.stat.kind !== 'file') {
      throw new MkrootError(`${action}: there is no such file in the root`, {
        exitCode: ExitCode.NotFound,
        hint: `Install the C library for ${machine} into the root (Debian: libc6:${machine}).`,
      });
    }
    const found = this.#search.read(resolved).header;
    if (machineMismatch(found, elf.header) !== undefined) {
      throw new MkrootError(
        `${action}: the file there is for ${describeMachine(found)}, the program for ${machine}`,
        {
          hint: `Install the C library for ${machine} into the root (Debian: libc6:${machine}).`,
        },
      );
    }
    return resolved;
  }

  /** The file that the image has at a path, itself or through a link. */
  #takenBy(path: BytePath): BytePath | undefined {
    for (const file of this.#files.values())
      if (file.path === path || file.links.some((link) => link.path === path)) return file.path;
    return undefined;
  }

  #warn(sentence: string): void {
    this.#warnings.add(sentence);
  }

  #keepObject(object: LoadedObject, loader: Loader): void {
    const file = this.#keep({ ...object.resolved, links: object.links }, object.cause);
    for (const name of object.placements) {
      const directory = this.#search.defaultDirectory(loader);
      const path = `${directory?.path ?? loader.defaultDirectories[0] ?? '/usr/lib'}/${name}`;
      addLinks(file.links, directory?.links ?? []);
      if (path === object.path) continue;
      const other = this.#placements.get(path)?.target;
      if (other !== undefined && other !== object.path)
        this.#warn(
          `Cannot put a link to "${displayPath(other)}" at "${displayPath(path)}": "${displayPath(object.path)}" is wanted under the same name`,
        );
      this.#placements.set(path, {
        path,
        target: object.path,
        cause: { kind: 'placement', of: object.path, directory: posix.dirname(object.openedAs) },
      });
    }
  }

  #keep(resolved: Resolved, cause: ClosureCause): { readonly links: FollowedLink[] } {
    const { path, hostPath, stat, links } = resolved;
    const known = this.#files.get(path);
    if (known !== undefined) {
      addLinks(known.links, links);
      return known;
    }
    const file = { path, hostPath, stat, links: addLinks([], links), cause };
    this.#files.set(path, file);
    return file;
  }
}

function addLinks(links: FollowedLink[], more: readonly FollowedLink[]): FollowedLink[] {
  for (const link of more) if (!links.some(({ path }) => path === link.path)) links.push(link);
  return links;
}

function inOrder<T extends { readonly path: BytePath }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function missingProgram(
  sysroot: Sysroot,
  path: BytePath,
  cause: ClosureCause,
  found: Resolved | undefined,
): MkrootError {
  const why = cause.kind === 'requested' ? '' : ` (${describeCause(cause)})`;
  return new MkrootError(
    `Cannot take "${displayPath(path)}" as a program${why}: ${whatIsThere(sysroot, path, found)}`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'Give the path as it is inside the root, and install the package that brings it.',
    },
  );
}

function whatIsThere(sysroot: Sysroot, path: BytePath, found: Resolved | undefined): string {
  if (found !== undefined) return `it is a ${found.stat.kind}`;
  const link = sysroot.resolveLink(path);
  if (link?.stat.kind !== 'symlink') return 'there is no such file in the root';
  return `it is a link to "${displayPath(sysroot.fs.readlink(link.hostPath))}", and there is no such file in the root`;
}
