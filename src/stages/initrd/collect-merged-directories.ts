import { directoryEntry, symlinkEntry } from '../../archive/entry.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import type { BytePath } from '../../ports/byte-path.js';

/** Links at the top of the archive and where they lead. */
const MERGED_DIRECTORIES: Readonly<Record<BytePath, BytePath>> = {
  bin: 'usr/bin',
  sbin: 'usr/sbin',
  lib: 'usr/lib',
};

/**
 * Makes the archive usr-merged, as today's roots are: what the root has below /lib and what it has below /usr/lib then meet
 * in one place, whichever of the two an interpreter, a library path or the kernel names. Call it on an empty tree.
 */
export function collectMergedDirectories(tree: ArchiveTree): void {
  const reason: Reason = { kind: 'base', what: 'usr-merged directories' };
  for (const [path, target] of Object.entries(MERGED_DIRECTORIES)) {
    tree.add(directoryEntry(target, reason));
    tree.add(symlinkEntry(path, target, reason));
  }
}
