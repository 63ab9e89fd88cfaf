import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElfFile } from '../../../src/elf/elf-file.js';
import { MkrootError } from '../../../src/errors.js';
import { buildElf, buildProgram, type ElfFixture } from '../../support/elf-fixture.js';
import { elfyHeaders } from '../../support/elfy-reader.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

function read(bytes: Uint8Array): ElfFile {
  const fs = memoryFileSystem({ '/root/x': bytes });
  return new ElfFile({ fs, hostPath: '/root/x', name: '/x', size: bytes.length });
}

/** Looks at everything that a closure would look at. */
function readAll(bytes: Uint8Array): void {
  const elf = read(bytes);
  elf.interpreter;
  elf.dynamic;
  elf.linkage;
  elf.dlopenRequests();
  elf.imports(['pthread_create']);
  elf.mentions('GLIBC_2.34');
}

const EVERYTHING: ElfFixture = {
  interpreter: '/lib/ld.so',
  needed: ['libb.so.2', 'liba.so.1'],
  soname: 'libself.so.0',
  rpath: '/opt/old:$ORIGIN',
  runpath: `\${ORIGIN}/../lib`,
  flags1: 0x800,
  imports: ['pthread_create', 'puts'],
  exports: ['main', 'pthread_exit'],
  notes: [
    { owner: 'stapsdt', type: 3, text: 'probe' },
    { owner: 'Linux', type: 0, text: 'x' },
    {
      owner: 'FDO',
      type: 0x407c0c0a,
      text: '[{"feature":"z","priority":"suggested","soname":["libz.so.1"]}]',
    },
  ],
};

describe('ElfFile', () => {
  it.each([
    ['amd64', 64, 'little'],
    ['i386', 32, 'little'],
    ['s390x', 64, 'big'],
    ['powerpc', 32, 'big'],
    ['armhf', 32, 'little'],
  ] as const)(
    'reads every field of a %s file (%i-bit, %s-endian) without a section table',
    (architecture, elfClass, byteOrder) => {
      const elf = read(buildElf({ ...EVERYTHING, architecture }));
      expect(elf.header).toMatchObject({ elfClass, byteOrder, type: 'shared' });
      expect(elf.interpreter).toBe('/lib/ld.so');
      expect(elf.dynamic).toMatchObject({
        needed: ['libb.so.2', 'liba.so.1'],
        soname: 'libself.so.0',
        rpath: '/opt/old:$ORIGIN',
        runpath: `\${ORIGIN}/../lib`,
        flags1: 0x800,
      });
      expect(elf.dlopenRequests()).toEqual([{ feature: 'z', priority: 'suggested', sonames: ['libz.so.1'] }]);
    },
  );

  it.each(['gnu', 'sysv', 'none'] as const)('tells imports from exports with a %s hash table', (hash) => {
    for (const architecture of ['amd64', 'i386']) {
      const elf = read(buildElf({ ...EVERYTHING, architecture, hash }));
      expect(elf.imports(['pthread_exit', 'pthread_create', 'getaddrinfo'])).toEqual(['pthread_create']);
    }
  });

  it('finds imports where patchelf has put their names at the end of a large file', () => {
    const elf = read(buildElf({ imports: ['puts', 'pthread_cancel'], distance: 17 * 2 ** 20 }));
    expect(elf.imports(['pthread_cancel'])).toEqual(['pthread_cancel']);
  });

  it('finds imports where nothing is exported, although the linker then writes 1 into the GNU hash table', () => {
    const elf = read(buildElf({ imports: ['puts', 'pthread_cancel'] }));
    expect(elf.imports(['pthread_cancel'])).toEqual(['pthread_cancel']);
  });

  it('tells dynamic, static and static-pie programs and libraries apart', () => {
    expect(read(buildProgram()).linkage).toBe('dynamic');
    expect(read(buildElf({ type: 2, static: true })).linkage).toBe('static');
    expect(read(buildElf({ flags1: 0x0800_0000 })).linkage).toBe('static-pie');
    expect(read(buildElf({ soname: 'libx.so.1' })).linkage).toBe('library');
  });

  it('agrees with elfy on header and program headers, for every machine of the fixture', () => {
    for (const architecture of ['amd64', 'i386', 's390x', 'powerpc', 'arm64']) {
      const bytes = buildElf({ ...EVERYTHING, architecture });
      const { header } = read(bytes);
      expect(elfyHeaders(bytes).programs).toEqual(
        header.programHeaders.map(({ offset, virtualAddress, fileSize }) => [
          offset,
          virtualAddress,
          fileSize,
        ]),
      );
    }
  });

  it('finds the dynamic section by its address, as a loader does, not by the offset in PT_DYNAMIC', () => {
    const bytes = buildElf({ needed: ['libc.so.6'], static: false });
    const view = new DataView(bytes.buffer);
    // The first program header is PT_DYNAMIC; p_offset stands 8 bytes into it.
    expect(view.getUint32(64, true)).toBe(2);
    view.setUint32(64 + 8, 0x1234, true);
    expect(read(bytes).dynamic?.needed).toEqual(['libc.so.6']);
  });

  it.each([
    ['nothing', new Uint8Array(0), 'magic number'],
    ['text', Buffer.from('#!/bin/sh\n'.repeat(10)), 'magic number'],
    ['a magic number alone', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), 'class is missing'],
    ['a wrong class', patched(4, 9), 'class is 9'],
    ['a wrong byte order', patched(5, 0), 'byte order is 0'],
    ['a wrong version', patched(6, 2), 'version'],
    ['a header cut short', buildProgram().subarray(0, 40), 'ELF header (64 bytes at 0) lies outside'],
    ['program headers cut short', buildProgram().subarray(0, 100), 'program header table'],
    ['a dynamic section cut short', buildProgram().subarray(0, -20), 'dynamic section'],
    ['a million program headers', patched(57, 0xff), 'program headers'],
  ])('says what is wrong with %s', (_name, bytes, what) => {
    expect(() => readAll(bytes)).toThrow(MkrootError);
    expect(() => readAll(bytes)).toThrow(what);
    expect(() => readAll(bytes)).toThrow('"/x"');
  });

  it('refuses a dlopen note that is no JSON list', () => {
    for (const text of ['{', '{}', '[1]', '[{"soname":[]}]', '[{"soname":[3]}]']) {
      const elf = read(buildElf({ notes: [{ owner: 'FDO', type: 0x407c0c0a, text }] }));
      expect(() => elf.dlopenRequests()).toThrow(/dlopen note/);
    }
  });

  it('takes a dlopen note without a priority as recommended', () => {
    const text = '[{"soname":["libx.so.1","libx.so.0"]}]';
    const elf = read(buildElf({ notes: [{ owner: 'FDO', type: 0x407c0c0a, text }] }));
    expect(elf.dlopenRequests()).toEqual([
      { feature: '', priority: 'recommended', sonames: ['libx.so.1', 'libx.so.0'] },
    ]);
  });

  describe('never throws anything but MkrootError', () => {
    const tolerant = (bytes: Uint8Array): void => {
      try {
        readAll(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MkrootError);
      }
    };

    it('on random bytes behind a valid magic number', () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 512 }),
          fc.constantFrom(1, 2),
          fc.constantFrom(1, 2),
          (bytes, elfClass, order) => {
            tolerant(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, elfClass, order, 1, ...bytes));
          },
        ),
      );
    });

    it('on a valid file with bytes changed and its end cut off', () => {
      const files = ['amd64', 'i386', 's390x'].map((architecture) =>
        buildElf({ ...EVERYTHING, architecture }),
      );
      const change = fc.tuple(fc.nat(700), fc.integer({ min: 0, max: 255 }));
      fc.assert(
        fc.property(
          fc.constantFrom(...files),
          fc.array(change, { maxLength: 8 }),
          fc.nat(900),
          (file, changes, length) => {
            const bytes = new Uint8Array(
              file.subarray(0, Math.max(1, file.length - (length > 700 ? length - 700 : 0))),
            );
            for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
            tolerant(bytes);
          },
        ),
        { numRuns: 1000 },
      );
    });
  });
});

function patched(at: number, value: number): Uint8Array {
  const bytes = buildProgram();
  bytes[at] = value;
  return bytes;
}
