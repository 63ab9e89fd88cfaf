import { gzipSync } from 'node:zlib';
import { ExitCode, MkrootError } from '../errors.js';
import type { ProcessRunner } from '../ports/process-runner.js';

/** How an initramfs can be packed; each is understood by every kernel since 5.9 if it was configured in. */
export const COMPRESSIONS = ['zstd', 'xz', 'gzip', 'lz4', 'none'] as const;

/** One of {@link COMPRESSIONS}. */
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * The programs and their arguments. zstd cuts the data into jobs of a fixed size, so that the number of threads does not
 * show in the result; xz runs on one thread, with two it cuts into other blocks. Data goes through standard input: zstd
 * writes another header for a named file. Levels are measured in docs/decisions/0005-newc-writer.md.
 */
const COMPRESSORS: Readonly<Record<'zstd' | 'xz' | 'lz4', readonly [string, ...string[]]>> = {
  zstd: ['zstd', '-q', '-T0', '-B4MiB', '-6', '-c'],
  // The kernel's xz decoder knows no other check than crc32.
  xz: ['xz', '-q', '-T1', '-6', '--check=crc32', '-c'],
  // The kernel's lz4 decoder knows the legacy format only.
  lz4: ['lz4', '-q', '-l', '-9', '-c'],
};

/**
 * Packs an archive for the kernel. The same input and the same version of the compressor give the same bytes. The result's
 * length is a multiple of 4, so that another archive can be appended.
 * @throws MkrootError with exit code MissingTool if the program is not installed.
 */
export async function compress(
  archive: Uint8Array,
  compression: Compression,
  runner: ProcessRunner,
): Promise<Uint8Array> {
  switch (compression) {
    case 'none':
      return withPadding(archive, 0);
    case 'gzip':
      return withPadding(gzip(archive), 0);
    default: {
      const { stdout } = await runCompressor(compression, archive, runner);
      // The kernel's lz4 decoder reads on until a block of size 0, and would take an appended archive for a block.
      return withPadding(stdout, compression === 'lz4' ? 4 : 0);
    }
  }
}

/** Name and version of what packs, for manifests: `zstd 1.5.4`. Undefined for `none`. */
export async function compressorVersion(
  compression: Compression,
  runner: ProcessRunner,
): Promise<string | undefined> {
  if (compression === 'none') return undefined;
  if (compression === 'gzip') return `zlib ${process.versions.zlib}`;
  const { stdout, stderr } = await runner.run({ argv: [compression, '--version'] });
  const text = `${Buffer.from(stdout).toString('utf8')}\n${stderr}`;
  return `${compression} ${/\d+\.\d+(\.\d+)*/.exec(text)?.[0] ?? 'of unknown version'}`;
}

async function runCompressor(compression: 'zstd' | 'xz' | 'lz4', input: Uint8Array, runner: ProcessRunner) {
  if (runner.which(compression) === undefined) {
    throw new MkrootError(`Cannot compress the initrd with ${compression}: the program is not installed`, {
      exitCode: ExitCode.MissingTool,
      hint: `Install the package ${compression === 'xz' ? 'xz-utils' : compression}, or use --compress gzip, which needs no program.`,
    });
  }
  return runner.run({ argv: COMPRESSORS[compression], input });
}

/** Like `gzip -n`: no name, no time; byte 9 is the system that packed, always Unix. */
function gzip(archive: Uint8Array): Uint8Array {
  const packed = gzipSync(archive, { level: 6 });
  packed.fill(0, 4, 8);
  packed[9] = 3;
  return packed;
}

/** At least `minimum` zero bytes, and so many more that the length is a multiple of 4. */
function withPadding(data: Uint8Array, minimum: number): Uint8Array {
  const length = Math.ceil((data.length + minimum) / 4) * 4;
  if (length === data.length) return data;
  const result = new Uint8Array(length);
  result.set(data);
  return result;
}
