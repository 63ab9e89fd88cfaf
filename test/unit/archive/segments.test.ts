import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveEntry, fileEntry } from '../../../src/archive/entry.js';
import { newcBytes } from '../../../src/archive/newc-writer.js';
import type { Reason } from '../../../src/archive/reason.js';
import { allRecords, readSegments } from '../../../src/archive/segments.js';
import { MkrootError } from '../../../src/errors.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';

const why: Reason = { kind: 'option', option: '--file' };
const noPrograms = new ScriptedRunner();
const pack = (...entries: ArchiveEntry[]) => Buffer.from(newcBytes(entries, memoryFileSystem()));
const one = pack(fileEntry('one', '1', why));
const two = pack(fileEntry('two', '22', why));
const microcode = pack(fileEntry('kernel/x86/microcode/GenuineIntel.bin', 'code', why));

/** A frame of raw blocks, so that no compressor is needed. */
function zstdFrame(data: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
  const block = Buffer.alloc(3);
  block.writeUIntLE((data.length << 3) | 1, 0, 3);
  return Buffer.concat([header, block, data]);
}

function names(segments: Awaited<ReturnType<typeof readSegments>>) {
  return segments.map((segment) => [
    segment.compression,
    segment.offset,
    ...allRecords([segment]).map(({ name }) => name),
  ]);
}

describe('readSegments', () => {
  it('finds microcode first, then bare and packed archives with any zero padding between them', async () => {
    const packed = gzipSync(one);
    const image = Buffer.concat([microcode, Buffer.alloc(512), packed, Buffer.alloc(7), zstdFrame(two), two]);
    const zstdAt = microcode.length + 512 + packed.length + 7;
    const segments = await readSegments(image, noPrograms);
    expect(names(segments)).toEqual([
      ['none', 0, 'kernel/x86/microcode/GenuineIntel.bin'],
      ['gzip', microcode.length + 512, 'one'],
      ['zstd', zstdAt, 'two'],
      ['none', zstdAt + two.length + 9, 'two'],
    ]);
    expect(segments.map(({ isMicrocode }) => isMicrocode)).toEqual([true, false, false, false]);
    expect(segments[1]).toMatchObject({ packedSize: packed.length, unpackedSize: one.length });
  });

  it('warns of an archive that the kernel does not find because it is not aligned', async () => {
    const image = Buffer.concat([one, Buffer.alloc(2), two]);
    const [, second] = await readSegments(image, noPrograms);
    expect(second?.warnings).toEqual([expect.stringContaining('no multiple of 4')]);
  });

  it('reads several archives out of one packed segment', async () => {
    const image = gzipSync(Buffer.concat([one, Buffer.alloc(4), two]));
    expect(names(await readSegments(image, noPrograms))).toEqual([['gzip', 0, 'one', 'two']]);
  });

  it('finds the end of lz4 legacy data by its blocks, and warns when the kernel would not', async () => {
    const lz4 = Buffer.concat([Buffer.from('02214c1805000000', 'hex'), Buffer.from('block')]);
    const runner = new ScriptedRunner({ lz4: { stdout: one } });
    const bare = await readSegments(Buffer.concat([lz4, two]), runner);
    expect(names(bare)).toEqual([
      ['lz4', 0, 'one'],
      ['none', 13, 'two'],
    ]);
    expect(bare[0]?.warnings).toEqual([expect.stringContaining('four zero bytes are missing')]);
    const [first] = await readSegments(Buffer.concat([lz4, Buffer.alloc(7), two]), runner);
    expect(first?.warnings).toEqual([]);
    expect(runner.commands[0]?.input).toEqual(lz4);
  });

  it('names the offset of what is neither an archive nor compressed', async () => {
    const image = Buffer.concat([one, Buffer.from('junk')]);
    await expect(readSegments(image, noPrograms)).rejects.toThrow(`at byte ${one.length}: there is neither`);
  });

  it('refuses a zstd window that the kernel does not take', async () => {
    const image = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0, 0, 0]);
    await expect(readSegments(image, noPrograms)).rejects.toThrow(
      'its window is larger than the kernel takes',
    );
  });

  it('fails with an error of its own on any damage, and ends', async () => {
    const good = Buffer.concat([microcode, gzipSync(one), Buffer.alloc(3), zstdFrame(two), one]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        fc.nat(good.length),
        async (changes, length) => {
          const image = Buffer.from(good.subarray(0, length));
          for (const [at, byte] of changes) if (at < length) image[at] = byte;
          const error = await readSegments(image, noPrograms).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error !== undefined) expect(error).toBeInstanceOf(MkrootError);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2'])(
    'survives random bytes behind the magic of %s',
    async (format) => {
      const magic = {
        gzip: '1f8b08',
        xz: 'fd377a585a00',
        zstd: '28b52ffd',
        lz4: '02214c18',
        lzma: '5d0000',
        bzip2: '425a68',
      }[format]!;
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (random) => {
          const image = Buffer.concat([Buffer.from(magic, 'hex'), random]);
          const error = await readSegments(image, noPrograms).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (error !== undefined) expect(error).toBeInstanceOf(MkrootError);
        }),
        { numRuns: 300 },
      );
    },
  );
});
