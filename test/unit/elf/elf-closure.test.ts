import { describe, expect, it } from 'vitest';
import { describeCause } from '../../../src/elf/closure-cause.js';
import { type ElfClosureOptions, resolveElfClosure } from '../../../src/elf/elf-closure.js';
import { MkrootError } from '../../../src/errors.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { buildElf, buildGlibcLoader, buildProgram } from '../../support/elf-fixture.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const DEFAULTS = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib', '/usr/lib'];
const LIBC = '/usr/lib/x86_64-linux-gnu/libc.so.6';
const FDO = { owner: 'FDO', type: 0x407c0c0a };

/** A usr-merged amd64 root with a C library, as Debian lays it out. */
const DEBIAN: MemoryTree = {
  '/lib': { link: 'usr/lib' },
  '/lib64': { link: 'usr/lib64' },
  '/bin': { link: 'usr/bin' },
  '/usr/lib64/ld-linux-x86-64.so.2': { link: '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' },
  '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2': buildGlibcLoader(DEFAULTS),
  [LIBC]: libc(),
};

function libc(version = 'GLIBC_2.34', architecture = 'amd64'): Uint8Array {
  return buildElf({ soname: 'libc.so.6', exports: [version], architecture });
}

function library(soname: string, fixture: Parameters<typeof buildElf>[0] = {}): Uint8Array {
  return buildElf({ soname, ...fixture });
}

function sysrootOf(tree: MemoryTree, host: MemoryTree = {}): Sysroot {
  const inRoot = Object.fromEntries(Object.entries(tree).map(([path, value]) => [`/root${path}`, value]));
  return new Sysroot(memoryFileSystem({ ...inRoot, ...host }), '/root');
}

function closure(
  tree: MemoryTree,
  program: string | readonly string[] = '/bin/app',
  options: ElfClosureOptions = {},
) {
  const paths = typeof program === 'string' ? [program] : program;
  const result = resolveElfClosure(
    sysrootOf(tree),
    paths.map((path) => ({ path, label: '--program' })),
    options,
  );
  return {
    ...result,
    paths: result.files.map(({ path }) => path),
    cause: (path: string) => {
      const file = result.files.find((candidate) => candidate.path === path);
      return file && describeCause(file.cause);
    },
    links: (path: string) => result.files.find((file) => file.path === path)?.links.map((link) => link.path),
  };
}

function failure(tree: MemoryTree, program = '/bin/app', options: ElfClosureOptions = {}): MkrootError {
  try {
    closure(tree, program, options);
  } catch (error) {
    if (error instanceof MkrootError) return error;
    throw error;
  }
  throw new Error('the closure was expected to fail');
}

describe('resolveElfClosure', () => {
  it('brings the program, its loader, its libraries, and every link on the way', () => {
    const found = closure({
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libz.so.1', 'libc.so.6'] }),
      '/usr/lib/x86_64-linux-gnu/libz.so.1': { link: 'libz.so.1.3' },
      '/usr/lib/x86_64-linux-gnu/libz.so.1.3': library('libz.so.1', { needed: ['libc.so.6'] }),
    });
    expect(found.paths).toEqual([
      '/usr/bin/app',
      '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
      LIBC,
      '/usr/lib/x86_64-linux-gnu/libz.so.1.3',
    ]);
    expect(found.links('/usr/bin/app')).toEqual(['/bin']);
    expect(found.links('/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2')).toEqual([
      '/lib64',
      '/usr/lib64/ld-linux-x86-64.so.2',
    ]);
    expect(found.links('/usr/lib/x86_64-linux-gnu/libz.so.1.3')).toEqual([
      '/lib',
      '/usr/lib/x86_64-linux-gnu/libz.so.1',
    ]);
    expect(found.cause('/usr/bin/app')).toBe('--program');
    expect(found.cause(LIBC)).toBe('DT_NEEDED libc.so.6 of /usr/bin/app');
    expect(found.cause('/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2')).toBe(
      'dynamic loader of /usr/bin/app',
    );
    expect(found).toMatchObject({ placements: [], warnings: [] });
  });

  it('resolves an absolute soname link inside the root and never on the host (case 1)', () => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libz.so.1'] }),
      '/usr/lib/x86_64-linux-gnu/libz.so.1': { link: '/opt/z/libz.so.1.3' },
      '/opt/z/libz.so.1.3': library('libz.so.1'),
    };
    expect(closure(tree).paths).toContain('/opt/z/libz.so.1.3');
    const { '/opt/z/libz.so.1.3': _inside, ...without } = tree;
    const sysroot = sysrootOf(without, { '/opt/z/libz.so.1.3': library('libz.so.1') });
    expect(() => resolveElfClosure(sysroot, [{ path: '/bin/app', label: '' }])).toThrow(
      'Cannot load "libz.so.1" for "/usr/bin/app"',
    );
  });

  it('takes $ORIGIN, with and without braces, from the real place of the program inside the root (case 2)', () => {
    const found = closure({
      ...DEBIAN,
      '/usr/bin/app': { link: '/opt/app/bin/app' },
      '/opt/app/bin/app': buildProgram({ needed: ['liba.so'], runpath: '$ORIGIN/../lib' }),
      '/opt/app/lib/liba.so': library('liba.so', { needed: ['libb.so'], runpath: `\${ORIGIN}/sub` }),
      '/opt/app/lib/sub/libb.so': library('libb.so'),
    });
    expect(found.paths).toEqual(expect.arrayContaining(['/opt/app/lib/liba.so', '/opt/app/lib/sub/libb.so']));
  });

  it('expands $LIB and $PLATFORM, and discards a path whose token has no value', () => {
    const app = (architecture: string) =>
      buildProgram({
        architecture,
        needed: ['liba.so'],
        runpath: '/opt/$PLATFORM:/opt/$LIB',
        interpreter: '/lib/ld.so',
      });
    const tree = (architecture: string): MemoryTree => ({
      '/lib/ld.so': buildGlibcLoader(['/lib/multi', '/usr/lib/multi'], architecture),
      '/bin/app': app(architecture),
      '/opt/liba.so': library('liba.so', { architecture }),
      '/opt/lib/multi/liba.so': library('liba.so', { architecture }),
      '/opt/x86_64/liba.so': library('liba.so', { architecture }),
    });
    expect(closure(tree('amd64')).paths).toContain('/opt/x86_64/liba.so');
    expect(closure(tree('riscv64')).paths).toContain('/opt/lib/multi/liba.so');
  });

  it('needs no section table (case 3): the fixtures have none, and a file without program headers is refused', () => {
    const bare = buildProgram();
    new DataView(bare.buffer).setUint16(56, 0, true);
    expect(failure({ ...DEBIAN, '/usr/bin/app': bare }).message).toBe(
      'Cannot read ELF file "/usr/bin/app": it has no program headers, so nobody can load it',
    );
  });

  it('finds a dependency by the SONAME of what is loaded: RUNPATH on the executable only (case 4)', () => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libcore.so', 'libshared.so'], runpath: '/usr/lib/private' }),
      '/usr/lib/private/libcore.so': library('libcore.so', { needed: ['libshared.so'] }),
      '/usr/lib/private/libshared.so': library('libshared.so'),
    };
    expect(closure(tree).paths).toContain('/usr/lib/private/libshared.so');
    const alone = {
      ...tree,
      '/usr/bin/app': buildProgram({ needed: ['libcore.so'], runpath: '/usr/lib/private' }),
    };
    const error = failure(alone);
    expect(error.message).toBe(
      'Cannot load "libshared.so" for "/usr/lib/private/libcore.so": no such library for amd64 in the root',
    );
    expect(error.details[0]).toBe('Asked for by: /usr/lib/private/libcore.so, loaded by /usr/bin/app');
    expect(error.details[1]).toBe(`Searched: ${DEFAULTS.join(', ')}`);
    expect(error.hint).toContain('Install the package that brings libshared.so');
  });

  it('takes a library for known by its SONAME even if it was asked for by another name (case 4)', () => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libnew.so', 'libcore.so'], runpath: '/usr/lib/private' }),
      '/usr/lib/private/libnew.so': library('libshared.so'),
      '/usr/lib/private/libcore.so': library('libcore.so', { needed: ['libshared.so'] }),
    };
    expect(closure(tree).paths).toContain('/usr/lib/private/libnew.so');
  });

  it('takes $ORIGIN of a library from the name by which it was opened, not from its real place', () => {
    for (const loader of [LOADER, '/lib/ld-musl-x86_64.so.1']) {
      const found = closure({
        [loader]: buildGlibcLoader(DEFAULTS),
        '/bin/app': buildProgram({ interpreter: loader, needed: ['liba.so'], runpath: '/opt/lib' }),
        '/opt/lib/liba.so': { link: '/store/liba.so' },
        '/store/liba.so': library('liba.so', { needed: ['libb.so'], runpath: '$ORIGIN' }),
        '/opt/lib/libb.so': library('libb.so'),
      });
      expect(found.paths).toContain('/opt/lib/libb.so');
    }
  });

  it('inherits RPATH from loader to loader, and ignores it where a RUNPATH is (case 5)', () => {
    const tree = (program: object, core: object): MemoryTree => ({
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libcore.so'], ...program }),
      '/opt/a/libcore.so': library('libcore.so', { needed: ['libdeep.so'], ...core }),
      '/opt/a/libdeep.so': library('libdeep.so'),
      '/opt/b/libdeep.so': library('libdeep.so'),
    });
    expect(closure(tree({ rpath: '/opt/a' }, {})).paths).toContain('/opt/a/libdeep.so');
    expect(closure(tree({ rpath: '/opt/a' }, { rpath: '/opt/b' })).paths).toContain('/opt/b/libdeep.so');
    expect(closure(tree({ rpath: '/opt/a' }, { runpath: '/opt/b' })).paths).toContain('/opt/b/libdeep.so');
    expect(failure(tree({ rpath: '/opt/a' }, { runpath: '/opt/none' })).message).toContain('"libdeep.so"');
    expect(failure(tree({ rpath: '/opt/b', runpath: '/opt/a' }, {})).message).toContain('"libdeep.so"');
    expect(failure(tree({ runpath: '/opt/a' }, {})).message).toContain('"libdeep.so"');
  });

  it('skips a library of another class or machine earlier in the path (case 6)', () => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libz.so.1'], runpath: '/opt/32:/opt/arm:/opt/64' }),
      '/opt/32/libz.so.1': library('libz.so.1', { architecture: 'i386' }),
      '/opt/arm/libz.so.1': library('libz.so.1', { architecture: 'arm64' }),
      '/opt/64/libz.so.1': library('libz.so.1'),
    };
    expect(closure(tree).paths).toContain('/opt/64/libz.so.1');
    const { '/opt/64/libz.so.1': _right, ...without } = tree;
    expect(failure(without).details.slice(-2)).toEqual([
      'Skipped: /opt/32/libz.so.1 is for i386',
      'Skipped: /opt/arm/libz.so.1 is for arm64',
    ]);
  });

  it.each([
    ['a text file', 'INPUT(libz.so.1.3)', 'is no ELF file'],
    ['the other byte order', library('libz.so.1', { architecture: 's390x' }), 'is for s390x, not for amd64'],
    ['a relocatable object', library('libz.so.1', { type: 1 }), 'is a relocatable ELF file'],
    ['a cut file', library('libz.so.1').subarray(0, 30), 'is damaged'],
    ['a directory', null, 'is a directory'],
  ])('stops at %s with the name of a library (case 6)', (_name, content, what) => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': buildProgram({ needed: ['libz.so.1'], runpath: '/opt' }),
      '/opt/libz.so.1': content,
      '/usr/lib/x86_64-linux-gnu/libz.so.1': library('libz.so.1'),
    };
    expect(failure(tree).message).toContain(
      `Cannot load "libz.so.1" for "/usr/bin/app": "/opt/libz.so.1" ${what}`,
    );
  });

  describe('a library that only ld.so.conf leads to (cases 7 and 8)', () => {
    const arm: MemoryTree = {
      '/lib': { link: 'usr/lib' },
      '/usr/lib/ld-linux-aarch64.so.1': buildGlibcLoader(
        ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu'],
        'arm64',
      ),
      '/usr/lib/aarch64-linux-gnu/libc.so.6': libc('GLIBC_2.34', 'arm64'),
      '/etc/ld.so.conf': '\tinclude\tld.so.conf.d/*.conf\n',
      '/etc/ld.so.conf.d/vendor.conf': '\t/opt/vendor/lib\n/lib/aarch64-linux-gnu\n',
      '/bin/app': buildProgram({ architecture: 'arm64', needed: ['libv.so.1', 'libc.so.6'] }),
      '/opt/vendor/lib/libv.so.1': { link: 'libv.so.1.2' },
      '/opt/vendor/lib/libv.so.1.2': library('libv.so.1', { architecture: 'arm64' }),
    };

    it('gets a link in a default directory, because the image has no cache', () => {
      const found = closure(arm);
      expect(found.placements).toEqual([
        {
          path: '/usr/lib/aarch64-linux-gnu/libv.so.1',
          target: '/opt/vendor/lib/libv.so.1.2',
          cause: { kind: 'placement', of: '/opt/vendor/lib/libv.so.1.2', directory: '/opt/vendor/lib' },
        },
      ]);
      expect(found.links('/opt/vendor/lib/libv.so.1.2')).toContain('/lib');
    });

    it('is then found by a loader that knows the default directories alone', () => {
      const found = closure(arm);
      const image: Record<string, MemoryTree[string]> = { '/lib': { link: 'usr/lib' } };
      for (const { path } of found.files) image[path] = arm[path]!;
      for (const { path, target } of found.placements) image[path] = { link: target };
      const again = closure(image);
      expect(again.placements).toEqual([]);
      expect(again.paths).toEqual(found.paths);
    });

    it('takes with it what it finds by $ORIGIN, which is the link’s directory then', () => {
      const found = closure({
        ...arm,
        '/opt/vendor/lib/libv.so.1.2': library('libv.so.1', {
          architecture: 'arm64',
          needed: ['libw.so.1'],
          runpath: '$ORIGIN',
        }),
        '/opt/vendor/lib/libw.so.1': library('libw.so.1', { architecture: 'arm64' }),
      });
      expect(found.placements.map(({ path }) => path)).toEqual([
        '/usr/lib/aarch64-linux-gnu/libv.so.1',
        '/usr/lib/aarch64-linux-gnu/libw.so.1',
      ]);
    });

    it('is left alone where ld.so.conf names a default directory', () => {
      const found = closure({
        ...arm,
        '/etc/ld.so.conf.d/vendor.conf': '/lib/aarch64-linux-gnu',
        '/usr/lib/aarch64-linux-gnu/libv.so.1': { link: 'libv.so.1.2' },
        '/usr/lib/aarch64-linux-gnu/libv.so.1.2': library('libv.so.1', { architecture: 'arm64' }),
      });
      expect(found).toMatchObject({ placements: [], warnings: [] });
      expect(found.paths).toContain('/usr/lib/aarch64-linux-gnu/libv.so.1.2');
    });

    it('wins over a default directory, as it does in the cache', () => {
      const other = {
        '/usr/lib/aarch64-linux-gnu/libv.so.1': library('libv.so.1', { architecture: 'arm64' }),
      };
      expect(closure({ ...arm, ...other }).paths).toContain('/opt/vendor/lib/libv.so.1.2');
    });

    it('is an error where the program forbids the default directories', () => {
      const app = buildProgram({ architecture: 'arm64', needed: ['libv.so.1'], flags1: 0x800 });
      expect(failure({ ...arm, '/bin/app': app }).message).toContain('DF_1_NODEFLIB');
    });
  });

  it('looks into the default directories that are written in the loader, unless DF_1_NODEFLIB', () => {
    const tree = (flags1: number): MemoryTree => ({
      '/lib64/ld-linux-x86-64.so.2': buildGlibcLoader(['/lib64', '/usr/lib64']),
      '/usr/lib64/libz.so.1': library('libz.so.1'),
      '/usr/lib/x86_64-linux-gnu/libz.so.1': library('libz.so.1'),
      '/bin/app': buildProgram({ needed: ['libz.so.1'], flags1 }),
    });
    expect(closure(tree(0)).paths).toContain('/usr/lib64/libz.so.1');
    expect(failure(tree(0x800)).message).toContain('"libz.so.1"');
  });

  describe('of musl (case 7)', () => {
    const musl: MemoryTree = {
      '/lib/ld-musl-x86_64.so.1': buildElf({ soname: 'libc.so' }),
      '/bin/app': buildProgram({
        interpreter: '/lib/ld-musl-x86_64.so.1',
        needed: ['liba.so', 'libc.musl-x86_64.so.1', 'libpthread.so.0'],
        runpath: '/opt/a',
      }),
      '/opt/a/liba.so': library('liba.so', { needed: ['libb.so'] }),
      '/opt/a/libb.so': library('libb.so', { needed: ['libc.so', 'libz.so'] }),
      '/opt/z/libz.so': library('libz.so'),
      '/etc/ld-musl-x86_64.path': '/nowhere:/opt/z\n/usr/lib\n',
    };

    it('reads the path file, ships it, inherits RUNPATH, and knows libc’s other names', () => {
      const found = closure(musl);
      expect(found.paths).toEqual([
        '/bin/app',
        '/etc/ld-musl-x86_64.path',
        '/lib/ld-musl-x86_64.so.1',
        '/opt/a/liba.so',
        '/opt/a/libb.so',
        '/opt/z/libz.so',
      ]);
      expect(found.placements).toEqual([]);
    });

    it('does not skip a library of another machine: musl’s loader does not either', () => {
      const wrong = { '/opt/z/libz.so': library('libz.so', { architecture: 'i386' }) };
      expect(failure({ ...musl, ...wrong }).message).toContain('is for i386, not for amd64');
    });
  });

  describe('dlopen notes and threads (case 9)', () => {
    const app = (priority: string, sonames: readonly string[]): MemoryTree => ({
      ...DEBIAN,
      '/usr/bin/app': buildProgram({
        notes: [{ ...FDO, text: JSON.stringify([{ feature: 'bpf', priority, soname: sonames }]) }],
      }),
    });
    const bpf0: MemoryTree = { '/usr/lib/libbpf.so.0': library('libbpf.so.0', { needed: ['libelf.so.1'] }) };
    const elf: MemoryTree = { '/usr/lib/libelf.so.1': library('libelf.so.1') };

    it('takes the first of the preference list that exists, with its own libraries', () => {
      const found = closure({ ...app('recommended', ['libbpf.so.1', 'libbpf.so.0']), ...bpf0, ...elf });
      expect(found.paths).toEqual(expect.arrayContaining(['/usr/lib/libbpf.so.0', '/usr/lib/libelf.so.1']));
      expect(found.cause('/usr/lib/libbpf.so.0')).toBe(
        'dlopen note libbpf.so.0 (recommended, bpf) of /usr/bin/app',
      );
    });

    it('makes a missing required one an error, a recommended one a warning, and leaves a suggested one alone', () => {
      expect(failure(app('required', ['libbpf.so.1', 'libbpf.so.0'])).message).toContain(
        'Cannot load "libbpf.so.1 or libbpf.so.0" (bpf) for "/usr/bin/app"',
      );
      expect(closure(app('recommended', ['libbpf.so.1'])).warnings).toHaveLength(1);
      expect(closure({ ...app('suggested', ['libbpf.so.0']), ...bpf0, ...elf })).toMatchObject({
        warnings: [],
      });
      expect(closure({ ...app('suggested', ['libbpf.so.0']), ...bpf0, ...elf }).paths).not.toContain(
        '/usr/lib/libbpf.so.0',
      );
      const all = closure({ ...app('suggested', ['libbpf.so.0']), ...bpf0, ...elf }, '/bin/app', {
        dlopen: 'suggested',
      });
      expect(all.paths).toContain('/usr/lib/libbpf.so.0');
    });

    it('leaves out a recommended library whose own library is missing, with a warning', () => {
      const found = closure({ ...app('recommended', ['libbpf.so.0']), ...bpf0 });
      expect(found.paths).not.toContain('/usr/lib/libbpf.so.0');
      expect(found.warnings[0]).toContain('libelf.so.1');
    });

    it('adds libgcc_s to a glibc program that uses threads, also through a library, and warns if it is missing', () => {
      const threaded: MemoryTree = {
        ...DEBIAN,
        '/usr/bin/app': buildProgram({ needed: ['libt.so', 'libc.so.6'] }),
        '/usr/lib/libt.so': library('libt.so', { imports: ['pthread_create'] }),
      };
      const gcc = { '/usr/lib/x86_64-linux-gnu/libgcc_s.so.1': library('libgcc_s.so.1') };
      const found = closure({ ...threaded, ...gcc });
      expect(found.cause('/usr/lib/x86_64-linux-gnu/libgcc_s.so.1')).toBe(
        'glibc loads it for threads, /usr/lib/libt.so calls pthread_create',
      );
      expect(closure(threaded).warnings[0]).toContain('libgcc_s.so.1');
      expect(closure({ ...DEBIAN, ...gcc, '/usr/bin/app': buildProgram() }).paths).not.toContain(
        '/usr/lib/x86_64-linux-gnu/libgcc_s.so.1',
      );
    });
  });

  it('names a link to itself and a loop of links instead of following them for ever (case 10)', () => {
    for (const loop of [
      { '/opt/libz.so.1': 'libz.so.1' },
      { '/opt/libz.so.1': 'b', '/opt/b': '/opt/libz.so.1' },
    ]) {
      const links = Object.fromEntries(Object.entries(loop).map(([path, link]) => [path, { link }]));
      const app = buildProgram({ needed: ['libz.so.1'], runpath: '/opt' });
      expect(failure({ ...DEBIAN, ...links, '/usr/bin/app': app }).message).toContain('probably a loop');
    }
  });

  it('needs nothing for static programs', () => {
    for (const bytes of [buildElf({ type: 2, static: true }), buildElf({ flags1: 0x0800_0000 })])
      expect(closure({ '/bin/app': bytes }).paths).toEqual(['/bin/app']);
  });

  it('takes the loader of a program without a dynamic section, as klibc’s are', () => {
    const app = buildElf({ type: 2, static: true, interpreter: '/lib/klibc-x.so' });
    const tree = { '/bin/app': app, '/lib/klibc-x.so': buildElf({ type: 2, static: true }) };
    expect(closure(tree).paths).toEqual(['/bin/app', '/lib/klibc-x.so']);
  });

  it('reads an unpacked root that lacks its usr-merge links, and says which links the image needs', () => {
    const found = closure({
      '/usr/lib64/ld-linux-x86-64.so.2': { link: '../lib/x86_64-linux-gnu/ld.so' },
      '/usr/lib/x86_64-linux-gnu/ld.so': buildGlibcLoader(DEFAULTS),
      [LIBC]: libc(),
      '/usr/bin/app': buildProgram(),
    });
    const links = found.files.flatMap((file) => file.links.filter(({ implied }) => implied));
    expect(links).toEqual([
      { path: '/bin', target: 'usr/bin', implied: true },
      { path: '/lib64', target: 'usr/lib64', implied: true },
      { path: '/lib', target: 'usr/lib', implied: true },
    ]);
  });

  describe('of scripts', () => {
    const tree: MemoryTree = {
      ...DEBIAN,
      '/usr/bin/app': '#!/usr/bin/env -S tool -x\n',
      '/usr/bin/env': buildProgram(),
      '/usr/bin/tool': '#!/bin/sh\n',
      '/usr/bin/sh': buildElf({ type: 2, static: true }),
    };

    it('brings interpreters, the program that env finds, and theirs', () => {
      const found = closure(tree);
      expect(found.paths).toEqual(
        expect.arrayContaining(['/usr/bin/app', '/usr/bin/env', '/usr/bin/tool', '/usr/bin/sh', LIBC]),
      );
      expect(found.cause('/usr/bin/tool')).toBe('interpreter of the script /usr/bin/app');
    });

    it('leaves out an interpreter that the image has from elsewhere', () => {
      expect(closure(tree, '/bin/tool', { provided: new Set(['/bin/sh']) }).paths).toEqual(['/usr/bin/tool']);
    });

    it('refuses a missing interpreter, scripts without end, and a file that is no program', () => {
      expect(failure({ '/bin/app': '#!/bin/none\n' }).message).toBe(
        'Cannot take "/bin/none" as a program (interpreter of the script /bin/app): there is no such file in the root',
      );
      const chain = Object.fromEntries(
        Array.from({ length: 9 }, (_, at) => [`/bin/s${at}`, `#!/bin/s${at + 1}\n`]),
      );
      expect(failure(chain, '/bin/s0').message).toContain('its interpreter is a script');
      expect(failure({ '/bin/app': 'text' }).message).toContain('neither an ELF file nor a script');
      expect(failure({ '/bin/app': buildElf({ type: 1 }) }).message).toContain(
        'it is a relocatable ELF file',
      );
      expect(failure({ '/bin/app': null }).message).toContain('it is a directory');
    });
  });

  it('names a loader that is missing or for another machine', () => {
    const app = { '/bin/app': buildProgram() };
    expect(failure(app)).toMatchObject({
      message: `Cannot find the dynamic loader "${LOADER}" of "/bin/app": there is no such file in the root`,
      hint: 'Install the C library for amd64 into the root (Debian: libc6:amd64).',
    });
    expect(failure({ ...app, [LOADER]: buildGlibcLoader(DEFAULTS, 'arm64') }).message).toContain(
      'the file there is for arm64, the program for amd64',
    );
  });

  describe('data rules', () => {
    const data: MemoryTree = {
      '/etc/netconfig': 'udp',
      '/etc/protocols': 'tcp',
      '/etc/services': 'nfs',
      '/etc/alternatives/nfsmount': 'x',
      '/etc/nfsmount.conf': { link: 'alternatives/nfsmount' },
    };
    const mount: MemoryTree = {
      ...DEBIAN,
      '/usr/sbin/mount.nfs4': { link: 'mount.nfs' },
      '/usr/sbin/mount.nfs': buildProgram({ needed: ['libtirpc.so.3', 'libc.so.6'] }),
      '/usr/lib/libtirpc.so.3': library('libtirpc.so.3'),
    };

    it('bring what mount.nfs reads, under its real name and through a link', () => {
      const found = closure({ ...mount, ...data }, ['/usr/sbin/mount.nfs4']);
      expect(found.paths).toEqual(
        expect.arrayContaining([
          '/etc/netconfig',
          '/etc/protocols',
          '/etc/services',
          '/etc/alternatives/nfsmount',
        ]),
      );
      expect(found.links('/etc/alternatives/nfsmount')).toEqual(['/etc/nfsmount.conf']);
      expect(found.cause('/etc/services')).toContain('data rule of /usr/sbin/mount.nfs');
    });

    it.each(['/etc/netconfig', '/etc/protocols', '/etc/services'])(
      'make a missing %s an error that names the package',
      (path) => {
        const { [path]: _missing, ...rest } = data;
        const error = failure({ ...mount, ...rest }, '/usr/sbin/mount.nfs');
        expect(error.message).toContain(`Cannot ship "${path}" for "/usr/sbin/mount.nfs"`);
        expect(error.hint).toMatch(/Install the package (netbase|libtirpc-common) into the root/);
      },
    );

    it('only warn for another program of libtirpc', () => {
      const found = closure({ ...mount, '/usr/bin/app': buildProgram({ needed: ['libtirpc.so.3'] }) });
      expect(found.warnings).toEqual([expect.stringContaining('/etc/netconfig')]);
    });

    it('bring NSS modules where glibc is older than 2.34 and names are looked up', () => {
      const tree = (version: string, imports: readonly string[]): MemoryTree => ({
        ...DEBIAN,
        [LIBC]: libc(version),
        '/usr/bin/app': buildProgram({ imports }),
        '/usr/lib/libnss_files.so.2': library('libnss_files.so.2'),
        '/usr/lib/libnss_dns.so.2': library('libnss_dns.so.2', { needed: ['libresolv.so.2'] }),
        '/usr/lib/libresolv.so.2': library('libresolv.so.2'),
        '/etc/nsswitch.conf': 'hosts: files dns',
      });
      const old = closure(tree('GLIBC_2.31', ['getaddrinfo'])).paths;
      expect(old).toEqual(
        expect.arrayContaining([
          '/etc/nsswitch.conf',
          '/usr/lib/libnss_dns.so.2',
          '/usr/lib/libnss_files.so.2',
          '/usr/lib/libresolv.so.2',
        ]),
      );
      expect(closure(tree('GLIBC_2.31', ['getpwnam'])).paths).not.toContain('/usr/lib/libnss_dns.so.2');
      expect(closure(tree('GLIBC_2.31', ['getpwnam'])).paths).toContain('/usr/lib/libnss_files.so.2');
      expect(closure(tree('GLIBC_2.31', ['puts'])).paths).not.toContain('/usr/lib/libnss_files.so.2');
      expect(closure(tree('GLIBC_2.34', ['getaddrinfo'])).paths).not.toContain('/usr/lib/libnss_files.so.2');
    });
  });

  it('is the same whatever the order of the requests', () => {
    const tree = { ...DEBIAN, '/usr/bin/a': buildProgram(), '/usr/bin/b': buildProgram() };
    const paths = (order: readonly string[]) => closure(tree, order).paths;
    expect(paths(['/bin/b', '/bin/a'])).toEqual(paths(['/bin/a', '/bin/b']));
  });
});
