import { hostFileEntry, symlinkEntry } from '../../archive/entry.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import type { ClosureCause } from '../../elf/closure-cause.js';
import { resolveElfClosure } from '../../elf/elf-closure.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { Sysroot } from '../../rootfs/sysroot.js';
import type { Wanted } from './wanted.js';

/** What busybox provides in every initramfs; a script's `#!/bin/sh` does not bring another shell. */
const PROVIDED: ReadonlySet<BytePath> = new Set(['/bin/sh']);

/**
 * Adds programs of the root with everything that they need to run: loader, libraries, links, interpreters, data files. A program
 * takes the place of the busybox applet of the same name. Returns sentences for the user.
 */
export function collectPrograms(
  tree: ArchiveTree,
  root: Sysroot,
  programs: readonly Wanted[],
): readonly string[] {
  const reasons = new Map(programs.map(({ value, reason }) => [value, reason]));
  const { files, placements, warnings } = resolveElfClosure(
    root,
    programs.map(({ value }) => ({ path: toBytePath(value), label: value })),
    { provided: PROVIDED },
  );
  const toReason = (cause: ClosureCause) => reasonOf(cause, reasons, (path) => tree.placeOf(relative(path)));
  // Links first: what lies behind them then lands where they lead.
  for (const { path, links, cause } of files) {
    const reason: Reason =
      cause.kind === 'requested' ? toReason(cause) : { kind: 'link', of: relative(path) };
    for (const link of links) {
      if (isLinkOfTheArchive(tree, link.path)) continue;
      tree.add(symlinkEntry(relative(link.path), link.target, reason), { replace: true });
    }
  }
  for (const { path, target, cause } of placements) {
    tree.add(symlinkEntry(relative(path), target, toReason(cause)), { replace: true });
  }
  for (const { path, hostPath, stat, cause } of files) {
    const entry = hostFileEntry(relative(path), { hostPath, size: stat.size }, toReason(cause), {
      mode: stat.mode,
    });
    tree.add(entry, { replace: true });
  }
  return warnings;
}

/** /bin, /sbin and /lib are links in every archive; the root's own, equal or not, need not be repeated. */
function isLinkOfTheArchive(tree: ArchiveTree, path: BytePath): boolean {
  return path.lastIndexOf('/') === 0 && tree.get(relative(path))?.kind === 'symlink';
}

function reasonOf(
  cause: ClosureCause,
  reasons: ReadonlyMap<string, Reason>,
  placeOf: (path: BytePath) => BytePath,
): Reason {
  if (cause.kind === 'requested') return reasons.get(cause.label) ?? { kind: 'option', option: cause.label };
  const of = placeOf(cause.of);
  switch (cause.kind) {
    case 'interpreter':
    case 'shebang':
      return { kind: 'interpreter', of };
    case 'needed':
      return { kind: 'needed', of, name: cause.soname };
    case 'dlopen':
      return { kind: 'dlopen', of, feature: cause.feature };
    case 'threads':
      return { kind: 'libgcc', of };
    case 'data':
    case 'loader-configuration':
      return { kind: 'data', of };
    case 'placement':
      return { kind: 'link', of };
  }
}

function relative(path: BytePath): BytePath {
  return path.replace(/^\/+/, '');
}
