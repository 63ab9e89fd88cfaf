import type { BytePath } from '../ports/byte-path.js';
import { type LayerEntry, parentPath, pathsAbove } from './layer-entry.js';
import type { LayerView, ViewedEntry } from './layer-view.js';

/**
 * A layer as data: what it has at each path. Nothing is written before somebody writes it; the same calls in the same
 * order give the same tree.
 */
export class LayerTree implements LayerView {
  readonly #entries = new Map<BytePath, LayerEntry>();
  readonly #names = new Map<BytePath, Set<BytePath>>();
  /** Until something is put or taken away. */
  #sorted: readonly LayerEntry[] | undefined;

  /** @param origin of the directories that nobody asked for by name. */
  constructor(private readonly origin: string) {
    this.#place(impliedDirectory('/', origin, false));
  }

  /** What is at a path of this layer itself. */
  get(path: BytePath): LayerEntry | undefined {
    return this.#entries.get(path);
  }

  /** See {@link LayerView}. */
  entry(path: BytePath): ViewedEntry | undefined {
    return this.#entries.get(path);
  }

  /** See {@link LayerView}. */
  names(path: BytePath): BytePath[] {
    return [...(this.#names.get(path) ?? [])].sort();
  }

  /** Every entry in the order of its path's bytes; a directory comes before what is in it. */
  entries(): readonly LayerEntry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : 0,
    );
    return this.#sorted;
  }

  /** Number of entries, the layer itself counted. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Puts an entry over what is there, as overlayfs would show it: directories merge, everything else replaces. A directory
   * where something was deleted or was no directory shows nothing of the layers below.
   */
  put(entry: LayerEntry): void {
    // Whatever is in a tree lies in directories of the tree.
    if (this.#entries.get(parentPath(entry.path))?.kind !== 'directory') {
      for (const above of pathsAbove(entry.path)) {
        const existing = this.#entries.get(above);
        if (existing?.kind === 'directory') continue;
        this.#place(impliedDirectory(above, entry.origin, existing !== undefined));
      }
    }
    const existing = this.#entries.get(entry.path);
    if (entry.kind !== 'directory') {
      if (existing !== undefined) this.remove(entry.path);
      this.#place(entry);
      return;
    }
    if (existing === undefined) this.#place(entry);
    else if (existing.kind !== 'directory') this.#place({ ...entry, clears: true });
    else if (entry.declared || !existing.declared) {
      this.#place({ ...entry, clears: existing.clears || entry.clears });
    }
  }

  /** Takes a path and everything below it out of this layer, as if it had never been put. */
  remove(path: BytePath): void {
    for (const name of this.names(path)) this.remove(path === '/' ? `/${name}` : `${path}/${name}`);
    if (path === '/') return;
    this.#sorted = undefined;
    this.#entries.delete(path);
    this.#names.delete(path);
    this.#names.get(parentPath(path))?.delete(path.slice(path.lastIndexOf('/') + 1));
  }

  /** Puts everything of another tree over this one. */
  merge(upper: LayerTree): void {
    for (const entry of upper.entries()) this.put(entry);
  }

  #place(entry: LayerEntry): void {
    this.#sorted = undefined;
    this.#entries.set(entry.path, entry);
    if (entry.path === '/') return;
    const parent = parentPath(entry.path);
    const names = this.#names.get(parent);
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    if (names === undefined) this.#names.set(parent, new Set([name]));
    else names.add(name);
  }
}

function impliedDirectory(path: BytePath, origin: string, clears: boolean): LayerEntry {
  return { kind: 'directory', path, mode: 0o755, uid: 0, gid: 0, declared: false, clears, origin };
}
