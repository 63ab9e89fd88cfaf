import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/** Offsets of the setup header; see "The Real-Mode Kernel Header" in Documentation/arch/x86/boot.rst of the kernel. */
const HEADER_MAGIC = 0x202;
const KERNEL_VERSION = 0x20e;

/** kernel_version is relative to this. */
const SETUP_START = 0x200;

/** Long enough for the version text, which lies in the setup code of at most 32 KiB. */
const SETUP_SIZE = 33 * 1024;

/**
 * The release (`uname -r`) of a bzImage, from the text that its header points to; undefined for anything else. Where the
 * kernel says no version, an empty text.
 */
export function imageRelease(fs: ReadFileSystem, path: BytePath): string | undefined {
  const setup = Buffer.from(fs.readRange(path, 0, SETUP_SIZE));
  if (setup.length < KERNEL_VERSION + 2) return undefined;
  if (setup.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) !== 'HdrS') return undefined;
  const start = setup.readUInt16LE(KERNEL_VERSION) + SETUP_START;
  // "6.1.0-41-amd64 (builder@host) #1 SMP ...", ended by a zero byte.
  const text = setup.toString('latin1', start, start + 256);
  return /^[^\0 ]*/.exec(text)?.[0] ?? '';
}
