import { inflateRawSync } from 'node:zlib';
import { MkrootError } from '../errors.js';
import { ByteCursor } from './byte-cursor.js';
import type { CompressedFormat } from './compressed-format.js';

/** The kernel's limit on the window of a zstd frame (lib/decompress_unzstd.c). */
const ZSTD_MAX_WINDOW = 2 ** 27;

/** Blocks of lz4's legacy format unpack to 8 MiB; this is the most that they can have when packed. */
const LZ4_MAX_BLOCK = 8 * 2 ** 20 + Math.floor((8 * 2 ** 20) / 255) + 16;

/** Size of xz's integrity check by its id; 0 for ids that are none. */
const XZ_CHECK_SIZES: readonly number[] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * Where the compressed data that starts at `offset` ends, found by walking its blocks; what follows may be padding or
 * another segment. lzma and bzip2 do not say, so they reach to the end.
 * @throws MkrootError if the data is cut short or damaged in what is walked.
 */
export function compressedExtent(format: CompressedFormat, bytes: Uint8Array, offset: number): number {
  const cursor = new ByteCursor(bytes, offset, `the ${format} segment at byte ${offset}`);
  switch (format) {
    case 'zstd':
      return zstdEnd(cursor);
    case 'lz4':
      return lz4End(cursor);
    case 'xz':
      return xzEnd(cursor, offset);
    case 'gzip':
      return gzipEnd(cursor, bytes, offset);
    default:
      return bytes.length;
  }
}

/** One frame of RFC 8878. */
function zstdEnd(cursor: ByteCursor): number {
  cursor.skip(4);
  const descriptor = cursor.uint(1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  if (!isSingleSegment) {
    const window = cursor.uint(1);
    const base = 2 ** (10 + (window >> 3));
    if (base + (base / 8) * (window & 7) > ZSTD_MAX_WINDOW)
      throw cursor.fail('its window is larger than the kernel takes');
  }
  cursor.skip([0, 1, 2, 4][descriptor & 3]!);
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  cursor.skip(sizeBytes);
  for (let isLast = false; !isLast; ) {
    const block = cursor.uint(3);
    isLast = (block & 1) !== 0;
    const type = (block >> 1) & 3;
    if (type === 3) throw cursor.fail('a block has no known type');
    cursor.skip(type === 1 ? 1 : block >> 3);
  }
  if (hasChecksum) cursor.skip(4);
  return cursor.offset;
}

/** lz4_Frame_format.md, "Legacy frame": blocks up to the end, a size of zero, or a number that cannot be a size. */
function lz4End(cursor: ByteCursor): number {
  cursor.skip(4);
  while (cursor.remaining >= 4) {
    const size = cursor.uint(4);
    if (size === 0 || size > LZ4_MAX_BLOCK) return cursor.offset - 4;
    cursor.skip(size);
  }
  return cursor.offset;
}

/** One stream of the .xz file format 1.0.4, with LZMA2 as the last filter of each block. */
function xzEnd(cursor: ByteCursor, start: number): number {
  cursor.skip(7);
  const checkSize = XZ_CHECK_SIZES[cursor.uint(1) & 15]!;
  cursor.skip(4);
  for (;;) {
    const headerSize = cursor.uint(1);
    if (headerSize === 0) break;
    cursor.skip(headerSize * 4 + 3);
    skipLzma2(cursor);
    cursor.skip((4 - ((cursor.offset - start) % 4)) % 4);
    cursor.skip(checkSize);
  }
  const records = cursor.varint();
  for (let index = 0; index < records; index += 1) {
    cursor.varint();
    cursor.varint();
  }
  cursor.skip((4 - ((cursor.offset - start) % 4)) % 4);
  cursor.skip(4 + 12); // the index's CRC32 and the footer
  return cursor.offset;
}

function skipLzma2(cursor: ByteCursor): void {
  for (let control = cursor.uint(1); control !== 0; control = cursor.uint(1)) {
    if (control >= 0x80) {
      cursor.skip(2);
      const packed = cursor.uint(1) * 256 + cursor.uint(1) + 1;
      cursor.skip(packed + (control >= 0xc0 ? 1 : 0));
    } else if (control <= 2) {
      cursor.skip(cursor.uint(1) * 256 + cursor.uint(1) + 1);
    } else {
      throw cursor.fail('a chunk has no known type');
    }
  }
}

/** One member of RFC 1952. Deflate has no block sizes, so it has to be inflated to see where it ends. */
function gzipEnd(cursor: ByteCursor, bytes: Uint8Array, start: number): number {
  cursor.skip(3);
  const flags = cursor.uint(1);
  cursor.skip(6);
  if ((flags & 0x04) !== 0) cursor.skip(cursor.uint(2));
  for (const flag of [0x08, 0x10]) if ((flags & flag) !== 0) while (cursor.uint(1) !== 0);
  if ((flags & 0x02) !== 0) cursor.skip(2);
  try {
    // With `info` the result also holds the engine, which the types do not know.
    const result: unknown = inflateRawSync(bytes.subarray(cursor.offset), { info: true });
    cursor.skip(inflatedFrom(result));
  } catch (cause) {
    if (cause instanceof MkrootError) throw cause;
    throw new MkrootError(`Cannot read the gzip segment at byte ${start}: it is damaged or cut short`, {
      cause,
    });
  }
  cursor.skip(8);
  return cursor.offset;
}

/** How many bytes of input the engine took. */
function inflatedFrom(result: unknown): number {
  const { engine } = result as { engine: { bytesWritten: number } };
  return engine.bytesWritten;
}
