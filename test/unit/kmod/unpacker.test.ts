import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { compressionOf } from '../../../src/kmod/module-name.js';
import { Unpacker } from '../../../src/kmod/unpacker.js';
import { xzUnpackedSize } from '../../../src/kmod/xz-container.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

const TEXT = 'module bytes\n';
/** `printf 'module bytes\n' | xz --check=crc32`, and the same through zstd. */
const XZ = Buffer.from(
  '/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAMbW9kdWxlIGJ5dGVzCgAAAACKkJn+AAEhDXXcqNKQQpkNAQAAAAABWVo=',
  'base64',
);
const ZSTD = Buffer.from('KLUv/QRYaQAAbW9kdWxlIGJ5dGVzCqNDT44=', 'base64');

function unpack(
  files: Record<string, Uint8Array | string>,
  runner = new ScriptedRunner(),
): Promise<Uint8Array[]> {
  return new Unpacker(memoryFileSystem(files), runner).unpack(
    Object.keys(files).map((path) => ({ path, hostPath: path, compression: compressionOf(path) })),
  );
}

/** A runner whose xz knows one file only: as many times as it is in its input. */
function fakeXz(): ScriptedRunner {
  return new ScriptedRunner({
    xz: ({ input }) => {
      const count = (input as Uint8Array).length / XZ.length;
      const isKnown = Buffer.from(input as Uint8Array).equals(
        Buffer.concat(new Array(Math.floor(count)).fill(XZ)),
      );
      return isKnown
        ? { stdout: TEXT.repeat(count) }
        : { exitCode: 1, stderr: 'xz: Compressed data is corrupt' };
    },
  });
}

describe('Unpacker', () => {
  it('unpacks .ko, .ko.gz, .ko.zst and .ko.xz, in the order of the question', async () => {
    const runner = fakeXz();
    const files = {
      '/a.ko.xz': XZ,
      '/b.ko': TEXT,
      '/c.ko.gz': gzipSync(TEXT),
      '/d.ko.zst': ZSTD,
      '/e.ko.xz': XZ,
    };
    const unpacked = await unpack(files, runner);
    expect(unpacked.map((data) => Buffer.from(data).toString())).toEqual(new Array(5).fill(TEXT));
    expect(runner.commands.map(({ argv }) => argv)).toEqual([['xz', '--decompress', '--stdout']]);
  });

  it.each([
    ['/x/a.ko.gz', gzipSync(TEXT).subarray(0, 15)],
    ['/x/a.ko.zst', ZSTD.subarray(0, 15)],
    ['/x/a.ko.xz', XZ.subarray(0, 60)],
    ['/x/a.ko.gz', Buffer.from('no gzip at all')],
    ['/x/a.ko.zst', Buffer.from('no zstd at all')],
    ['/x/a.ko.xz', Buffer.from('no xz at all')],
  ])('refuses a truncated or foreign %s by name', async (path, data) => {
    await expect(unpack({ [path]: data })).rejects.toThrow(`Cannot unpack "${path}": `);
  });

  it('finds out which of several .xz files is the damaged one', async () => {
    const damaged = Buffer.from(XZ);
    damaged[30]! ^= 1;
    await expect(unpack({ '/a.ko.xz': XZ, '/b.ko.xz': damaged }, fakeXz())).rejects.toThrow(
      'Cannot unpack "/b.ko.xz": xz cannot unpack it',
    );
  });

  it('says that xz is missing, and not that a file is damaged', async () => {
    const error = await unpack({ '/a.ko.xz': XZ }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ exitCode: ExitCode.MissingTool });
  });

  it('refuses a file that claims to hold more than any module', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20));
    await expect(unpack({ '/bomb.ko.gz': bomb })).rejects.toThrow('Cannot unpack "/bomb.ko.gz"');
  });

  it('does not read a plain file that is larger than any module', async () => {
    const fs = memoryFileSystem({ '/huge.ko': '' });
    const huge = Object.assign(Object.create(fs), {
      lstat: (path: string) => ({ ...fs.lstat(path), size: 5 * 2 ** 30 }),
      readFile: () => expect.unreachable('it was read'),
    });
    const unpacking = new Unpacker(huge, new ScriptedRunner()).unpack([
      { path: '/huge.ko', hostPath: '/huge.ko', compression: 'none' },
    ]);
    await expect(unpacking).rejects.toThrow('Cannot unpack "/huge.ko": it has 5368709120 bytes');
  });

  it('answers random bytes with its own error only', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.tuple(fc.constantFrom(XZ, ZSTD), fc.nat(60), fc.nat(255)).map(([whole, at, byte]) => {
        const data = Buffer.from(whole);
        data[at % data.length] = byte;
        return data;
      }),
    );
    await fc.assert(
      fc.asyncProperty(noise, fc.constantFrom('gz', 'xz', 'zst'), async (data, suffix) => {
        try {
          await unpack({ [`/noise.${suffix}`]: data }, fakeXz());
        } catch (error) {
          expect(error).toBeInstanceOf(MkrootError);
          expect((error as MkrootError).message).toContain('/noise.');
        }
      }),
    );
  });
});

describe('xzUnpackedSize', () => {
  it('adds up streams, with padding between and after them', () => {
    expect(xzUnpackedSize(XZ)).toBe(TEXT.length);
    expect(xzUnpackedSize(Buffer.concat([XZ, Buffer.alloc(8), XZ, Buffer.alloc(4)]))).toBe(2 * TEXT.length);
  });

  it('knows that no part of a file is a whole one', () => {
    for (let length = 0; length < XZ.length; length += 1) {
      expect(xzUnpackedSize(XZ.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });
});
