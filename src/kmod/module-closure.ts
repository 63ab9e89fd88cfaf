import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import { type ModuleRequest, resolveRequest } from './driver-request.js';
import { debianFirmwarePackage, FirmwareSearch, type FoundFirmware } from './firmware.js';
import type { Kernel } from './kernel.js';
import { loadOrder } from './load-order.js';
import type { ModuleInfo } from './modinfo.js';
import type { ModuleCause } from './module-cause.js';
import { targetRelative } from './module-file.js';
import { type Gathering, gatherModules } from './module-gathering.js';
import { ModuleLookup } from './module-lookup.js';
import type { Compression } from './module-name.js';
import type { Unpacker } from './unpacker.js';

/** A module of the closure. */
export interface ClosureModule {
  readonly name: string;
  /** Inside the root, links followed. */
  readonly path: BytePath;
  readonly hostPath: BytePath;
  readonly compression: Compression;
  /** Where it goes in an image, unpacked: `/lib/modules/RELEASE/kernel/…/tg3.ko`. */
  readonly target: BytePath;
  readonly cause: ModuleCause;
  /** True if it is loaded at boot; false if it is only there for the kernel to ask for (weakdep, PHY family). */
  readonly load: boolean;
  /** Unpacked. */
  readonly data: Uint8Array;
  /** Names of all modules that have to be loaded before, in that order. */
  readonly dependencies: readonly string[];
  readonly info: ModuleInfo;
}

/** A firmware file of the closure. */
export interface FirmwareFile extends FoundFirmware {
  readonly cause: ModuleCause;
  /** Unpacked; undefined for a plain file, which is best copied from `hostPath`. */
  readonly data: Uint8Array | undefined;
}

/** Something requested or needed that the kernel has compiled in. */
export interface BuiltinModule {
  readonly name: string;
  readonly cause: ModuleCause;
}

/** What some modules need, all of it. */
export interface ModuleClosure {
  readonly release: string;
  /** In load order; those that are not loaded come last. */
  readonly modules: readonly ClosureModule[];
  readonly builtins: readonly BuiltinModule[];
  /** In byte order of their targets. */
  readonly firmware: readonly FirmwareFile[];
  readonly warnings: readonly string[];
}

/** How a closure is computed. */
export interface ClosureOptions {
  readonly unpacker: Unpacker;
  /** Missing firmware of a module that is loaded is an error. Default: a warning. */
  readonly strict?: boolean;
}

/**
 * Computes the closure of modules and firmware for the requests, reading the root only.
 * @throws MkrootError: a request that the kernel knows nothing of, a dependency that is nowhere, a damaged file; under
 * `strict`, missing firmware.
 */
export async function resolveModules(
  kernel: Kernel,
  requests: readonly ModuleRequest[],
  { unpacker, strict = false }: ClosureOptions,
): Promise<ModuleClosure> {
  const lookup = new ModuleLookup(kernel, unpacker);
  const warnings: string[] = [];
  const roots = new Map<string, ModuleCause>();
  const builtins = new Map<string, ModuleCause>();
  for (const request of requests) {
    const resolved = await resolveRequest(kernel, lookup, request);
    const cause: ModuleCause = { kind: 'requested', by: request.label };
    for (const name of resolved.modules) if (!roots.has(name)) roots.set(name, cause);
    for (const name of resolved.builtins) if (!builtins.has(name)) builtins.set(name, cause);
    warnings.push(...resolved.warnings);
  }
  const gathering = await gatherModules(kernel, lookup, unpacker, roots.keys());
  warnings.push(...gathering.warnings);
  for (const [name, cause] of gathering.builtins) if (!builtins.has(name)) builtins.set(name, cause);
  const loaded = causesFrom(gathering, roots);
  const all = causesFrom(gathering, loaded, true);
  const modules = orderedModules(kernel, gathering, [...roots.keys(), ...all.keys()], loaded, all);
  const builtinModules = [...builtins].map(([name, cause]) => ({ name, cause }));
  const firmware = await collectFirmware(kernel, modules, builtinModules, { unpacker, strict }, warnings);
  return { release: kernel.release, modules, builtins: builtinModules, firmware, warnings };
}

/** Follows dependencies from modules with a known cause, nearest first; `ship` follows weakdeps and PHY families too. */
function causesFrom(
  { modules }: Gathering,
  from: ReadonlyMap<string, ModuleCause>,
  ship = false,
): Map<string, ModuleCause> {
  const causes = new Map(from);
  const follow = (next: (name: string) => readonly (readonly [readonly string[], ModuleCause['kind']])[]) => {
    for (const name of causes.keys()) {
      // A Map's iterator also comes to what is added meanwhile: this is the breadth-first walk.
      for (const [list, kind] of next(name)) {
        for (const target of list) {
          if (!causes.has(target)) causes.set(target, { kind, of: name } as ModuleCause);
        }
      }
    }
  };
  follow((name) => {
    const module = modules.get(name)!;
    return [
      [module.direct, 'dependency'],
      [[...module.pre, ...module.post], 'softdep'],
      ...(ship
        ? ([
            [module.weak, 'weakdep'],
            [module.phy, 'phy'],
          ] as const)
        : []),
    ];
  });
  // What modules.dep lists, but no module on the way owns up to.
  follow((name) => [[modules.get(name)!.hard, 'dependency']]);
  return causes;
}

function orderedModules(
  kernel: Kernel,
  { modules }: Gathering,
  roots: readonly string[],
  loaded: ReadonlyMap<string, ModuleCause>,
  all: ReadonlyMap<string, ModuleCause>,
): ClosureModule[] {
  const toLoad = new Map([...modules].filter(([name]) => loaded.has(name)));
  const order = loadOrder(toLoad, roots);
  const shipped = loadOrder(modules, [...order, ...roots]).filter((name) => !loaded.has(name));
  const rank = new Map([...order, ...shipped].map((name, index) => [name, index]));
  return [...rank.keys()].map((name) => {
    const module = modules.get(name)!;
    const needs = new Set<string>();
    for (const pending = [...module.hard]; pending.length > 0; ) {
      const next = pending.pop()!;
      if (next === name || needs.has(next)) continue;
      needs.add(next);
      pending.push(...(modules.get(next)?.hard ?? []));
    }
    return {
      name,
      path: module.packed.path,
      hostPath: module.packed.hostPath,
      compression: module.packed.compression,
      target: `/lib/modules/${kernel.release}/${targetRelative(module.file.relative)}`,
      cause: all.get(name)!,
      load: loaded.has(name),
      data: module.data,
      dependencies: [...needs].sort((a, b) => rank.get(a)! - rank.get(b)!),
      info: module.info,
    };
  });
}

async function collectFirmware(
  kernel: Kernel,
  modules: readonly ClosureModule[],
  builtins: readonly BuiltinModule[],
  { unpacker, strict }: Required<ClosureOptions>,
  warnings: string[],
): Promise<FirmwareFile[]> {
  const search = new FirmwareSearch(kernel.sysroot, kernel.release);
  const found = new Map<BytePath, FoundFirmware & { cause: ModuleCause }>();
  const missing: string[] = [];
  const owners = [
    ...modules.map(({ name, info, load }) => ({ name, wanted: info.firmware, load })),
    ...builtins.map(({ name }) => ({ name, wanted: kernel.builtins.infoOf(name).firmware, load: true })),
  ];
  for (const { name, wanted, load } of owners) {
    const absent: string[] = [];
    for (const pattern of new Set(wanted)) {
      const files = search.find(pattern);
      if (files.length === 0) absent.push(pattern);
      for (const file of files) {
        if (!found.has(file.target))
          found.set(file.target, { ...file, cause: { kind: 'firmware', of: name } });
      }
    }
    if (absent.length === 0) continue;
    const text = missingFirmware(name, absent);
    if (load) missing.push(text);
    warnings.push(text);
  }
  if (strict && missing.length > 0) {
    throw new MkrootError(
      `Cannot collect firmware from "${kernel.sysroot.displayName}": ${missing.length === 1 ? 'a module lacks' : `${missing.length} modules lack`} some of it`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Install the packages in the root, or leave out --strict: only some chips need their firmware.',
        details: missing,
      },
    );
  }
  const files = [...found.values()].sort((a, b) => (a.target < b.target ? -1 : 1));
  const packed = files.filter(({ compression }) => compression !== 'none');
  const unpacked = await unpacker.unpack(packed);
  return files.map((file) => ({ ...file, data: unpacked[packed.indexOf(file)] }));
}

function missingFirmware(module: string, names: readonly BytePath[]): string {
  const packages = [...new Set(names.map(debianFirmwarePackage))].sort();
  return `firmware of ${module} is not in the root: ${names.map(displayPath).join(', ')} (Debian: ${packages.join(', ')}; only some chips need it)`;
}
