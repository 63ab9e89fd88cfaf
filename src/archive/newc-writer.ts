import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { type ArchiveEntry, checkEntryPath, entrySize, type FileEntry, TRAILER_NAME } from './entry.js';

/** Every number in a newc header has eight hexadecimal digits. */
const MAX_NUMBER = 0xffffffff;

const CHUNK_SIZE = 1 << 20;

/** Bytes of an archive that is made in memory; compressors and write(2) take no more at once. */
const MAX_WHOLE = 2 ** 31 - 2;

/** File type bits of a header's mode, from cpio(5). */
const TYPE_BITS = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
};

/** What can be set about an archive as a whole. */
export interface NewcOptions {
  /** Later times are set to this one (seconds since the epoch). 0, the default, gives every entry time 0. */
  readonly maxMtime?: number;
  /** Inode of the first entry, default 1. Only matters for archives that are joined without a trailer between them. */
  readonly firstInode?: number;
}

/** What was written. */
export interface NewcSummary {
  readonly bytes: number;
  /** Without the trailer. */
  readonly entries: number;
  /** The first inode that was not used. */
  readonly nextInode: number;
}

interface Record {
  readonly header: string;
  /** The file whose bytes follow the header; other names of a hard-linked file have none. */
  readonly body: FileEntry | undefined;
  readonly bodySize: number;
}

interface Plan extends NewcSummary {
  readonly records: readonly Record[];
}

/**
 * Serialises entries as a cpio "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst) with trailer.
 * The entries come as they are to be unpacked: parents first. Inodes are renumbered, hard links carry their data with the
 * last name as GNU cpio and the kernel's gen_init_cpio write it. The archive's length is a multiple of 4.
 *
 * A yielded piece is only valid until the next one is asked for. Everything that can be known beforehand is checked before
 * this function returns.
 * @throws MkrootError for a file of 4 GiB or more, a number that does not fit, a bad name; while reading, for a host file
 *   that cannot be read or whose size is not the one that its entry states.
 */
export function writeNewc(
  entries: Iterable<ArchiveEntry>,
  fs: ReadFileSystem,
  options: NewcOptions = {},
): Generator<Uint8Array, NewcSummary> {
  return serialise(plan(entries, options), fs, CHUNK_SIZE);
}

/** The whole archive of {@link writeNewc} in one array, for archives that are compressed in memory. */
export function newcBytes(
  entries: Iterable<ArchiveEntry>,
  fs: ReadFileSystem,
  options: NewcOptions = {},
): Uint8Array {
  const planned = plan(entries, options);
  if (planned.bytes > MAX_WHOLE) {
    throw new MkrootError(
      `Cannot archive ${planned.bytes} bytes in one piece: an initramfs is made in memory, up to 2 GiB`,
      { hint: 'Leave large files to the root, which the node mounts.' },
    );
  }
  // The buffer holds everything, so that there is exactly one piece.
  const { value } = serialise(planned, fs, planned.bytes).next();
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function plan(entries: Iterable<ArchiveEntry>, options: NewcOptions): Plan {
  const all = [...entries];
  const links = countLinks(all);
  const maxMtime = clamp(options.maxMtime ?? 0, MAX_NUMBER);
  let nextInode = options.firstInode ?? 1;
  let bytes = 0;
  const records: Record[] = [];
  for (const [index, entry] of all.entries()) {
    checkNumbers(entry);
    const group = entry.kind === 'file' && entry.linkKey !== undefined ? links.get(entry.linkKey) : undefined;
    let inode: number;
    if (group === undefined) inode = nextInode++;
    else {
      if (group.inode === undefined) group.inode = nextInode++;
      inode = group.inode;
    }
    const carriesData = group === undefined || group.last === index;
    const bodySize = entry.kind === 'file' && carriesData ? entrySize(entry) : 0;
    const header = headerOf(entry, {
      inode,
      nlink: entry.kind === 'directory' ? 2 : (group?.names ?? 1),
      mtime: Math.min(clamp(entry.mtime, MAX_NUMBER), maxMtime),
      size: entry.kind === 'symlink' ? entry.target.length : bodySize,
    });
    bytes += header.length + padded(bodySize);
    records.push({ header, bodySize, body: entry.kind === 'file' && carriesData ? entry : undefined });
  }
  const trailer = headerText(TRAILER_NAME, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  records.push({ header: trailer, body: undefined, bodySize: 0 });
  if (nextInode > MAX_NUMBER) throw new MkrootError('Cannot write the archive: it has too many entries');
  return { records, bytes: bytes + trailer.length, entries: all.length, nextInode };
}

interface LinkGroup {
  names: number;
  /** Index of the entry that carries the data. */
  last: number;
  inode: number | undefined;
  readonly size: number;
}

function countLinks(entries: readonly ArchiveEntry[]): Map<string, LinkGroup> {
  const groups = new Map<string, LinkGroup>();
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'file' || entry.linkKey === undefined) continue;
    const group = groups.get(entry.linkKey);
    if (group === undefined) {
      groups.set(entry.linkKey, { names: 1, last: index, inode: undefined, size: entrySize(entry) });
      continue;
    }
    if (group.size !== entrySize(entry)) {
      throw refusal(entry.path, 'it is a hard link to a file of another size');
    }
    group.names += 1;
    group.last = index;
  }
  return groups;
}

function checkNumbers(entry: ArchiveEntry): void {
  checkEntryPath(entry.path);
  const size = entrySize(entry);
  if (size > MAX_NUMBER) {
    throw new MkrootError(
      `Cannot archive "${displayPath(entry.path)}": it has ${size} bytes; cpio newc holds files of less than 4 GiB`,
      { hint: 'Leave it out of the initrd, or split it.' },
    );
  }
  for (const [name, value, max] of [
    ['mode', entry.mode, 0o7777],
    ['uid', entry.uid, MAX_NUMBER],
    ['gid', entry.gid, MAX_NUMBER],
    ...(entry.kind === 'device'
      ? ([
          ['device major', entry.major, 0xfff],
          ['device minor', entry.minor, 0xfffff],
        ] as const)
      : []),
  ] as const) {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw refusal(entry.path, `its ${name} is ${value}; the format holds 0 to ${max}`);
    }
  }
}

function headerOf(
  entry: ArchiveEntry,
  { inode, nlink, mtime, size }: { inode: number; nlink: number; mtime: number; size: number },
): string {
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0];
  const type = TYPE_BITS[entry.kind === 'device' ? entry.type : entry.kind];
  const text = headerText(entry.path, [
    inode,
    type | entry.mode,
    entry.uid,
    entry.gid,
    nlink,
    mtime,
    size,
    0,
    0,
    major,
    minor,
  ]);
  return entry.kind === 'symlink' ? text + pad(entry.target) : text;
}

/** Header, name, NUL and padding as latin1 text. */
function headerText(name: BytePath, numbers: readonly number[]): string {
  let text = '070701';
  for (const number of [...numbers, name.length + 1, 0]) text += number.toString(16).padStart(8, '0');
  return pad(`${text}${name}\0`);
}

function* serialise(
  planned: Plan,
  fs: ReadFileSystem,
  chunkSize: number,
): Generator<Uint8Array, NewcSummary> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  let used = 0;
  for (const { header, body, bodySize } of planned.records) {
    if (used + header.length > chunkSize) {
      yield buffer.subarray(0, used);
      used = 0;
    }
    used += buffer.write(header, used, 'latin1');
    if (body === undefined) continue;
    for (const piece of pieces(body, fs, bodySize)) {
      if (used + piece.length > chunkSize) {
        if (used > 0) yield buffer.subarray(0, used);
        used = 0;
        if (piece.length > chunkSize / 2) {
          // Copying a large piece would cost more than the write call that it saves.
          yield piece;
          continue;
        }
      }
      buffer.set(piece, used);
      used += piece.length;
    }
    const padding = padded(bodySize) - bodySize;
    if (used + padding > chunkSize) {
      yield buffer.subarray(0, used);
      used = 0;
    }
    buffer.fill(0, used, used + padding);
    used += padding;
  }
  if (used > 0) yield buffer.subarray(0, used);
  return { bytes: planned.bytes, entries: planned.entries, nextInode: planned.nextInode };
}

function* pieces(entry: FileEntry, fs: ReadFileSystem, size: number): Generator<Uint8Array> {
  const { content } = entry;
  if (content.from === 'bytes') {
    yield content.data;
    return;
  }
  // One byte more than the file should have, to see in one read that it has grown.
  const chunk = Math.min(CHUNK_SIZE, size + 1);
  let total = 0;
  for (const piece of fs.readChunks(content.hostPath, chunk)) {
    total += piece.length;
    if (total > size) break;
    const isEnd = total === size && piece.length < chunk; // a short read of a regular file
    yield piece;
    if (isEnd) break;
  }
  if (total !== size) {
    throw new MkrootError(
      `Cannot archive "${displayPath(content.hostPath)}": it changed while it was read (${size} bytes at first, then ${
        total > size ? 'more' : total
      })`,
      { exitCode: ExitCode.Io, hint: 'Run the command again when nothing writes to the file.' },
    );
  }
}

function pad(text: string): string {
  return text + '\0'.repeat(padded(text.length) - text.length);
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function clamp(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(Math.floor(value), 0), max) : 0;
}

function refusal(path: BytePath, what: string): MkrootError {
  return new MkrootError(`Cannot archive "${displayPath(path)}": ${what}`);
}
