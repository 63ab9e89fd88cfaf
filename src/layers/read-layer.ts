import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { childPath, type LayerEntry } from './layer-entry.js';
import { LayerTree } from './layer-tree.js';
import { layerKind } from './layer-view.js';

/** A directory that is a layer already, as data: owners, modes, links and whiteouts are what they are. */
export function readLayer(fs: ReadFileSystem, directory: BytePath, label: string): LayerTree {
  const tree = new LayerTree(label);
  const visit = (path: BytePath) => {
    const entry = entryAt(fs, directory, path, label);
    if (entry === undefined) return;
    tree.put(entry);
    if (entry.kind !== 'directory') return;
    for (const name of fs.readdir(`${directory}${path}/.`)) visit(childPath(path, name));
  };
  visit('/');
  return tree;
}

function entryAt(
  fs: ReadFileSystem,
  directory: BytePath,
  path: BytePath,
  label: string,
): LayerEntry | undefined {
  const hostPath = path === '/' ? `${directory}/.` : `${directory}${path}`;
  const stat = fs.lstat(hostPath);
  if (stat === undefined) return undefined;
  const { mode, uid, gid } = stat;
  const origin = `${label}${displayPath(path)}`;
  const base = { path, mode, uid, gid, origin };
  const kind = layerKind(stat);
  switch (kind) {
    case 'directory':
      // Declared: nobody is asked what it should be, it is so.
      return { ...base, kind, declared: true, clears: false };
    case 'file':
      return { ...base, kind, declared: false, content: { source: hostPath } };
    case 'symlink':
      return { ...base, kind, target: fs.readlink(hostPath) };
    case 'whiteout':
      return { ...base, kind };
    case 'special':
      return { ...base, kind, what: stat.kind as 'character' | 'block' | 'fifo' | 'socket' };
  }
}
