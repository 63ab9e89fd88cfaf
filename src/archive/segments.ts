import { MkrootError } from '../errors.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import { compressedExtent } from './compressed-extent.js';
import { type CompressedFormat, compressedFormatAt } from './compressed-format.js';
import { decompress } from './decompress.js';
import { type CpioArchive, type CpioRecord, cleanName, isCpio, readCpio, skipZeros } from './newc-reader.js';

/** Where the kernel looks for microcode (Documentation/arch/x86/microcode.rst); only in an archive that is not packed. */
const MICROCODE_DIRECTORY = 'kernel/x86/microcode/';

/** One part of an initramfs: what the kernel unpacks in one go. */
export interface Segment {
  /** Where it starts in the image; padding before it is skipped. */
  readonly offset: number;
  readonly compression: CompressedFormat | 'none';
  /** Bytes in the image, without padding. */
  readonly packedSize: number;
  readonly unpackedSize: number;
  /** True for an uncompressed archive with kernel/x86/microcode/*.bin. */
  readonly isMicrocode: boolean;
  /** Usually one; a compressed segment may hold several, one after the other. Hard links never cross archives. */
  readonly archives: readonly CpioArchive[];
  /** What the kernel would stumble over although it can be read here. */
  readonly warnings: readonly string[];
}

/**
 * Splits an initramfs into its segments, whoever made it: bare cpio archives, each up to its trailer, and compressed ones,
 * in any order with any zero padding between them, as the kernel does (unpack_to_rootfs in init/initramfs.c).
 * @throws MkrootError with the byte offset for what is neither, is damaged, or needs a program that is not installed.
 */
export async function readSegments(image: Uint8Array, runner: ProcessRunner): Promise<Segment[]> {
  const segments: Segment[] = [];
  let at = skipZeros(image, 0);
  while (at < image.length) {
    const segment = isCpio(image, at) ? bareSegment(image, at) : await packedSegment(image, at, runner);
    segments.push(segment);
    at = skipZeros(image, at + segment.packedSize);
  }
  if (segments.length === 0) throw new MkrootError('Cannot read the initramfs: it is empty');
  return segments;
}

/** Every record of every archive, in the order in which the kernel unpacks them. */
export function allRecords(segments: readonly Segment[]): CpioRecord[] {
  return segments.flatMap(({ archives }) => archives.flatMap(({ records }) => records));
}

function bareSegment(image: Uint8Array, offset: number): Segment {
  const archive = readCpio(image, offset);
  const size = archive.end - offset;
  return {
    offset,
    compression: 'none',
    packedSize: size,
    unpackedSize: size,
    isMicrocode: archive.records.some(
      ({ name, kind }) => kind === 'file' && cleanName(name).startsWith(MICROCODE_DIRECTORY),
    ),
    archives: [archive],
    warnings: [
      ...archiveWarnings(image, offset, [archive]),
      ...(offset % 4 === 0
        ? []
        : [`it starts at byte ${offset}, which is no multiple of 4: the kernel does not find it`]),
    ],
  };
}

async function packedSegment(image: Uint8Array, offset: number, runner: ProcessRunner): Promise<Segment> {
  const format = compressedFormatAt(image, offset);
  if (format === undefined) {
    throw new MkrootError(
      `Cannot read the initramfs at byte ${offset}: there is neither a cpio archive nor compressed data that the kernel knows`,
    );
  }
  const end = compressedExtent(format, image, offset);
  const unpacked = await decompress(format, image.subarray(offset, end), runner);
  const archives = unpackedArchives(unpacked, format, offset);
  return {
    offset,
    compression: format,
    packedSize: end - offset,
    unpackedSize: unpacked.length,
    isMicrocode: false,
    archives,
    warnings: [...archiveWarnings(unpacked, 0, archives), ...packedWarnings(format, image, end)],
  };
}

function unpackedArchives(unpacked: Uint8Array, format: string, offset: number): CpioArchive[] {
  const archives: CpioArchive[] = [];
  let at = skipZeros(unpacked, 0);
  while (at < unpacked.length) {
    if (!isCpio(unpacked, at)) {
      throw new MkrootError(
        `Cannot read the ${format} segment at byte ${offset}: byte ${at} of what is in it is no cpio archive`,
      );
    }
    const archive = readCpio(unpacked, at);
    archives.push(archive);
    at = skipZeros(unpacked, archive.end);
  }
  return archives;
}

function archiveWarnings(bytes: Uint8Array, offset: number, archives: readonly CpioArchive[]): string[] {
  return [
    ...(archives.every(({ hasTrailer }) => hasTrailer)
      ? []
      : ['it has no trailer: GNU cpio and bsdtar report an error']),
    ...(bytes[offset + 5] === 0x37 ? ['it is in the old odc format, which the kernel refuses'] : []),
  ];
}

function packedWarnings(format: CompressedFormat, image: Uint8Array, end: number): string[] {
  if (format === 'lz4-frame')
    return ['it is in the lz4 frame format; the kernel knows the legacy format only (lz4 -l)'];
  if (format !== 'lz4' || end >= image.length) return [];
  const next = image.subarray(end, end + 4);
  return next.length === 4 && next.every((byte) => byte === 0)
    ? []
    : ['four zero bytes are missing behind it: the kernel takes what follows for one of its blocks'];
}
