import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import type { ModuleAlias } from './alias-table.js';
import { type ModuleInfo, parseModuleInfo } from './modinfo.js';
import { isModulePath, moduleName, normalizeName } from './module-name.js';
import { badLine, textLines } from './text-lines.js';

/**
 * What is compiled into the kernel instead of being a file: `modules.builtin` has the names, `modules.builtin.modinfo`
 * (since Linux 5.2) what each says about itself. Both come with the kernel, not from depmod; either may be missing.
 */
export class BuiltinModules {
  /** Where the kernel says that the module's code lives, by name: `kernel/net/packet/af_packet.ko`. */
  readonly #paths: ReadonlyMap<string, BytePath>;
  readonly #strings: ReadonlyMap<string, readonly string[]>;

  private constructor(paths: ReadonlyMap<string, BytePath>, strings: ReadonlyMap<string, readonly string[]>) {
    this.#paths = paths;
    this.#strings = strings;
  }

  /** @throws MkrootError that names the file (and line) that cannot be understood. */
  static read(sysroot: Sysroot, directory: BytePath): BuiltinModules {
    return new BuiltinModules(
      readPaths(sysroot, `${directory}/modules.builtin`),
      readStrings(sysroot, `${directory}/modules.builtin.modinfo`),
    );
  }

  has(name: string): boolean {
    return this.#paths.has(name) || this.#strings.has(name);
  }

  /** Every name, in a fixed order. */
  names(): string[] {
    return [...new Set([...this.#paths.keys(), ...this.#strings.keys()])].sort();
  }

  /** Path of the module below the modules directory, as if it were a file; undefined if the kernel does not say. */
  pathOf(name: string): BytePath | undefined {
    return this.#paths.get(name);
  }

  /** What the module says about itself: it may still need firmware. */
  infoOf(name: string): ModuleInfo {
    return parseModuleInfo(this.#strings.get(name) ?? []);
  }

  *aliases(): Generator<ModuleAlias> {
    for (const [module, strings] of this.#strings) {
      for (const pattern of parseModuleInfo(strings).aliases) yield { pattern, module };
    }
  }
}

function readPaths(sysroot: Sysroot, path: BytePath): Map<string, BytePath> {
  const text = readText(sysroot, path);
  const paths = new Map<string, BytePath>();
  for (const line of textLines(path, text)) {
    if (!isModulePath(line.text)) throw badLine(path, text, line.start, 'it is not the path of a module');
    paths.set(moduleName(line.text), line.text);
  }
  return paths;
}

function readStrings(sysroot: Sysroot, path: BytePath): Map<string, string[]> {
  const text = readText(sysroot, path);
  const strings = new Map<string, string[]>();
  if (text === '') return strings;
  const entries = text.split('\0');
  if (entries.pop() !== '') throw badModinfo(path, 'the file is cut off in its last entry');
  for (const entry of entries) {
    const dot = entry.indexOf('.');
    if (dot < 1 || entry.indexOf('=', dot) < 0)
      throw badModinfo(path, 'an entry is not of the form "module.key=value"');
    const name = normalizeName(entry.slice(0, dot));
    const list = strings.get(name);
    if (list === undefined) strings.set(name, [entry.slice(dot + 1)]);
    else list.push(entry.slice(dot + 1));
  }
  return strings;
}

function badModinfo(path: BytePath, what: string): MkrootError {
  return new MkrootError(`Cannot read "${displayPath(path)}": ${what}`, {
    hint: 'The file is damaged; reinstall the kernel package of the root.',
  });
}

function readText(sysroot: Sysroot, path: BytePath): string {
  return sysroot.isFile(path) ? Buffer.from(sysroot.readFile(path)).toString('latin1') : '';
}
