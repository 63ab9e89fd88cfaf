import type { BytePath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { type ModuleFile, type ModuleIndex, moduleFile } from './module-file.js';
import { isModulePath, moduleName } from './module-name.js';
import type { SearchOrder } from './search-order.js';

/** Links to the kernel's source that lie beside the modules, which depmod passes over as well. */
const NOT_MODULES = new Set(['build', 'source']);

/** {@link ModuleIndex} without modules.dep: every module file below the directory, dependencies left to the modules. */
export class ModuleTree implements ModuleIndex {
  readonly #files: ReadonlyMap<string, ModuleFile>;

  constructor(sysroot: Sysroot, directory: BytePath, order: SearchOrder) {
    const candidates = new Map<string, BytePath[]>();
    for (const top of sysroot.list(directory)) {
      if (NOT_MODULES.has(top)) continue;
      for (const relative of modulesBelow(sysroot, directory, top)) {
        const name = moduleName(relative);
        const paths = candidates.get(name);
        if (paths === undefined) candidates.set(name, [relative]);
        else paths.push(relative);
      }
    }
    this.#files = new Map(
      [...candidates].map(([name, paths]) => [
        name,
        moduleFile(directory, paths.length === 1 ? paths[0]! : paths[order.winner(name, paths)]!),
      ]),
    );
  }

  find(name: string): ModuleFile | undefined {
    return this.#files.get(name);
  }

  names(): Iterable<string> {
    return this.#files.keys();
  }

  dependencies(): undefined {
    return undefined;
  }
}

function* modulesBelow(sysroot: Sysroot, directory: BytePath, top: BytePath): Generator<BytePath> {
  if (isModulePath(top)) {
    yield top;
    return;
  }
  // Only the names matter here, so directories are listed rather than walked: a name with ".ko" is a module (or a link
  // to one, as in weak-updates), one without a dot may be a directory.
  const pending = [top];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const stat = sysroot.fs.lstat(`${sysroot.root}${directory}/${below}`);
    if (stat?.kind !== 'directory') continue;
    for (const name of sysroot.fs.readdir(`${sysroot.root}${directory}/${below}`)) {
      if (isModulePath(name)) yield `${below}/${name}`;
      else pending.push(`${below}/${name}`);
    }
  }
}
