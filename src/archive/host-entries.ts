import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  type EntryOptions,
  hostFileEntry,
  symlinkEntry,
} from './entry.js';
import type { Reason } from './reason.js';

/** How host files become entries. */
export interface HostEntryOptions {
  readonly reason: Reason;
  /** Keep owners; root:root otherwise. Modes and times are always kept (the writer clamps times). */
  readonly keepOwner?: boolean;
}

/**
 * The entry of a file, directory, link or device of the host and everything below it, parents first. Links are taken as
 * they are. Sockets and named pipes belong to running programs and are left out.
 * `path` is the place in the archive; '' takes only what lies below the directory.
 */
export function* hostEntries(
  fs: ReadFileSystem,
  hostPath: BytePath,
  path: BytePath,
  options: HostEntryOptions,
): Generator<ArchiveEntry> {
  const { reason } = options;
  const stat = fs.lstat(hostPath);
  if (stat === undefined) return;
  const attributes: EntryOptions = {
    mode: stat.mode,
    mtime: stat.mtime,
    ...(options.keepOwner === true ? { uid: stat.uid, gid: stat.gid } : {}),
  };
  switch (stat.kind) {
    case 'directory':
      if (path !== '') yield directoryEntry(path, reason, attributes);
      for (const name of fs.readdir(hostPath)) {
        yield* hostEntries(fs, `${hostPath}/${name}`, path === '' ? name : `${path}/${name}`, options);
      }
      return;
    case 'file':
      yield hostFileEntry(
        path,
        {
          hostPath,
          size: stat.size,
          ...(stat.nlink > 1 ? { linkKey: `${stat.dev}:${stat.ino}` } : {}),
        },
        reason,
        attributes,
      );
      return;
    case 'symlink':
      yield symlinkEntry(path, fs.readlink(hostPath), reason, attributes);
      return;
    case 'character':
    case 'block': {
      const [major, minor] = stat.rdev;
      yield deviceEntry(path, { type: stat.kind, major, minor }, reason, attributes);
      return;
    }
    default:
      return;
  }
}
