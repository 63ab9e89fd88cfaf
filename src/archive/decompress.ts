import { gunzipSync } from 'node:zlib';
import { ExitCode, MkrootError } from '../errors.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import type { CompressedFormat } from './compressed-format.js';

interface Decompressor {
  readonly argv: readonly [string, ...string[]];
  /** Debian's name of the package. */
  readonly packageName: string;
}

const PROGRAMS: Readonly<Record<Exclude<CompressedFormat, 'gzip'>, Decompressor>> = {
  zstd: { argv: ['zstd', '-q', '-d', '-c', '--long=27'], packageName: 'zstd' },
  xz: { argv: ['xz', '-q', '-d', '-c', '--single-stream'], packageName: 'xz-utils' },
  lzma: { argv: ['xz', '-q', '-d', '-c', '--format=lzma'], packageName: 'xz-utils' },
  lz4: { argv: ['lz4', '-q', '-d', '-c'], packageName: 'lz4' },
  'lz4-frame': { argv: ['lz4', '-q', '-d', '-c'], packageName: 'lz4' },
  bzip2: { argv: ['bzip2', '-q', '-d', '-c'], packageName: 'bzip2' },
  lzo: { argv: ['lzop', '-q', '-d', '-c'], packageName: 'lzop' },
};

/**
 * Unpacks what {@link compressedExtent} measured: exactly one frame, stream or member. gzip is unpacked here, the others by
 * their programs; zstd also without its program, slower and without its checksum.
 * @throws MkrootError if the data is damaged, or with exit code MissingTool if the program is not installed.
 */
export async function decompress(
  format: CompressedFormat,
  packed: Uint8Array,
  runner: ProcessRunner,
): Promise<Uint8Array> {
  try {
    if (format === 'gzip') return gunzipSync(packed);
    const { argv, packageName } = PROGRAMS[format];
    if (runner.which(argv[0]) !== undefined) {
      // Any exit code: what the program refuses is damaged. One that a signal ended says nothing of the data, and throws.
      const { exitCode, stdout, stderr } = await runner.run({ argv, input: packed, accept: 'any' });
      if (exitCode === 0) return stdout;
      throw damaged(
        format,
        packed,
        stderr
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => `  | ${line}`),
      );
    }
    if (format === 'zstd') return (await import('fzstd')).decompress(packed);
    throw new MkrootError(`Cannot unpack ${format} data: the program "${argv[0]}" is not installed`, {
      exitCode: ExitCode.MissingTool,
      hint: `Install the package ${packageName}.`,
    });
  } catch (cause) {
    throw cause instanceof MkrootError ? cause : damaged(format, packed, [], cause);
  }
}

function damaged(
  format: CompressedFormat,
  packed: Uint8Array,
  details: readonly string[],
  cause?: unknown,
): MkrootError {
  return new MkrootError(`Cannot unpack ${packed.length} bytes of ${format} data: they are damaged`, {
    cause,
    details,
  });
}
