import type { BytePath } from '../ports/byte-path.js';
import { type ModuleFile, type ModuleIndex, moduleFile } from './module-file.js';
import { isModulePath, moduleName } from './module-name.js';
import type { SearchOrder } from './search-order.js';
import { badLine, textLines } from './text-lines.js';

/** Where modules.dep was found and what its paths refer to. */
export interface ModulesDepContext {
  /** Of modules.dep itself, inside the root. */
  readonly path: BytePath;
  /** The modules directory, inside the root. */
  readonly directory: BytePath;
  readonly release: string;
  readonly order: SearchOrder;
}

/** {@link ModuleIndex} over the text of modules.dep (modules.dep(5)). Only the offset of each module's line is kept. */
export class ModulesDep implements ModuleIndex {
  readonly #offsets = new Map<string, number>();

  /** @throws MkrootError that names file and line for a line that is no `module: dependencies`. */
  constructor(
    private readonly context: ModulesDepContext,
    private readonly text: string,
  ) {
    for (const line of textLines(context.path, text)) {
      const colon = line.text.indexOf(':');
      const path = line.text.slice(0, Math.max(0, colon));
      if (!isModulePath(path)) {
        throw badLine(context.path, text, line.start, 'it does not begin with a module and a colon');
      }
      const name = moduleName(path);
      const before = this.#offsets.get(name);
      if (before === undefined || this.#wins(name, path, before)) this.#offsets.set(name, line.start);
    }
  }

  find(name: string): ModuleFile | undefined {
    const offset = this.#offsets.get(name);
    if (offset === undefined) return undefined;
    return moduleFile(this.context.directory, this.#relative(this.#pathAt(offset)));
  }

  names(): Iterable<string> {
    return this.#offsets.keys();
  }

  dependencies(name: string): readonly string[] | undefined {
    const offset = this.#offsets.get(name);
    if (offset === undefined) return undefined;
    const list = this.text.slice(this.text.indexOf(':', offset) + 1, this.text.indexOf('\n', offset));
    const paths = list.split(' ').filter((path) => path !== '');
    return paths.map((path) => {
      const dependency = moduleName(path);
      // A path is only a name here: the winner of that name is meant, never the copy that lost.
      if (isModulePath(path) && this.#offsets.has(dependency)) return dependency;
      throw badLine(this.context.path, this.text, offset, `it names "${path}", which has no line of its own`);
    });
  }

  #pathAt(offset: number): BytePath {
    return this.text.slice(offset, this.text.indexOf(':', offset));
  }

  #wins(name: string, path: BytePath, before: number): boolean {
    const paths = [this.#pathAt(before), path].map((candidate) => this.#relative(candidate));
    return this.context.order.winner(name, paths) === 1;
  }

  /** busybox's depmod and old ones write absolute paths, with or without /usr. */
  #relative(path: BytePath): BytePath {
    const prefix = [
      `/lib/modules/${this.context.release}/`,
      `/usr/lib/modules/${this.context.release}/`,
    ].find((candidate) => path.startsWith(candidate));
    return prefix === undefined ? path.replace(/^\.\//, '') : path.slice(prefix.length);
  }
}
