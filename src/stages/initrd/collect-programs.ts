import { type ArchiveEntry, hostFileEntry, symlinkEntry } from '../../archive/entry.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import type { ClosureCause } from '../../elf/closure-cause.js';
import { resolveElfClosure } from '../../elf/elf-closure.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { Sysroot } from '../../rootfs/sysroot.js';
import type { Wanted } from './wanted.js';

/** What busybox provides in every initramfs; a script's `#!/bin/sh` (`#!/usr/bin/sh` in rpm packages) does not bring another shell. */
const PROVIDED: ReadonlySet<BytePath> = new Set(['/bin/sh', '/usr/bin/sh']);

/** What /init and the DHCP client, which has busybox alone, are run by: no program of the root takes their place. */
const INIT_RUNS_ON: readonly BytePath[] = ['bin/busybox', 'bin/sh'];

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
  const kept = new Set<string>();
  // Links first: what lies behind them then lands where they lead.
  for (const { path, links, cause } of files) {
    const reason: Reason =
      cause.kind === 'requested' ? toReason(cause) : { kind: 'link', of: relative(path) };
    for (const link of links) {
      if (isLinkOfTheArchive(tree, link.path)) continue;
      const entry = symlinkEntry(relative(link.path), link.target, reason);
      if (!isInTheWay(tree, entry, kept)) tree.add(entry, { replace: true });
    }
  }
  for (const { path, target, cause } of placements) {
    tree.add(symlinkEntry(relative(path), target, toReason(cause)), { replace: true });
  }
  for (const { path, hostPath, stat, cause } of files) {
    const entry = hostFileEntry(relative(path), { hostPath, size: stat.size }, toReason(cause), {
      mode: stat.mode,
    });
    if (!isInTheWay(tree, entry, kept)) tree.add(entry, { replace: true });
  }
  return [...warnings, ...kept];
}

/** True for another busybox or sh than the one that is there; `kept` gets a sentence about it. */
function isInTheWay(tree: ArchiveTree, entry: ArchiveEntry, kept: Set<string>): boolean {
  const place = tree.placeOf(entry.path);
  const there = tree.get(place);
  if (there === undefined || !INIT_RUNS_ON.some((path) => tree.placeOf(path) === place)) return false;
  if (sourceOf(there) === sourceOf(entry)) return false;
  kept.add(
    `"/${displayPath(entry.path)}" of the root is left out: what /init runs on has its name and does its work`,
  );
  return true;
}

function sourceOf(entry: ArchiveEntry): BytePath | undefined {
  if (entry.kind === 'symlink') return entry.target;
  return entry.kind === 'file' && entry.content.from === 'host' ? entry.content.hostPath : undefined;
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
