import { MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { FileKind } from '../ports/file-system.js';
import { TRAILER_NAME } from './entry.js';

const NEWC_HEADER = 110;
const ODC_HEADER = 76;

/** File type bits of a header's mode, from cpio(5). */
const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o020000, 'character'],
  [0o060000, 'block'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
]);

/** One header of a cpio archive with the data that follows it. */
export interface CpioRecord {
  /** Where the header starts. */
  readonly offset: number;
  /** The name as it stands, bytes; other tools write names such as `./init` or `/init`. */
  readonly name: BytePath;
  readonly kind: FileKind;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly nlink: number;
  /** Identifies a file within one archive; hard links share it. */
  readonly inode: string;
  /** Device number of a device node: [major, minor]. */
  readonly rdev: readonly [number, number];
  /** A view of the archive, not a copy; for a symbolic link its target. */
  readonly data: Uint8Array;
}

/** One archive out of a series. */
export interface CpioArchive {
  readonly records: readonly CpioRecord[];
  /** Where it ends: behind its trailer, or where something else starts. */
  readonly end: number;
  /** False if the archive just stops; the kernel takes that, other readers do not. */
  readonly hasTrailer: boolean;
}

interface Header {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly inode: string;
  readonly rdev: readonly [number, number];
  readonly size: number;
  readonly nameSize: number;
  readonly headerSize: number;
  readonly alignment: 1 | 4;
  /** Sum of the data's bytes, in the crc format only. */
  readonly checksum: number | undefined;
}

/** True if a cpio header that this reader knows starts there: newc (070701), crc (070702) or odc (070707). */
export function isCpio(bytes: Uint8Array, offset: number): boolean {
  return ['070701', '070702', '070707'].includes(latin1(bytes, offset, offset + 6));
}

/**
 * Reads one archive up to its trailer. An archive without trailer ends where the bytes end or something starts that is no
 * cpio header, as in the kernel. Formats: newc, crc (sums are checked), and the old portable odc, which the kernel refuses.
 * Alignment counts from the start of the archive.
 * @throws MkrootError that names the byte, for anything cut short or malformed.
 */
export function readCpio(bytes: Uint8Array, offset = 0): CpioArchive {
  if (!isCpio(bytes, offset)) throw malformed(offset, 'there is no cpio header');
  const records: CpioRecord[] = [];
  let at = offset;
  while (isCpio(bytes, at)) {
    const header = readHeader(bytes, at);
    const nameEnd = at + header.headerSize + header.nameSize;
    if (header.nameSize === 0 || nameEnd > bytes.length) throw malformed(at, 'its name is cut short');
    if (bytes[nameEnd - 1] !== 0) throw malformed(at, 'its name does not end with a NUL byte');
    const name = latin1(bytes, at + header.headerSize, nameEnd - 1);
    const dataStart = align(nameEnd, header.alignment, offset);
    const dataEnd = dataStart + header.size;
    if (dataEnd > bytes.length) {
      throw malformed(
        at,
        `it claims ${header.size} bytes of data, ${Math.max(0, bytes.length - dataStart)} are there`,
      );
    }
    const next = Math.min(align(dataEnd, header.alignment, offset), bytes.length);
    if (name === TRAILER_NAME) return { records, end: next, hasTrailer: true };
    records.push(recordOf(bytes, at, name, header, dataStart));
    at = skipZeros(bytes, next);
    if (!isCpio(bytes, at)) return { records, end: next, hasTrailer: false };
  }
  return { records, end: at, hasTrailer: false };
}

function recordOf(
  bytes: Uint8Array,
  at: number,
  name: BytePath,
  header: Header,
  dataStart: number,
): CpioRecord {
  const kind = KINDS.get(header.mode & 0o170000);
  if (kind === undefined) throw malformed(at, `its type is unknown (mode ${header.mode.toString(8)})`);
  if (name.includes('\0')) throw malformed(at, 'its name has a NUL byte');
  const data = bytes.subarray(dataStart, dataStart + header.size);
  if (header.checksum !== undefined && kind === 'file' && checksum(data) !== header.checksum) {
    throw malformed(at, 'the checksum of its data is wrong');
  }
  const { uid, gid, mtime, nlink, inode, rdev } = header;
  return { offset: at, name, kind, mode: header.mode & 0o7777, uid, gid, mtime, nlink, inode, rdev, data };
}

function readHeader(bytes: Uint8Array, at: number): Header {
  const magic = latin1(bytes, at, at + 6);
  return magic === '070707' ? readOdc(bytes, at) : readNewc(bytes, at, magic === '070702');
}

function readNewc(bytes: Uint8Array, at: number, hasChecksum: boolean): Header {
  if (at + NEWC_HEADER > bytes.length) throw malformed(at, 'its header is cut short');
  const field = (index: number) => number(bytes, at, at + 6 + index * 8, 8, 16);
  return {
    inode: `${field(7)}:${field(8)}:${field(0)}`,
    mode: field(1),
    uid: field(2),
    gid: field(3),
    nlink: field(4),
    mtime: field(5),
    size: field(6),
    rdev: [field(9), field(10)],
    nameSize: field(11),
    checksum: hasChecksum ? field(12) : undefined,
    headerSize: NEWC_HEADER,
    alignment: 4,
  };
}

function readOdc(bytes: Uint8Array, at: number): Header {
  if (at + ODC_HEADER > bytes.length) throw malformed(at, 'its header is cut short');
  const field = (index: number) => number(bytes, at, at + 6 + index * 6, 6, 8);
  const rdev = field(6);
  return {
    inode: `${field(0)}:${field(1)}`,
    mode: field(2),
    uid: field(3),
    gid: field(4),
    nlink: field(5),
    rdev: [rdev >> 8, rdev & 0xff],
    mtime: number(bytes, at, at + 48, 11, 8),
    nameSize: number(bytes, at, at + 59, 6, 8),
    size: number(bytes, at, at + 65, 11, 8),
    checksum: undefined,
    headerSize: ODC_HEADER,
    alignment: 1,
  };
}

/** A number of a header: digits only, where parseInt would stop at the first other character. */
function number(bytes: Uint8Array, header: number, start: number, length: number, base: 8 | 16): number {
  let value = 0;
  for (let index = start; index < start + length; index += 1) {
    const digit = digitOf(bytes[index]!);
    if (digit >= base) throw malformed(header, `its header has a bad digit at byte ${index}`);
    value = value * base + digit;
  }
  return value;
}

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.POSITIVE_INFINITY;
}

function checksum(data: Uint8Array): number {
  let sum = 0;
  for (const byte of data) sum = (sum + byte) >>> 0;
  return sum;
}

/** A record's name without `./` and double slashes. */
export function cleanName(name: BytePath): BytePath {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** The first byte from `offset` that is not zero. */
export function skipZeros(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while (at < bytes.length && bytes[at] === 0) at += 1;
  return at;
}

function align(offset: number, alignment: number, base: number): number {
  return base + Math.ceil((offset - base) / alignment) * alignment;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

function malformed(offset: number, what: string): MkrootError {
  return new MkrootError(`Cannot read the cpio entry at byte ${offset}: ${what}`);
}
