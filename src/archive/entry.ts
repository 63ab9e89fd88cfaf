import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Reason } from './reason.js';

/** Longest name the kernel unpacks: PATH_MAX with its NUL (init/initramfs.c skips longer ones without a word). */
export const MAX_PATH_BYTES = 4095;

/** Longest component of a path (NAME_MAX). */
const MAX_NAME_BYTES = 255;

/** The name of newc's last header: an entry of this name would end the archive. */
export const TRAILER_NAME = 'TRAILER!!!';

/** What every entry has. */
export interface EntryAttributes {
  /** Relative to the archive's root, without a leading slash. */
  readonly path: BytePath;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly reason: Reason;
}

/** A file's bytes: in memory, or a file of the host that is read when the archive is written. */
export type FileContent =
  | { readonly from: 'bytes'; readonly data: Uint8Array }
  | { readonly from: 'host'; readonly hostPath: BytePath; readonly size: number };

/** A regular file. Entries that share a `linkKey` are names of one file (hard links) and have the same content. */
export interface FileEntry extends EntryAttributes {
  readonly kind: 'file';
  readonly content: FileContent;
  readonly linkKey?: string;
}

/** A directory. */
export interface DirectoryEntry extends EntryAttributes {
  readonly kind: 'directory';
}

/** A symbolic link; its target is kept byte by byte. */
export interface SymlinkEntry extends EntryAttributes {
  readonly kind: 'symlink';
  readonly target: BytePath;
}

/** A device node: only a header in the archive, so it needs neither root nor mknod. */
export interface DeviceEntry extends EntryAttributes {
  readonly kind: 'device';
  readonly type: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
}

/** One entry of an archive, as data. */
export type ArchiveEntry = FileEntry | DirectoryEntry | SymlinkEntry | DeviceEntry;

/** Owner and mode where they differ from the defaults. */
export interface EntryOptions {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
}

/** A file with bytes from memory (text is written as UTF-8); mode 0644, root:root unless told otherwise. */
export function fileEntry(
  path: BytePath,
  data: Uint8Array | string,
  reason: Reason,
  options: EntryOptions = {},
): FileEntry {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  return {
    kind: 'file',
    ...attributes(path, reason, 0o644, options),
    content: { from: 'bytes', data: bytes },
  };
}

/** A file that is read from the host when the archive is written; mode 0644, root:root unless told otherwise. */
export function hostFileEntry(
  path: BytePath,
  source: { readonly hostPath: BytePath; readonly size: number; readonly linkKey?: string },
  reason: Reason,
  options: EntryOptions = {},
): FileEntry {
  const { hostPath, size, linkKey } = source;
  return {
    kind: 'file',
    ...attributes(path, reason, 0o644, options),
    content: { from: 'host', hostPath, size },
    ...(linkKey === undefined ? {} : { linkKey }),
  };
}

/** A directory; mode 0755, root:root unless told otherwise. */
export function directoryEntry(path: BytePath, reason: Reason, options: EntryOptions = {}): DirectoryEntry {
  return { kind: 'directory', ...attributes(path, reason, 0o755, options) };
}

/** A symbolic link, root:root unless told otherwise. */
export function symlinkEntry(
  path: BytePath,
  target: BytePath,
  reason: Reason,
  options: EntryOptions = {},
): SymlinkEntry {
  return { kind: 'symlink', ...attributes(path, reason, 0o777, options), target };
}

/** A device node; mode 0600, root:root unless told otherwise. */
export function deviceEntry(
  path: BytePath,
  device: { readonly type: 'character' | 'block'; readonly major: number; readonly minor: number },
  reason: Reason,
  options: EntryOptions = {},
): DeviceEntry {
  return { kind: 'device', ...attributes(path, reason, 0o600, options), ...device };
}

/** Bytes of data that the entry brings: a file's size, the length of a link's text, 0 for the others. */
export function entrySize(entry: ArchiveEntry): number {
  if (entry.kind === 'symlink') return entry.target.length;
  if (entry.kind !== 'file') return 0;
  return entry.content.from === 'bytes' ? entry.content.data.length : entry.content.size;
}

/**
 * Refuses a name that the kernel would skip, cut short or take for something else.
 * @throws MkrootError that says which rule of names is broken.
 */
export function checkEntryPath(path: BytePath): void {
  const problem = pathProblem(path);
  if (problem === undefined) return;
  const shown = path.length > 200 ? `${displayPath(path.slice(0, 200))}…` : displayPath(path);
  throw new MkrootError(`Cannot add "${shown}" to the archive: ${problem}`);
}

function pathProblem(path: BytePath): string | undefined {
  if (path === '') return 'the name is empty';
  if (path.startsWith('/')) return 'the name starts with a slash';
  if (path.includes('\0')) return 'the name has a NUL byte';
  if (/[^\0-\xff]/.test(path)) return 'the name is text, not bytes';
  if (path.length > MAX_PATH_BYTES)
    return `the name has ${path.length} bytes, the kernel takes ${MAX_PATH_BYTES}`;
  if (path === TRAILER_NAME) return 'this name marks the end of a cpio archive';
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') return `the name has the component "${name}"`;
    if (name.length > MAX_NAME_BYTES)
      return `a component has ${name.length} bytes, the kernel takes ${MAX_NAME_BYTES}`;
  }
  return undefined;
}

function attributes(path: BytePath, reason: Reason, mode: number, options: EntryOptions): EntryAttributes {
  return { path, mode, uid: 0, gid: 0, mtime: 0, reason, ...options };
}
