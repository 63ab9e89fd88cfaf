import { posix } from 'node:path';
import type { BytePath } from '../ports/byte-path.js';
import type { Resolved, Sysroot } from '../rootfs/sysroot.js';
import type { ElfFile } from './elf-file.js';
import { ldSoConfDirectories } from './ld-so-conf.js';
import { type MachineIdentity, machineOf } from './machine.js';
import { MUSL_DEFAULT_DIRECTORIES, muslPathFile, parseMuslPath } from './musl-path.js';

/** The dynamic loader of a program, and where it looks for libraries. */
export interface Loader {
  readonly flavour: 'glibc' | 'musl';
  /** As the program names it (PT_INTERP), or as the machine's ABI does. */
  readonly path: BytePath;
  /** Where the loader looks by itself, without a cache; absolute, in order. */
  readonly defaultDirectories: readonly BytePath[];
  /** Directories of ld.so.conf, which glibc's loader only knows through a cache. Empty for musl. */
  readonly configuredDirectories: readonly BytePath[];
  /** The value of $LIB. */
  readonly lib?: BytePath;
  /** The value of $PLATFORM. */
  readonly platform?: BytePath;
  /** A file that the loader reads at run time: musl's path file. */
  readonly configuration?: Resolved;
}

/** Bytes; glibc's loaders have 200 KiB, musl's 800. */
const MAX_LOADER_SIZE = 16 * 1024 * 1024;

/** Finds out how the loader of a program or library works. Results are kept: a closure asks the same for every program. */
export class LoaderCatalogue {
  readonly #loaders = new Map<string, Loader>();
  #configured: BytePath[] | undefined;

  constructor(private readonly sysroot: Sysroot) {}

  /** The loader of an ELF file: the one that it names, or for a library the one that its machine's programs use. */
  loaderOf(elf: ElfFile): Loader {
    const { header } = elf;
    const path = elf.interpreter ?? this.#usualLoader(elf);
    const key = `${path} ${header.eMachine} ${header.elfClass} ${header.byteOrder} ${header.flags}`;
    const known = this.#loaders.get(key);
    if (known !== undefined) return known;
    const loader = muslPathFile(path) === undefined ? this.#glibc(path, header) : this.#musl(path);
    this.#loaders.set(key, loader);
    return loader;
  }

  #glibc(path: BytePath, identity: MachineIdentity): Loader {
    this.#configured ??= ldSoConfDirectories(this.sysroot);
    const machine = machineOf(identity);
    const defaultDirectories = this.#builtInDirectories(path) ?? usualDirectories(identity);
    const lib = defaultDirectories[0]?.replace(/^\//, '');
    return {
      flavour: 'glibc',
      path,
      defaultDirectories,
      configuredDirectories: this.#configured,
      ...(lib === undefined ? {} : { lib }),
      ...(machine?.platform === undefined ? {} : { platform: machine.platform }),
    };
  }

  #musl(path: BytePath): Loader {
    const configuration = this.sysroot.resolve(muslPathFile(path)!);
    const isFile = configuration?.stat.kind === 'file';
    return {
      flavour: 'musl',
      path,
      configuredDirectories: [],
      defaultDirectories: isFile
        ? parseMuslPath(Buffer.from(this.sysroot.fs.readFile(configuration.hostPath)).toString('latin1'))
        : MUSL_DEFAULT_DIRECTORIES,
      ...(isFile ? { configuration } : {}),
    };
  }

  /** A library names no loader; its libc's name tells musl from glibc. */
  #usualLoader(elf: ElfFile): BytePath {
    const machine = machineOf(elf.header);
    const muslName = elf.dynamic?.needed.find((name) => name === 'libc.so' || name.startsWith('libc.musl-'));
    if (muslName !== undefined) {
      const found = this.sysroot.list('/lib').find((name) => muslPathFile(name) !== undefined);
      if (found !== undefined) return `/lib/${found}`;
    }
    return machine?.glibcLoader ?? '/lib/ld.so.1';
  }

  /**
   * glibc's loader carries its default directories as NUL-terminated strings, one after the other, each ending in a slash
   * (elf/dl-load.c, system_dirs). Reading them there is right for every distribution; no table of triplets can be.
   */
  #builtInDirectories(path: BytePath): BytePath[] | undefined {
    const resolved = this.sysroot.resolve(path);
    if (resolved?.stat.kind !== 'file' || resolved.stat.size > MAX_LOADER_SIZE) return undefined;
    const bytes = Buffer.from(this.sysroot.fs.readFile(resolved.hostPath));
    const at = bytes.indexOf('/\0/usr/lib', 0, 'latin1');
    if (at < 0) return undefined;
    const around = bytes.subarray(Math.max(0, at - 256), at + 512).toString('latin1');
    const list = /(?:(?:\/[\w.+-]+){1,8}\/\0){2,16}/.exec(around)?.[0];
    return list
      ?.split('\0')
      .filter((directory) => directory !== '')
      .map((directory) => posix.normalize(directory).replace(/\/$/, ''));
  }
}

/** What distributions build into the loader of a machine, for a root whose loader cannot be read. */
function usualDirectories(identity: MachineIdentity): BytePath[] {
  const triplet = machineOf(identity)?.triplet;
  return [
    ...(triplet === undefined ? [] : [`/lib/${triplet}`, `/usr/lib/${triplet}`]),
    ...(identity.elfClass === 64 ? ['/lib64', '/usr/lib64'] : []),
    '/lib',
    '/usr/lib',
  ];
}
