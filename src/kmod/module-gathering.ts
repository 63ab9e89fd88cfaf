import { ExitCode, MkrootError } from '../errors.js';
import { displayPath } from '../ports/byte-path.js';
import { bytesSource } from './elf-sections.js';
import type { Kernel } from './kernel.js';
import { hardClosure } from './load-order.js';
import { type ModuleInfo, readModuleInfo } from './modinfo.js';
import type { ModuleCause } from './module-cause.js';
import type { ModuleFile } from './module-file.js';
import type { ModuleLookup } from './module-lookup.js';
import { normalizeName } from './module-name.js';
import { undefinedSymbols } from './module-symbols.js';
import { phyFamilyOf } from './phy-families.js';
import { requestedAtRunTime } from './run-time-requests.js';
import type { PackedFile, Unpacker } from './unpacker.js';

/** A module that was read, with everything that it leads to as names of modules that are files. */
export interface GatheredModule {
  readonly name: string;
  readonly file: ModuleFile;
  readonly packed: PackedFile;
  /** Unpacked. */
  readonly data: Uint8Array;
  readonly info: ModuleInfo;
  /** What it needs itself. */
  readonly direct: readonly string[];
  /** `direct`, and what modules.dep lists beyond it. */
  readonly hard: readonly string[];
  readonly pre: readonly string[];
  readonly post: readonly string[];
  readonly weak: readonly string[];
  /** PHY and MDIO modules for a network card. */
  phy: readonly string[];
}

/** Everything that some modules lead to. */
export interface Gathering {
  readonly modules: ReadonlyMap<string, GatheredModule>;
  /** Parts of the kernel itself that were met on the way. */
  readonly builtins: ReadonlyMap<string, ModuleCause>;
  readonly warnings: readonly string[];
}

/**
 * Reads modules and everything that they lead to, by whatever relation. Works in rounds: each unpacks all that is known to be
 * wanted in one go. With depmod's indexes the first round knows everything; without, each round learns from the modules
 * of the one before.
 */
export async function gatherModules(
  kernel: Kernel,
  lookup: ModuleLookup,
  unpacker: Unpacker,
  names: Iterable<string>,
): Promise<Gathering> {
  const modules = new Map<string, GatheredModule>();
  const builtins = new Map<string, ModuleCause>();
  const warnings: string[] = [];
  let wanted = new Set(names);
  while (wanted.size > 0) {
    const round = [...(await withIndexedDependencies(kernel, lookup, wanted))].filter(
      (name) => !modules.has(name),
    );
    const found = round.map((name) => {
      const file = kernel.modules.find(name)!;
      return { name, file, packed: kernel.locate(file) };
    });
    const unpacked = await unpacker.unpack(found.map(({ packed }) => packed));
    for (const [index, { name, file, packed }] of found.entries()) {
      const data = unpacked[index]!;
      const info = readModuleInfo(bytesSource(packed.path, data));
      const targets = async (list: readonly string[], kind: 'softdep' | 'weakdep') => {
        const result: string[] = [];
        for (const wish of list) {
          const target = await lookup.find(wish);
          result.push(...target.modules);
          for (const builtin of target.builtins) noteBuiltin(builtins, builtin, { kind, of: name });
          if (kind === 'softdep' && target.modules.length + target.builtins.length === 0) {
            warnings.push(`softdep ${wish} of ${name} is not in kernel ${displayPath(kernel.release)}`);
          }
        }
        return result.filter((target) => target !== name);
      };
      const direct = await directDependencies(kernel, lookup, { name, packed, data, info }, builtins);
      modules.set(name, {
        name,
        file,
        packed,
        data,
        info,
        direct,
        hard: [...new Set([...direct, ...(kernel.modules.dependencies(name) ?? [])])],
        pre: await targets(info.softdep.pre, 'softdep'),
        post: await targets(info.softdep.post, 'softdep'),
        weak: await targets([...info.weakdeps, ...requestedAtRunTime(name)], 'weakdep'),
        phy: [],
      });
    }
    wanted = new Set();
    for (const module of modules.values()) {
      module.phy = phyModules(kernel, module.file, hardClosure(modules, module.name));
      for (const list of [module.hard, module.pre, module.post, module.weak, module.phy]) {
        for (const name of list) if (!modules.has(name)) wanted.add(name);
      }
    }
  }
  return { modules, builtins, warnings };
}

/** The names and all that depmod's indexes say they lead to; without indexes, just the names. */
async function withIndexedDependencies(
  kernel: Kernel,
  lookup: ModuleLookup,
  names: Iterable<string>,
): Promise<Set<string>> {
  const all = new Set<string>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (all.has(name)) continue;
    const file = kernel.modules.find(name);
    if (file === undefined) continue;
    all.add(name);
    const dependencies = kernel.modules.dependencies(name);
    if (dependencies === undefined) continue;
    pending.push(...dependencies, ...phyModules(kernel, file, new Set(dependencies)));
    for (const hint of kernel.hints(name)) pending.push(...(await lookup.find(hint)).modules);
  }
  return all;
}

function phyModules(
  kernel: Kernel,
  { name, relative }: ModuleFile,
  dependencies: ReadonlySet<string>,
): string[] {
  return phyFamilyOf(name, relative, dependencies).filter(
    (phy) => phy !== name && kernel.modules.find(phy) !== undefined,
  );
}

async function directDependencies(
  kernel: Kernel,
  lookup: ModuleLookup,
  module: Pick<GatheredModule, 'name' | 'packed' | 'data' | 'info'>,
  builtins: Map<string, ModuleCause>,
): Promise<string[]> {
  const { name, info } = module;
  if (info.depends === undefined) {
    const indexed = kernel.modules.dependencies(name);
    return indexed === undefined ? dependenciesBySymbol(lookup, module) : [...indexed];
  }
  return info.depends.filter((dependency) => {
    if (dependency === name) return false;
    if (kernel.modules.find(dependency) !== undefined) return true;
    if (kernel.builtins.has(dependency)) {
      noteBuiltin(builtins, dependency, { kind: 'dependency', of: name });
      return false;
    }
    throw new MkrootError(
      `Cannot find module "${displayPath(dependency)}": ${displayPath(module.packed.path)} depends on it, and kernel ${displayPath(kernel.release)} has it neither as a file nor built in`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Install the package that brings it, or one kernel and modules of the same build.',
      },
    );
  });
}

function noteBuiltin(builtins: Map<string, ModuleCause>, name: string, cause: ModuleCause): void {
  if (!builtins.has(name)) builtins.set(name, cause);
}

async function dependenciesBySymbol(
  lookup: ModuleLookup,
  { name, packed, data }: Pick<GatheredModule, 'name' | 'packed' | 'data'>,
): Promise<string[]> {
  const found = new Set<string>();
  for (const symbol of undefinedSymbols(bytesSource(packed.path, data))) {
    const exporter = await lookup.exporter(symbol);
    if (exporter !== undefined && exporter !== name) found.add(normalizeName(exporter));
  }
  return [...found].sort();
}
