import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { type ModuleAlias, parseAliases } from './alias-table.js';
import { BuiltinModules } from './builtin-modules.js';
import { pickKernel } from './kernel-release.js';
import { parseSoftdep } from './modinfo.js';
import type { ModuleFile, ModuleIndex } from './module-file.js';
import { compressionOf, normalizeName, unpackedName } from './module-name.js';
import { ModuleTree } from './module-tree.js';
import { ModulesDep } from './modules-dep.js';
import { readSearchOrder } from './search-order.js';
import { textLines } from './text-lines.js';
import type { PackedFile } from './unpacker.js';

/** A kernel's modules as they lie in a root. Everything is read when it is first asked for. */
export class Kernel {
  #modules: ModuleIndex | undefined;
  #builtins: BuiltinModules | undefined;
  #aliasText: string | undefined;
  #hints: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(
    readonly sysroot: Sysroot,
    readonly release: string,
    /** The modules directory, inside the root and without links. */
    readonly directory: BytePath,
  ) {}

  /** From modules.dep where there is one, else from the tree. */
  get modules(): ModuleIndex {
    this.#modules ??= this.#readModules();
    return this.#modules;
  }

  get builtins(): BuiltinModules {
    this.#builtins ??= BuiltinModules.read(this.sysroot, this.directory);
    return this.#builtins;
  }

  /** True if depmod has been here. */
  get isIndexed(): boolean {
    return this.modules instanceof ModulesDep;
  }

  /** The aliases of modules.alias, taken apart anew at each call: of 30,000, few are wanted; undefined without that file. */
  indexedAliases(): Iterable<ModuleAlias> | undefined {
    const path = `${this.directory}/modules.alias`;
    this.#aliasText ??= this.#text(path);
    return this.#aliasText === '' ? undefined : parseAliases(path, this.#aliasText);
  }

  /**
   * Modules or aliases that modules.softdep and modules.weakdep name for a module. Only a hint, to unpack them in the same
   * go: what counts is what the module itself says.
   */
  hints(name: string): readonly string[] {
    this.#hints ??= this.#readHints();
    return this.#hints.get(name) ?? [];
  }

  /**
   * Where a module lies on the host.
   * @throws MkrootError if the index names a file that is not there.
   */
  locate(file: ModuleFile): PackedFile {
    const plain = unpackedName(file.path);
    // A module may have been packed or unpacked after depmod ran.
    for (const path of [file.path, plain, `${plain}.xz`, `${plain}.zst`, `${plain}.gz`]) {
      const found = this.sysroot.resolve(path);
      if (found?.stat.kind === 'file') {
        return { path: found.path, hostPath: found.hostPath, compression: compressionOf(path) };
      }
    }
    throw new MkrootError(
      `Cannot read kernel module "${displayPath(file.path)}": modules.dep names it, but there is no such file`,
      { exitCode: ExitCode.NotFound, hint: `Write the index anew: depmod -b ROOT ${this.release}` },
    );
  }

  #readModules(): ModuleIndex {
    const order = readSearchOrder(this.sysroot, this.release);
    const path = `${this.directory}/modules.dep`;
    const text = this.#text(path);
    if (text === '') return new ModuleTree(this.sysroot, this.directory, order);
    return new ModulesDep({ path, directory: this.directory, release: this.release, order }, text);
  }

  #readHints(): Map<string, string[]> {
    const hints = new Map<string, string[]>();
    for (const keyword of ['softdep', 'weakdep']) {
      const path = `${this.directory}/modules.${keyword}`;
      for (const { text } of textLines(path, this.#text(path))) {
        const [first, name = '', ...rest] = text.split(' ');
        if (first !== keyword) continue;
        const { pre, post } = parseSoftdep(rest.join(' '));
        const list = hints.get(normalizeName(name)) ?? [];
        hints.set(normalizeName(name), list.concat(keyword === 'weakdep' ? rest : [...pre, ...post]));
      }
    }
    return hints;
  }

  #text(path: BytePath): string {
    return this.sysroot.isFile(path) ? Buffer.from(this.sysroot.readFile(path)).toString('latin1') : '';
  }
}

/**
 * Opens a kernel of the root: that release, or the newest.
 * @throws MkrootError with exit code NotFound if there is none.
 */
export function openKernel(sysroot: Sysroot, release?: string): Kernel {
  const kernel = pickKernel(sysroot, release);
  return new Kernel(sysroot, kernel.release, kernel.directory);
}
