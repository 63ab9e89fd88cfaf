import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Kernel } from './kernel.js';
import type { ModuleClosure } from './module-closure.js';

/** A small text file for the image. */
export interface IndexFile {
  /** Where it goes in the image. */
  readonly target: BytePath;
  /** One character per byte (latin1), as module files are. */
  readonly text: string;
}

/**
 * The index files for the modules of a closure, as depmod(8) would write them for just these, with the unpacked modules'
 * paths. `modules.dep`, `modules.alias` and `modules.builtin` are what busybox modprobe reads; `modules.softdep`,
 * `modules.weakdep` and `modules.order` let depmod and kmod on the node come to the same result. Same closure, same bytes.
 * @throws MkrootError for a path with blanks or a newline, which the format cannot hold.
 */
export function textIndexes(kernel: Kernel, closure: ModuleClosure): IndexFile[] {
  const directory = `/lib/modules/${closure.release}`;
  const modules = [...closure.modules].sort((a, b) => (a.target < b.target ? -1 : 1));
  const unfit = modules.find(({ target }) => /\s/.test(target));
  if (unfit !== undefined) {
    throw new MkrootError(
      `Cannot list "${displayPath(unfit.target)}" in modules.dep: its path has blanks in it`,
      {
        hint: 'Rename the module in the root; modprobe could not find it there either.',
      },
    );
  }
  const relative = new Map(modules.map(({ name, target }) => [name, target.slice(directory.length + 1)]));
  // modprobe loads a line's modules from right to left, so the one that has to come first is written last.
  const dependencies = modules.map(
    ({ name, dependencies: needs }) =>
      `${relative.get(name)}:${[...needs]
        .reverse()
        .map((need) => ` ${relative.get(need)}`)
        .join('')}`,
  );
  const aliases = modules.flatMap(({ name, info }) => info.aliases.map((alias) => `alias ${alias} ${name}`));
  const softdeps = modules
    .filter(({ info }) => info.softdep.pre.length + info.softdep.post.length > 0)
    .map(({ name, info: { softdep } }) =>
      [
        `softdep ${name}`,
        ...(softdep.pre.length > 0 ? ['pre:', ...softdep.pre] : []),
        ...(softdep.post.length > 0 ? ['post:', ...softdep.post] : []),
      ].join(' '),
    );
  const weakdeps = modules.flatMap(({ name, info }) =>
    info.weakdeps.map((weak) => `weakdep ${name} ${weak}`),
  );
  const builtins = kernel.builtins
    .names()
    .map((name) => kernel.builtins.pathOf(name))
    .filter((path) => path !== undefined);
  const files: readonly (readonly [string, readonly string[]])[] = [
    ['modules.alias', aliases],
    ['modules.builtin', builtins],
    ['modules.dep', dependencies],
    ['modules.order', closure.modules.map(({ name }) => relative.get(name)!)],
    ['modules.softdep', softdeps],
    ['modules.weakdep', weakdeps],
  ];
  return files.map(([name, lines]) => ({
    target: `${directory}/${name}`,
    text: lines.map((line) => `${line}\n`).join(''),
  }));
}
