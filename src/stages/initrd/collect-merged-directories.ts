import { directoryEntry, symlinkEntry } from '../../archive/entry.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Sysroot } from '../../rootfs/sysroot.js';

/** Links at the top of the archive and where they lead. */
const MERGED_DIRECTORIES: Readonly<Record<BytePath, BytePath>> = {
  bin: 'usr/bin',
  sbin: 'usr/sbin',
  lib: 'usr/lib',
};

/**
 * Makes the archive usr-merged, as today's roots are: what the root has below /lib and what it has below /usr/lib then meet
 * in one place, whichever of the two an interpreter, a library path or the kernel names. Where /usr/sbin of the root is /usr/bin (Fedora
 * since 42, Arch Linux) it is that in the archive, too. Call it on an empty tree.
 */
export function collectMergedDirectories(tree: ArchiveTree, root: Sysroot): void {
  const reason: Reason = { kind: 'base', what: 'usr-merged directories' };
  for (const [path, target] of Object.entries(MERGED_DIRECTORIES)) {
    const isBin = target === 'usr/sbin' && root.resolve('/usr/sbin')?.path === '/usr/bin';
    tree.add(isBin ? symlinkEntry(target, 'bin', reason) : directoryEntry(target, reason));
    tree.add(symlinkEntry(path, target, reason));
  }
}
