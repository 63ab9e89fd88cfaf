import type { BytePath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';

/** What was put together. */
export interface FlattenedTree {
  /** Sum of the sizes of the regular files, each inode once, in bytes. */
  readonly bytes: number;
  /** Entries of every kind, the root directory not counted. */
  readonly entries: number;
  /** Every directory, parents first, relative to the tree ('.' is its root). */
  readonly directories: readonly BytePath[];
}

/**
 * Puts together one tree out of layers without copying a byte: directories are made anew, everything else is a hard link
 * into the topmost layer that has it. What exists is asked from `merged`, the kernel's own view of the layers, so that
 * whiteouts and opaque directories need no interpretation of ours.
 *
 * Owner, mode and time of the directories are left to the caller, who has tools that know extended attributes.
 * @param layers the lowest first; all in the file system of `target`.
 * @param target is made; it must not exist.
 */
export function flattenLayers(
  fs: FileSystem,
  merged: BytePath,
  layers: readonly BytePath[],
  target: BytePath,
): FlattenedTree {
  const directories: BytePath[] = ['.'];
  const inodes = new Set<number>();
  let bytes = 0;
  let entries = 0;
  const visit = (path: BytePath, topmostFirst: readonly BytePath[]) => {
    const holders = holdersByName(fs, topmostFirst, path);
    for (const name of fs.readdir(`${merged}${path}`)) {
      const child = `${path}/${name}`;
      const having = holders.get(name) ?? [];
      const stat = fs.lstat(`${having[0]}${child}`);
      entries += 1;
      if (stat?.kind === 'directory') {
        fs.mkdir(`${target}${child}`, 0o700);
        directories.push(`.${child}`);
        visit(child, having);
        continue;
      }
      fs.link(`${having[0]}${child}`, `${target}${child}`);
      if (stat?.kind === 'file' && !inodes.has(stat.ino)) {
        inodes.add(stat.ino);
        bytes += stat.size;
      }
    }
  };
  fs.mkdir(target, 0o700);
  visit('', [...layers].reverse());
  return { bytes, entries, directories };
}

/** For each name in a directory the layers that have it, the topmost first. */
function holdersByName(
  fs: ReadFileSystem,
  topmostFirst: readonly BytePath[],
  path: BytePath,
): Map<BytePath, BytePath[]> {
  const holders = new Map<BytePath, BytePath[]>();
  for (const layer of topmostFirst) {
    if (topmostFirst.length > 1 && fs.lstat(`${layer}${path}`)?.kind !== 'directory') continue;
    for (const name of fs.readdir(`${layer}${path}`)) {
      const having = holders.get(name);
      if (having === undefined) holders.set(name, [layer]);
      else having.push(layer);
    }
  }
  return holders;
}
