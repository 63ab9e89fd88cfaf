import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compress, compressorVersion } from '../../../src/archive/compression.js';
import { decompress } from '../../../src/archive/decompress.js';
import { ExitCode } from '../../../src/errors.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

const data = Buffer.from('some archive'.repeat(100));
const rejected = async (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('compress', () => {
  it('packs with gzip without a program, with no name and no time in the header', async () => {
    const packed = await compress(data, 'gzip', new ScriptedRunner());
    expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, packed[8], 3]);
    expect(gunzipSync(packed)).toEqual(data);
  });

  it.each(['gzip', 'none', 'zstd', 'xz', 'lz4'] as const)(
    'pads %s to a multiple of 4',
    async (compression) => {
      const odd = { stdout: Buffer.from('12345') };
      const packed = await compress(
        Buffer.from('abcde'),
        compression,
        new ScriptedRunner({ zstd: odd, xz: odd, lz4: odd }),
      );
      expect(packed.length % 4).toBe(0);
    },
  );

  it('puts at least four zero bytes behind lz4, which the kernel needs to stop', async () => {
    const packed = await compress(data, 'lz4', new ScriptedRunner({ lz4: { stdout: 'abcd' } }));
    expect(Buffer.from(packed).toString('latin1')).toBe('abcd\0\0\0\0');
  });

  it('packs in a way that does not depend on the number of processors, and through standard input', async () => {
    const runner = new ScriptedRunner({ zstd: {}, xz: {} });
    await compress(data, 'zstd', runner);
    await compress(data, 'xz', runner);
    expect(runner.commands.map(({ input }) => input)).toEqual([data, data]);
    expect(runner.commands[0]?.argv).toContain('-B4MiB'); // the size of zstd's jobs, else it depends on level and input
    expect(runner.commands[1]?.argv).toContain('-T1');
    expect(runner.commands[1]?.argv).toContain('--check=crc32');
  });

  it('names the package of a missing compressor', async () => {
    expect(await rejected(compress(data, 'xz', new ScriptedRunner()))).toMatchObject({
      message: 'Cannot compress the initrd with xz: the program is not installed',
      exitCode: ExitCode.MissingTool,
      hint: expect.stringContaining('xz-utils'),
    });
  });

  it('tells the version of what packs', async () => {
    const runner = new ScriptedRunner({
      zstd: { stdout: '*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***\n' },
    });
    expect(await compressorVersion('zstd', runner)).toBe('zstd 1.5.4');
    expect(await compressorVersion('gzip', runner)).toBe(`zlib ${process.versions.zlib}`);
    expect(await compressorVersion('none', runner)).toBeUndefined();
  });
});

describe('decompress', () => {
  it('unpacks zstd without its program', async () => {
    const frame = Buffer.from('28b52ffd0458290000 68656c6c6f'.replace(' ', ''), 'hex');
    const withChecksum = Buffer.concat([frame, Buffer.from('88dd3f4d', 'hex')]);
    expect(Buffer.from(await decompress('zstd', withChecksum, new ScriptedRunner())).toString()).toBe(
      'hello',
    );
  });

  it('names the program that a format needs', async () => {
    expect(await rejected(decompress('lzo', data, new ScriptedRunner()))).toMatchObject({
      message: 'Cannot unpack lzo data: the program "lzop" is not installed',
      exitCode: ExitCode.MissingTool,
    });
  });

  it('calls damaged data damaged, not a failure of a tool', async () => {
    const runner = new ScriptedRunner({
      xz: { exitCode: 1, stderr: 'xz: (stdin): Unexpected end of input' },
    });
    for (const format of ['xz', 'gzip'] as const) {
      expect(await rejected(decompress(format, data, runner))).toMatchObject({
        message: `Cannot unpack 1200 bytes of ${format} data: they are damaged`,
        exitCode: ExitCode.InvalidInput,
      });
    }
  });
});
