import type { BytePath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';
import { type LayerEntry, pathsAbove } from './layer-entry.js';

/** What a layer shows at a path. */
export interface ViewedEntry {
  readonly kind: LayerEntry['kind'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a link. */
  readonly target?: BytePath;
}

/** A tree that can be looked at path by path: a base root, a layer, or several on top of each other. */
export interface LayerView {
  /** What lies at a path, links not followed, anywhere; undefined if nothing does. */
  entry(path: BytePath): ViewedEntry | undefined;
  /** Names in a directory, in byte order; empty if there is no such directory. */
  names(path: BytePath): BytePath[];
}

/** A directory of the host seen as a layer: character devices 0:0 are whiteouts, and no link leads out of it. */
export class DirectoryView implements LayerView {
  readonly #directories = new Map<BytePath, boolean>();

  constructor(
    private readonly fs: ReadFileSystem,
    private readonly root: BytePath,
  ) {}

  /** The path on the host. */
  hostPath(path: BytePath): BytePath {
    return path === '/' ? `${this.root}/.` : `${this.root}${path}`;
  }

  /** See {@link LayerView}. */
  entry(path: BytePath): ViewedEntry | undefined {
    if (!pathsAbove(path).every((above) => this.#isDirectory(above))) return undefined;
    const stat = this.fs.lstat(this.hostPath(path));
    if (stat === undefined) return undefined;
    const { mode, uid, gid } = stat;
    const kind = layerKind(stat);
    return kind === 'symlink'
      ? { kind, mode, uid, gid, target: this.fs.readlink(this.hostPath(path)) }
      : { kind, mode, uid, gid };
  }

  /** See {@link LayerView}. */
  names(path: BytePath): BytePath[] {
    return [...pathsAbove(path), path].every((above) => this.#isDirectory(above))
      ? this.fs.readdir(this.hostPath(path))
      : [];
  }

  #isDirectory(path: BytePath): boolean {
    let is = this.#directories.get(path);
    if (is === undefined) {
      is = this.fs.lstat(this.hostPath(path))?.kind === 'directory';
      this.#directories.set(path, is);
    }
    return is;
  }
}

/** A view of what does not change while it is used: every path is looked at once, however many layers lie over it. */
export class CachedView implements LayerView {
  readonly #entries = new Map<BytePath, ViewedEntry | undefined>();

  constructor(private readonly view: LayerView) {}

  /** See {@link LayerView}. */
  entry(path: BytePath): ViewedEntry | undefined {
    const known = this.#entries.get(path);
    if (known !== undefined || this.#entries.has(path)) return known;
    const entry = this.view.entry(path);
    this.#entries.set(path, entry);
    return entry;
  }

  /** See {@link LayerView}. */
  names(path: BytePath): BytePath[] {
    return this.view.names(path);
  }
}

/** Layers on top of each other, as overlayfs merges them. */
export class StackView implements LayerView {
  /** @param layers the topmost first. */
  constructor(private readonly layers: readonly LayerView[]) {}

  /** See {@link LayerView}. */
  entry(path: BytePath): ViewedEntry | undefined {
    for (const layer of this.layers) {
      const entry = layer.entry(path);
      if (entry?.kind === 'whiteout') return undefined;
      if (entry !== undefined) return entry;
      if (hides(layer, pathsAbove(path))) return undefined;
    }
    return undefined;
  }

  /** See {@link LayerView}. */
  names(path: BytePath): BytePath[] {
    const shown = new Map<BytePath, boolean>();
    for (const layer of this.layers) {
      for (const name of layer.names(path)) {
        if (shown.has(name)) continue;
        const child = path === '/' ? `/${name}` : `${path}/${name}`;
        shown.set(name, layer.entry(child)?.kind !== 'whiteout');
      }
      if (hides(layer, [...pathsAbove(path), path])) break;
    }
    return [...shown]
      .filter(([, visible]) => visible)
      .map(([name]) => name)
      .sort();
  }
}

/** Whether something on the way is no directory in this layer, so that nothing below it shows. */
function hides(layer: LayerView, way: readonly BytePath[]): boolean {
  for (const path of way) {
    const entry = layer.entry(path);
    if (entry === undefined) return false;
    if (entry.kind !== 'directory') return true;
  }
  return false;
}

/** What a file of the host is as part of a layer. */
export function layerKind({ kind, rdev }: FileStat): LayerEntry['kind'] {
  switch (kind) {
    case 'file':
    case 'directory':
    case 'symlink':
      return kind;
    case 'character':
      return rdev[0] === 0 && rdev[1] === 0 ? 'whiteout' : 'special';
    default:
      return 'special';
  }
}
