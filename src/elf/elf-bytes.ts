import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { ByteOrder, ElfClass } from './machine.js';

/** Most ELF files keep headers, notes, symbol names and hash table in here: one read serves them all. */
const HEAD_SIZE = 32 * 1024;

/** No table that a loader looks at is larger; a larger size is a damaged file. 16 MiB. */
const MAX_RANGE = 16 * 1024 * 1024;

/** Where an ELF file lies: the bytes on the host, and the name by which the user knows it. */
export interface ElfLocation {
  readonly fs: ReadFileSystem;
  readonly hostPath: BytePath;
  /** For messages: the path inside the root. */
  readonly name: BytePath;
  /** Bytes. */
  readonly size: number;
}

/** A file that is not what it claims to be. */
export function damagedElf(name: BytePath, what: string): MkrootError {
  return new MkrootError(`Cannot read ELF file "${displayPath(name)}": ${what}`, {
    hint: 'The file is damaged or no ELF file; install its package again, or name another file.',
  });
}

/** The bytes of one ELF file, read in few and bounded pieces. A range outside the file is an error, never a short answer. */
export class ElfBytes {
  readonly head: Uint8Array;

  constructor(private readonly location: ElfLocation) {
    this.head = location.fs.readRange(location.hostPath, 0, Math.min(HEAD_SIZE, location.size));
  }

  get name(): BytePath {
    return this.location.name;
  }

  /** @throws MkrootError if the file ends before `offset + length`, or if the range is absurdly large. */
  range(offset: number, length: number, what: string): Uint8Array {
    if (length > MAX_RANGE) throw damagedElf(this.name, `its ${what} claims to have ${length} bytes`);
    if (!(offset >= 0 && offset + length <= this.location.size)) {
      throw damagedElf(
        this.name,
        `its ${what} (${length} bytes at ${offset}) lies outside the file of ${this.location.size} bytes`,
      );
    }
    if (offset + length <= this.head.length) return this.head.subarray(offset, offset + length);
    const bytes = this.location.fs.readRange(this.location.hostPath, offset, length);
    if (bytes.length < length) throw damagedElf(this.name, `it ended while its ${what} was read`);
    return bytes;
  }
}

/** Numbers in the byte order and word size of one ELF file. */
export class ElfNumbers {
  readonly #view: DataView;

  constructor(
    bytes: Uint8Array,
    readonly elfClass: ElfClass,
    private readonly byteOrder: ByteOrder,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#view.byteLength;
  }

  half(offset: number): number {
    return this.#view.getUint16(offset, this.byteOrder === 'little');
  }

  word(offset: number): number {
    return this.#view.getUint32(offset, this.byteOrder === 'little');
  }

  /**
   * An Elf32_Addr or Elf64_Addr. Above 2^53 the low bits are lost, which is harmless: no file is that large, so such a
   * number is never a valid offset and fails the bounds check.
   */
  address(offset: number): number {
    if (this.elfClass === 32) return this.word(offset);
    const [low, high] = this.byteOrder === 'little' ? [0, 4] : [4, 0];
    return this.word(offset + high) * 0x1_0000_0000 + this.word(offset + low);
  }
}

/** The NUL-terminated string at `offset`, as bytes; undefined if it runs out of the table. */
export function stringAt(table: Uint8Array, offset: number): BytePath | undefined {
  const end = offset < table.length ? table.indexOf(0, offset) : -1;
  if (end < 0) return undefined;
  return Buffer.from(table.buffer, table.byteOffset + offset, end - offset).toString('latin1');
}
