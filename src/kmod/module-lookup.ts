import { lookUpAlias, type ModuleAlias } from './alias-table.js';
import type { Kernel } from './kernel.js';
import { readModuleInfo } from './modinfo.js';
import type { ModuleFile } from './module-file.js';
import { normalizeAlias, normalizeName } from './module-name.js';
import { readModules } from './module-reader.js';
import { exportedSymbols } from './module-symbols.js';
import type { Unpacker } from './unpacker.js';

/** What a name comes to: files, or parts of the kernel itself; both empty if this kernel knows no such thing. */
export interface Found {
  readonly modules: readonly string[];
  readonly builtins: readonly string[];
}

/** What an alias that is not asked for by a bus looks like; `crc32c` is one too, but of crypto alone. */
const ALIAS_SHAPED =
  /:|^(fs|crypto|net-pf|net|char-major|block-major|binfmt|rpc-auth|nfs-layouttype\d|ip_set|xt|ipt|nft)-/;

/** Crypto templates (`crc32c`, `crypto-sha256`) are asked for by alias; the modules that provide them live here. */
const CRYPTO = /^kernel\/(crypto|lib|arch|drivers\/crypto)\//;

/**
 * Finds modules by name, alias or symbol, in the order in which kmod tries them (libkmod, `kmod_module_new_from_lookup`).
 * Without modules.alias the modules themselves are read: those where such an alias lives first, all if need be.
 */
export class ModuleLookup {
  readonly #found = new Map<string, Promise<Found>>();
  readonly #scanned = new Map<string, Promise<ModuleAlias[]>>();
  #exports: Promise<Map<string, string>> | undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly unpacker: Unpacker,
  ) {}

  /** Resolves a module's name or an alias of it. */
  find(name: string): Promise<Found> {
    let found = this.#found.get(name);
    if (found === undefined) {
      found = this.#find(name);
      this.#found.set(name, found);
    }
    return found;
  }

  /** Every alias of the modules whose path (relative to the modules directory) is wanted; at least those. */
  async aliases(scope: string, wanted: (file: ModuleFile) => boolean): Promise<Iterable<ModuleAlias>> {
    const indexed = this.kernel.indexedAliases();
    if (indexed !== undefined) return indexed;
    let scanned = this.#scanned.get(scope);
    if (scanned === undefined) {
      scanned = this.#scan(wanted);
      this.#scanned.set(scope, scanned);
    }
    return scanned;
  }

  /** The module that exports a symbol; undefined if it is the kernel itself (or nobody). */
  async exporter(symbol: string): Promise<string | undefined> {
    this.#exports ??= this.#readExports();
    return (await this.#exports).get(symbol);
  }

  /** Every module's file, in a fixed order. */
  *files(): Generator<ModuleFile> {
    for (const name of this.kernel.modules.names()) yield this.kernel.modules.find(name)!;
  }

  async #find(name: string): Promise<Found> {
    const { modules, builtins } = this.kernel;
    const plain = normalizeName(name);
    if (modules.find(plain) !== undefined) return { modules: [plain], builtins: [] };
    // kmod looks at the aliases first; but no module has the name of a built-in one for an alias, and reading them is slow.
    if (builtins.has(plain)) return { modules: [], builtins: [plain] };
    const byAlias = (await this.#byAlias(name)).filter((module) => modules.find(module) !== undefined);
    if (byAlias.length > 0) return { modules: byAlias, builtins: [] };
    return { modules: [], builtins: lookUpAlias(builtins.aliases(), normalizeAlias(name)) };
  }

  async #byAlias(name: string): Promise<string[]> {
    const indexed = this.kernel.indexedAliases();
    if (indexed !== undefined) return lookUpAlias(indexed, name);
    if (!name.includes(':')) {
      const found = lookUpAlias(await this.aliases('crypto', ({ relative }) => CRYPTO.test(relative)), name);
      if (found.length > 0) return found;
    }
    return ALIAS_SHAPED.test(name) ? lookUpAlias(await this.aliases('all', () => true), name) : [];
  }

  async #scan(wanted: (file: ModuleFile) => boolean): Promise<ModuleAlias[]> {
    const found: ModuleAlias[] = [];
    const files = [...this.files()].filter(wanted);
    for await (const { file, source } of readModules(this.kernel, this.unpacker, files)) {
      for (const pattern of readModuleInfo(source).aliases) found.push({ pattern, module: file.name });
    }
    return found;
  }

  async #readExports(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for await (const { file, source } of readModules(this.kernel, this.unpacker, this.files())) {
      for (const symbol of exportedSymbols(source)) found.set(symbol, file.name);
    }
    return found;
  }
}
