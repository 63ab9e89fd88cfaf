import type { BytePath } from '../ports/byte-path.js';
import { childPath } from './layer-entry.js';
import type { LayerTree } from './layer-tree.js';
import type { LayerView, ViewedEntry } from './layer-view.js';

/**
 * Fits a layer to what lies below it. overlayfs shows a merged directory with owner and mode of the topmost layer, so
 * directories that nobody declared otherwise take those of the directory that they will cover; and a directory that hides
 * what lies below gets one whiteout for each name there.
 * @param paths only these, if not all.
 */
export function settleLayer(tree: LayerTree, below: LayerView, paths?: readonly BytePath[]): void {
  const entries = paths === undefined ? tree.entries() : paths.map((path) => tree.get(path));
  for (const entry of entries) {
    if (entry?.kind !== 'directory') continue;
    const covered = below.entry(entry.path);
    if (covered?.kind !== 'directory') continue;
    if (entry.clears) hideBelow(tree, below, entry.path, entry.origin);
    else if (!entry.declared && !hasSameOwnership(entry, covered)) {
      tree.put({ ...entry, mode: covered.mode, uid: covered.uid, gid: covered.gid });
    }
  }
}

function hideBelow(tree: LayerTree, below: LayerView, path: BytePath, origin: string): void {
  for (const name of below.names(path)) {
    const child = childPath(path, name);
    const own = tree.get(child);
    if (own === undefined) {
      tree.put({ kind: 'whiteout', path: child, mode: 0, uid: 0, gid: 0, origin });
    } else if (own.kind === 'directory' && below.entry(child)?.kind === 'directory') {
      hideBelow(tree, below, child, origin);
    }
  }
}

function hasSameOwnership(one: ViewedEntry, other: ViewedEntry): boolean {
  return one.mode === other.mode && one.uid === other.uid && one.gid === other.gid;
}
