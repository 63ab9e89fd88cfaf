import cpioStream from 'cpio-stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  type FileEntry,
  fileEntry,
  hostFileEntry,
  symlinkEntry,
} from '../../../src/archive/entry.js';
import { hostEntries } from '../../../src/archive/host-entries.js';
import { readCpio } from '../../../src/archive/newc-reader.js';
import { type NewcOptions, newcBytes, writeNewc } from '../../../src/archive/newc-writer.js';
import type { Reason } from '../../../src/archive/reason.js';
import { ArchiveTree } from '../../../src/archive/tree.js';
import { MkrootError } from '../../../src/errors.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const why: Reason = { kind: 'option', option: '--file' };
const noFiles = memoryFileSystem();

function pack(entries: Iterable<ArchiveEntry>, options?: NewcOptions): Buffer {
  return Buffer.from(newcBytes(entries, noFiles, options));
}

function linked(path: string, text: string, linkKey = 'k'): FileEntry {
  return { ...fileEntry(path, text, why), linkKey };
}

describe('writeNewc', () => {
  it('writes the header of buffer-format.rst, the name, and padding to 4 bytes', () => {
    const bytes = pack([fileEntry('init', 'hello', why, { mode: 0o755, uid: 1, gid: 2 })]);
    const numbers = [1, 0o100755, 1, 2, 1, 0, 5, 0, 0, 0, 0, 5, 0].map((value) =>
      value.toString(16).padStart(8, '0'),
    );
    expect(bytes.subarray(0, 124).toString('latin1')).toBe(
      `070701${numbers.join('')}init\0\0hello\0\0\0`.slice(0, 124),
    );
    expect(bytes.length % 4).toBe(0);
    expect(bytes.subarray(-14).toString('latin1')).toBe('TRAILER!!!\0\0\0\0');
  });

  it('numbers inodes from 1 or from where it is told, and tells the next', () => {
    const entries = [fileEntry('a', '', why), linked('b', 'x'), linked('c', 'x'), directoryEntry('d', why)];
    expect(readCpio(pack(entries)).records.map(({ inode }) => inode)).toEqual([
      '0:0:1',
      '0:0:2',
      '0:0:2',
      '0:0:3',
    ]);
    const generator = writeNewc(entries, noFiles, { firstInode: 700 });
    let step = generator.next();
    while (step.done !== true) step = generator.next();
    expect(step.value).toMatchObject({ entries: 4, nextInode: 703 });
  });

  it('counts the links of the archive and writes their data once, with the last name', () => {
    const { records } = readCpio(pack([linked('a', 'data'), linked('b', 'data'), linked('c', 'data')]));
    expect(records.map(({ nlink, data }) => [nlink, data.length])).toEqual([
      [3, 0],
      [3, 0],
      [3, 4],
    ]);
  });

  it('writes device nodes as headers alone', () => {
    const console = deviceEntry('dev/console', { type: 'character', major: 5, minor: 1 }, why);
    expect(readCpio(pack([console])).records[0]).toMatchObject({
      kind: 'character',
      rdev: [5, 1],
      mode: 0o600,
    });
  });

  it('sets every time to 0, or clamps it to SOURCE_DATE_EPOCH', () => {
    const entries = [5, 900, -7, 2 ** 40, Number.NaN].map((mtime, index) =>
      fileEntry(`f${index}`, '', why, { mtime }),
    );
    const times = (options?: NewcOptions) =>
      readCpio(pack(entries, options)).records.map(({ mtime }) => mtime);
    expect(times()).toEqual([0, 0, 0, 0, 0]);
    expect(times({ maxMtime: 100 })).toEqual([5, 100, 0, 100, 0]);
    expect(times({ maxMtime: 2 ** 50 })).toEqual([5, 900, 0, 0xffffffff, 0]);
  });

  it('refuses a file of 4 GiB before anything is written', () => {
    const big = hostFileEntry('big', { hostPath: '/big', size: 2 ** 32 }, why);
    expect(() => writeNewc([fileEntry('a', '', why), big], noFiles)).toThrow(
      'Cannot archive "big": it has 4294967296 bytes; cpio newc holds files of less than 4 GiB',
    );
  });

  it.each([
    ['uid', fileEntry('a', '', why, { uid: 2 ** 32 })],
    ['mode', fileEntry('a', '', why, { mode: 0o100644 })],
    ['device major', deviceEntry('a', { type: 'block', major: 4096, minor: 0 }, why)],
  ])('refuses a %s that the format or the kernel cannot hold', (what, entry) => {
    expect(() => writeNewc([entry], noFiles)).toThrow(`Cannot archive "a": its ${what} is`);
  });

  it.each([
    ['grew', 'abc', 'more'],
    ['shrank', 'abcdefgh', '3'],
  ])('reports a host file that %s between stat and read', (_, stated, then) => {
    const fs = memoryFileSystem({ '/x': then === 'more' ? 'abcd' : 'abc' });
    const entry = hostFileEntry('x', { hostPath: '/x', size: stated.length }, why);
    expect(() => newcBytes([entry], fs)).toThrow(
      `"/x": it changed while it was read (${stated.length} bytes at first, then ${then})`,
    );
  });

  it('gives the same bytes in pieces and at once, also across the 1 MiB buffer', () => {
    const fs = memoryFileSystem({
      '/big': Buffer.alloc((1 << 20) * 2 + 17, 7),
      '/small': Buffer.alloc(5000, 8),
    });
    const entries = [
      ...Array.from({ length: 300 }, (_, index) =>
        hostFileEntry(`s${1000 + index}`, { hostPath: '/small', size: 5000 }, why),
      ),
      hostFileEntry('big', { hostPath: '/big', size: (1 << 20) * 2 + 17 }, why),
      fileEntry('memory', Buffer.alloc(3 << 20, 9), why),
    ];
    const pieces = [...writeNewc(entries, fs)].length;
    const joined = Buffer.concat([...copies(writeNewc(entries, fs))]);
    expect(pieces).toBeLessThan(20);
    expect(Buffer.compare(joined, newcBytes(entries, fs))).toBe(0);
  });

  it('gives the same bytes whatever the times of the files and the order of adding', () => {
    const build = (mtime: number, names: readonly string[]) => {
      const fs = memoryFileSystem(Object.fromEntries(names.map((name) => [`/root/${name}`, name])));
      for (const name of names) fs.setMtime(`/root/${name}`, mtime);
      const tree = new ArchiveTree();
      for (const name of names) {
        for (const entry of hostEntries(fs, `/root/${name}`, name, { reason: why })) tree.add(entry);
      }
      return Buffer.from(newcBytes(tree.entries(), fs)).toString('latin1');
    };
    expect(build(1_000_000_000, ['b/c', 'a', 'b/a'])).toBe(build(1_700_000_000, ['b/a', 'b/c', 'a']));
  });
});

function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

const byteName = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 12 },
  )
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .filter((name) => !['.', '..'].includes(name));

const anyEntry: fc.Arbitrary<ArchiveEntry> = fc
  .record({
    path: fc.array(byteName, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')),
    options: fc.record({
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      mtime: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    }),
    data: fc.uint8Array({ maxLength: 40 }),
    target: byteName,
    kind: fc.constantFrom('file', 'directory', 'symlink', 'device'),
  })
  .map(({ path, options, data, target, kind }) => {
    switch (kind) {
      case 'directory':
        return directoryEntry(path, why, options);
      case 'symlink':
        return symlinkEntry(path, target, why, options);
      case 'device':
        return deviceEntry(path, { type: 'block', major: 8, minor: 1048575 }, why, options);
      default:
        return fileEntry(path, data, why, options);
    }
  });

describe('readCpio', () => {
  it('reads back what was written: any byte names, owners, modes, times and data', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 8 }), (entries) => {
        const archive = readCpio(newcBytes(entries, noFiles, { maxMtime: 2 ** 32 - 1 }));
        expect(archive.hasTrailer).toBe(true);
        expect(
          archive.records.map(({ name, mode, uid, gid, mtime, data }) => ({
            name,
            mode,
            uid,
            gid,
            mtime,
            data: Buffer.from(data).toString('latin1'),
          })),
        ).toEqual(
          entries.map((entry) => ({
            name: entry.path,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            mtime: entry.mtime,
            data:
              entry.kind === 'symlink'
                ? entry.target
                : entry.kind === 'file' && entry.content.from === 'bytes'
                  ? Buffer.from(entry.content.data).toString('latin1')
                  : '',
          })),
        );
      }),
    );
  });

  it('reports damage with its offset and never fails in another way', () => {
    const good = pack([directoryEntry('a', why), fileEntry('a/b', 'text', why), symlinkEntry('l', 'a', why)]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = Buffer.from(good.subarray(0, length));
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          try {
            readCpio(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MkrootError);
            expect(String(error)).toMatch(/at byte \d+: /);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['header', 60, /at byte 0: its header is cut short/],
    ['name', 111, /at byte 0: its name is cut short/],
    ['data', 118, /at byte 0: it claims 5 bytes of data, 2 are there/],
  ])('says that the %s is cut short', (_, length, message) => {
    expect(() => readCpio(pack([fileEntry('init', 'hello', why)]).subarray(0, length))).toThrow(message);
  });

  it('takes an archive without trailer, as the kernel does', () => {
    const bytes = pack([fileEntry('init', 'hello', why)]);
    expect(readCpio(bytes.subarray(0, 124))).toMatchObject({
      hasTrailer: false,
      end: 124,
      records: [{ name: 'init' }],
    });
  });

  it('checks the sums of the crc format', () => {
    const bytes = pack([fileEntry('init', 'ab', why)]);
    bytes.write('070702', 0, 'latin1');
    bytes.write('000000c3', 102, 'latin1');
    expect(readCpio(bytes).records[0]?.name).toBe('init');
    bytes.write('000000c4', 102, 'latin1');
    expect(() => readCpio(bytes)).toThrow('the checksum of its data is wrong');
  });

  it('agrees with cpio-stream as second reader on ASCII names', async () => {
    // cpio-stream counts names in UTF-16 units and knows no hard links, so it judges plain entries only.
    const entries = [
      directoryEntry('etc', why),
      fileEntry('etc/x', 'hello', why),
      symlinkEntry('l', 'etc', why),
    ];
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const extract = cpioStream.extract();
      extract.on('entry', (header, stream, next) => {
        seen.push(`${header.name} ${header.mode.toString(8)} ${header.size}`);
        stream.on('end', next);
        stream.resume();
      });
      extract.on('finish', resolve);
      extract.on('error', reject);
      extract.end(pack(entries));
    });
    expect(seen).toEqual(['etc 40755 0', 'etc/x 100644 5', 'l 120777 3']);
  });
});
