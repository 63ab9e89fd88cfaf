import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';

/** A part of an initramfs. */
export interface InitrdSegment {
  readonly path: BytePath;
  /** Bytes. */
  readonly size: number;
}

/**
 * One file of the segments that a boot loader would fetch one after the other; the kernel wants each at a multiple of four.
 * Whatever reads the file before sees the old one or the whole new one.
 */
export function joinSegments(fs: FileSystem, path: BytePath, segments: readonly InitrdSegment[]): BytePath {
  const output = fs.create(path, 0o644);
  for (const segment of segments) {
    for (const chunk of fs.readChunks(segment.path)) output.write(chunk);
    output.write(new Uint8Array((4 - (segment.size % 4)) % 4));
  }
  output.commit();
  return path;
}
