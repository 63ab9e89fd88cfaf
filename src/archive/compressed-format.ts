/** What a segment of an initramfs can be packed with, after the kernel's lib/decompress.c; `none` is a bare cpio archive. */
export type CompressedFormat = 'gzip' | 'bzip2' | 'lzma' | 'xz' | 'lzo' | 'lz4' | 'lz4-frame' | 'zstd';

const MAGICS: readonly (readonly [CompressedFormat, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
  ['lz4-frame', [0x04, 0x22, 0x4d, 0x18]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** The format whose magic number stands at `offset`, or undefined. */
export function compressedFormatAt(bytes: Uint8Array, offset: number): CompressedFormat | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, index) => bytes[offset + index] === byte))?.[0];
}
