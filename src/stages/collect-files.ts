import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  hostFileEntry,
  symlinkEntry,
} from '../archive/entry.js';
import type { Reason } from '../archive/reason.js';
import type { ArchiveTree } from '../archive/tree.js';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';

/** A file or directory of the host that goes into the initramfs. */
export interface ExtraFile {
  readonly source: BytePath;
  /** Absolute path inside the initramfs. */
  readonly destination: BytePath;
  readonly reason: Reason;
}

/**
 * Adds files of the host; a directory goes in whole. Permissions are kept, owners become root (the host's ids mean nothing on
 * a node); a file of several names stays one file. A link that is named itself is followed, links below a directory are kept.
 * @throws MkrootError NotFound for a missing source; InvalidInput for a socket or named pipe.
 */
export function collectFiles(tree: ArchiveTree, fs: ReadFileSystem, files: readonly ExtraFile[]): void {
  for (const { source, destination, reason } of files) {
    const path = destination.replace(/^\/+/, '').replace(/\/+$/, '');
    const opened = followLinks(fs, source);
    const stat = fs.lstat(opened);
    if (stat === undefined) {
      throw new MkrootError(`Cannot add "${displayPath(source)}": there is no such file or directory`, {
        exitCode: ExitCode.NotFound,
        hint: 'Give an existing SRC, as in --file SRC:DST.',
      });
    }
    addBelow(tree, fs, opened, path, stat, reason);
  }
}

function addBelow(
  tree: ArchiveTree,
  fs: ReadFileSystem,
  hostPath: BytePath,
  path: BytePath,
  stat: FileStat,
  reason: Reason,
): void {
  if (path !== '') tree.add(entryOf(fs, hostPath, path, stat, reason));
  if (stat.kind !== 'directory') return;
  for (const name of fs.readdir(hostPath)) {
    const child = `${hostPath}/${name}`;
    const childStat = fs.lstat(child);
    if (childStat !== undefined)
      addBelow(tree, fs, child, path === '' ? name : `${path}/${name}`, childStat, reason);
  }
}

function entryOf(
  fs: ReadFileSystem,
  hostPath: BytePath,
  path: BytePath,
  stat: FileStat,
  reason: Reason,
): ArchiveEntry {
  const { kind, mode, size, rdev } = stat;
  switch (kind) {
    case 'file': {
      const linkKey = stat.nlink > 1 ? { linkKey: `${stat.dev}:${stat.ino}` } : {};
      return hostFileEntry(path, { hostPath, size, ...linkKey }, reason, { mode });
    }
    case 'directory':
      return directoryEntry(path, reason, { mode });
    case 'symlink':
      return symlinkEntry(path, fs.readlink(hostPath), reason);
    case 'character':
    case 'block':
      return deviceEntry(path, { type: kind, major: rdev[0], minor: rdev[1] }, reason, { mode });
    default:
      throw new MkrootError(`Cannot add "${displayPath(hostPath)}": a ${kind} has no place in an initramfs`, {
        hint: 'Remove it from the directory, or name single files.',
      });
  }
}

/** The user's own argument may be a link; 40 is the kernel's limit, see path_resolution(7). */
function followLinks(fs: ReadFileSystem, path: BytePath): BytePath {
  let at = path;
  for (let links = 0; links <= 40; links += 1) {
    if (fs.lstat(at)?.kind !== 'symlink') return at;
    const target = fs.readlink(at);
    at = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/') + 1)}${target}`;
  }
  throw new MkrootError(`Cannot add "${displayPath(path)}": more than 40 symbolic links, probably a loop`);
}
