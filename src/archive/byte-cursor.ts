import { MkrootError } from '../errors.js';

/**
 * Reads little-endian numbers out of bytes from front to back. Running out of bytes is a {@link MkrootError} that says at
 * which offset, so that parsers of foreign data need no bounds checks of their own.
 */
export class ByteCursor {
  constructor(
    private readonly bytes: Uint8Array,
    /** Where the next read starts, from the start of `bytes`. */
    public offset: number,
    /** What is being read, for errors: "the xz segment at byte 512". */
    private readonly subject: string,
  ) {}

  /** Bytes that are left. */
  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** An unsigned number of `size` bytes (1 to 6). */
  uint(size: number): number {
    this.#need(size);
    let value = 0;
    for (let index = size - 1; index >= 0; index -= 1) value = value * 256 + this.bytes[this.offset + index]!;
    this.offset += size;
    return value;
  }

  /** A number in base 128, least significant digit first, as xz writes them; at most nine digits. */
  varint(): number {
    let value = 0;
    for (let digit = 0; digit < 9; digit += 1) {
      const byte = this.uint(1);
      value += (byte & 0x7f) * 2 ** (7 * digit);
      if (byte < 0x80) return value;
    }
    throw this.fail('a number is too long');
  }

  skip(count: number): void {
    this.#need(count);
    this.offset += count;
  }

  /** The error that this place deserves. */
  fail(what: string): MkrootError {
    return new MkrootError(`Cannot read ${this.subject}: ${what} (at byte ${this.offset})`);
  }

  #need(count: number): void {
    if (count > this.remaining) throw this.fail('it is cut short');
  }
}
