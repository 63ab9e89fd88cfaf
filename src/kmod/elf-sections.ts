import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';

/** Bytes that can be asked for in pieces: a file on disk, or one that was unpacked into memory. */
export interface ByteSource {
  /** For error messages. */
  readonly path: BytePath;
  readonly size: number;
  /** At most `length` bytes from `offset`; fewer at the end. */
  read(offset: number, length: number): Uint8Array;
}

/** A {@link ByteSource} over bytes in memory; pieces share their memory. */
export function bytesSource(path: BytePath, data: Uint8Array): ByteSource {
  return { path, size: data.length, read: (offset, length) => data.subarray(offset, offset + length) };
}

/** A section of an ELF object, by the fields of elf(5) that a module reader needs. */
export interface ElfSection {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** An ELF relocatable object's section table. Kernel modules are loaded by it, so it is never stripped. */
export interface ElfSections {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly sections: readonly ElfSection[];
}

/**
 * Reads the section table of a kernel module; see elf(5).
 * @throws MkrootError that names the file if it is no ELF object, has no section table, or is cut off.
 */
export function readElfSections(source: ByteSource): ElfSections {
  const header = pieceOf(source, 0, 52, 'its ELF header is cut off', () => isElf(source));
  const is64 = header[4] === 2;
  const littleEndian = header[5] === 1;
  if ((header[4] !== 1 && !is64) || (header[5] !== 2 && !littleEndian)) {
    throw badModule(source, 'its ELF class or byte order is unknown');
  }
  const full = is64 ? pieceOf(source, 0, 64, 'its ELF header is cut off') : header;
  const number = integerReader(full, littleEndian);
  const tableOffset = is64 ? number(40, 8) : number(32, 4);
  const [entrySize, count, nameIndex] = [0, 2, 4].map((i) => number((is64 ? 58 : 46) + i, 2)) as [
    number,
    number,
    number,
  ];
  if (tableOffset === 0 || count === 0 || entrySize < (is64 ? 64 : 40)) {
    throw badModule(source, 'it has no section table');
  }
  const table = pieceOf(source, tableOffset, entrySize * count, 'its section table lies beyond its end');
  const field = integerReader(table, littleEndian);
  const places = Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return {
      nameOffset: field(at, 4),
      type: field(at + 4, 4),
      offset: is64 ? field(at + 24, 8) : field(at + 16, 4),
      size: is64 ? field(at + 32, 8) : field(at + 20, 4),
    };
  });
  const nameTable = places[nameIndex];
  if (nameTable === undefined) throw badModule(source, 'its table of section names is missing');
  const names = Buffer.from(sectionBytes(source, { name: '.shstrtab', ...nameTable }));
  const sections = places
    .filter(({ type }) => type !== 0 && type !== 8) // SHT_NULL and SHT_NOBITS have no bytes in the file
    .map(({ nameOffset, offset, size }) => ({ name: stringAt(names, nameOffset), offset, size }));
  return { is64, littleEndian, sections };
}

/** The bytes of the section with this name, or undefined if there is none. */
export function sectionNamed(source: ByteSource, elf: ElfSections, name: string): Uint8Array | undefined {
  const section = elf.sections.find((candidate) => candidate.name === name);
  return section === undefined ? undefined : sectionBytes(source, section);
}

/** The NUL-terminated latin1 string at an offset; empty beyond the end. */
export function stringAt(table: Buffer, offset: number): string {
  if (offset >= table.length) return '';
  const end = table.indexOf(0, offset);
  return table.toString('latin1', offset, end < 0 ? table.length : end);
}

/** Reads unsigned integers of 1 to 8 bytes; one beyond 2^53 comes out inexact and fails every bounds check. */
export function integerReader(data: Uint8Array, littleEndian: boolean): (at: number, size: number) => number {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return (at, size) => {
    if (size < 8) return littleEndian ? buffer.readUIntLE(at, size) : buffer.readUIntBE(at, size);
    const [low, high] = littleEndian
      ? [buffer.readUInt32LE(at), buffer.readUInt32LE(at + 4)]
      : [buffer.readUInt32BE(at + 4), buffer.readUInt32BE(at)];
    return high * 2 ** 32 + low;
  };
}

/** The error for a file that cannot be a kernel module. */
export function badModule(source: { readonly path: BytePath }, what: string, cause?: unknown): MkrootError {
  return new MkrootError(`Cannot read kernel module "${displayPath(source.path)}": ${what}`, {
    hint: 'The file is damaged; reinstall the package that brings this kernel.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function sectionBytes(source: ByteSource, { name, offset, size }: ElfSection): Uint8Array {
  return pieceOf(source, offset, size, `its section "${name}" lies beyond its end`);
}

function isElf(source: ByteSource): void {
  const magic = source.read(0, 4);
  if (Buffer.from(magic).toString('latin1') !== '\x7fELF') throw badModule(source, 'it is not an ELF object');
}

function pieceOf(
  source: ByteSource,
  offset: number,
  length: number,
  otherwise: string,
  check?: () => void,
): Uint8Array {
  check?.();
  if (offset + length > source.size) throw badModule(source, otherwise);
  const piece = source.read(offset, length);
  if (piece.length < length) throw badModule(source, otherwise);
  return piece;
}
