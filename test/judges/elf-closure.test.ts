import { execFileSync, spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ElfClosureBuilder } from '../../src/elf/elf-closure.js';
import { ElfFile } from '../../src/elf/elf-file.js';
import { hasElfMagic } from '../../src/elf/elf-header.js';
import { MkrootError } from '../../src/errors.js';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { displayPath } from '../../src/ports/byte-path.js';
import { type Resolved, Sysroot } from '../../src/rootfs/sysroot.js';
import { elfyHeaders } from '../support/elfy-reader.js';
import { judgeRoot } from '../support/judge-roots.js';

/** Configured roots, in which ldd can be run. */
const NATIVE = { trixie: () => judgeRoot('trixie'), bookworm: () => judgeRoot('bookworm') };
/** With those whose packages were only unpacked, of other machines. */
const ALL = {
  ...NATIVE,
  'trixie-arm64': () => judgeRoot('trixie-arm64'),
  'bookworm-i386': () => judgeRoot('bookworm-i386'),
};
type RootName = keyof typeof ALL;

interface Elf extends Resolved {
  readonly elf: ElfFile;
}

const roots = new Map<RootName, { sysroot: Sysroot; files: Elf[]; names: ReadonlySet<string> }>();

beforeAll(() => {
  for (const name of namesOf(ALL)) {
    const sysroot = new Sysroot(new DiskFileSystem(), ALL[name]());
    const entries = [...sysroot.walk('/')];
    const files = entries.flatMap((entry): Elf[] => {
      const { hostPath, path, stat } = entry;
      if (stat.kind !== 'file' || stat.size < 64) return [];
      if (!hasElfMagic(sysroot.fs.readRange(hostPath, 0, 4))) return [];
      return [{ ...entry, elf: new ElfFile({ fs: sysroot.fs, hostPath, name: path, size: stat.size }) }];
    });
    const names = new Set(entries.map(({ path }) => basename(path)));
    roots.set(name, { sysroot, files, names });
  }
});

const loadable = (name: RootName) =>
  roots
    .get(name)!
    .files.filter(({ elf }) => elf.header.type === 'executable' || elf.header.type === 'shared');

describe.each(namesOf(ALL))('dynamic sections of %s', (name) => {
  it('are read as readelf -dW reads them, for every ELF file that can be loaded', () => {
    const files = loadable(name);
    expect(files.length).toBeGreaterThan(100);
    const judged = readelfDynamic(files.map(({ hostPath }) => hostPath));
    const differences = files.flatMap(({ path, hostPath, elf }) => {
      const { dynamic } = elf;
      const ours = dynamic && {
        needed: dynamic.needed,
        soname: dynamic.soname,
        rpath: dynamic.rpath,
        runpath: dynamic.runpath,
        pie: (dynamic.flags1 & 0x0800_0000) !== 0,
        nodeflib: (dynamic.flags1 & 0x800) !== 0,
      };
      const theirs = judged.get(hostPath);
      const same = JSON.stringify(ours) === JSON.stringify(theirs);
      return same ? [] : [{ path, ours, theirs }];
    });
    expect(differences).toEqual([]);
  });

  it('and headers agree with elfy, the second reader, for every ELF file', () => {
    const differences = loadable(name).flatMap(({ path, hostPath, elf }) => {
      const theirs = elfyHeaders(roots.get(name)!.sysroot.fs.readFile(hostPath));
      const ours = {
        class: elf.header.elfClass,
        order: elf.header.byteOrder,
        type: elf.header.type,
        programs: elf.header.programHeaders.map(({ offset, virtualAddress, fileSize }) => [
          offset,
          virtualAddress,
          fileSize,
        ]),
      };
      return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ path, ours, theirs }];
    });
    expect(differences).toEqual([]);
  });
});

describe.each(namesOf(ALL))('imported functions of %s', (name) => {
  it('are those that nm -D shows, for every ELF file that can be loaded', () => {
    const wanted = ['pthread_create', 'pthread_cancel', 'pthread_exit', 'getaddrinfo'];
    const files = loadable(name).filter(({ elf }) => elf.dynamic !== undefined);
    const judged = undefinedSymbols(files.map(({ hostPath }) => hostPath));
    const differences = files.flatMap(({ path, hostPath, elf }) => {
      const ours = elf.imports(wanted);
      const theirs = wanted.filter((symbol) => judged.get(hostPath)?.has(symbol)).sort();
      return ours.join() === theirs.join() ? [] : [{ path, ours, theirs }];
    });
    expect(judged.size).toBeGreaterThan(100);
    expect(differences).toEqual([]);
  });
});

describe.each(namesOf(ALL))('dlopen notes of %s', (name) => {
  it('are as many as readelf -n shows, for every ELF file that can be loaded', () => {
    const files = loadable(name);
    const judged = countDlopenNotes(files.map(({ hostPath }) => hostPath));
    const differences = files.flatMap(({ path, hostPath, elf }) => {
      const [ours, theirs] = [elf.dlopenRequests().length, judged.get(hostPath) ?? 0];
      return ours === theirs ? [] : [{ path, ours, theirs }];
    });
    expect(differences).toEqual([]);
    if (name.startsWith('trixie')) expect(judged.size).toBeGreaterThan(3);
  });
});

/** Libraries that are in the root and yet not found, rightly. */
const HIDDEN: readonly { readonly asker: RegExp; readonly reason: string }[] = [
  {
    asker: /\/systemd\/libsystemd-core-\d+\.so$/,
    reason:
      'has no DT_RUNPATH; finds libsystemd-shared only in a process whose program has loaded it, and ldd says the same',
  },
];

describe.each(namesOf(ALL))('programs and libraries of %s', (name) => {
  it('lack no library that is anywhere in the root, whatever its machine', () => {
    const { sysroot, names } = roots.get(name)!;
    const builder = new ElfClosureBuilder(sysroot);
    let complete = 0;
    const differences = loadable(name).flatMap(({ path, elf }) => {
      // Boot loaders and kernel objects are ELF files that no loader of the root ever sees.
      if (elf.dynamic === undefined || !/^(?:\/usr)?\/(?:s?bin|lib|libexec)\//.test(path)) return [];
      const [first = ''] = closure(builder, path);
      const missing = /^(.*) => not found$/.exec(first)?.[1];
      if (missing === undefined) complete += 1;
      const isHidden = HIDDEN.some(({ asker }) => asker.test(path));
      return missing !== undefined && names.has(missing) && !isHidden ? [{ path, missing }] : [];
    });
    expect(differences).toEqual([]);
    expect(complete).toBeGreaterThan(100);
  });
});

describe.each(namesOf(NATIVE))('library closures of %s', (name) => {
  it('hold exactly the files that ldd finds inside a chroot, for every program and library', () => {
    const { sysroot } = roots.get(name)!;
    const files = loadable(name).filter(
      ({ path, elf }) => /^\/usr\/(?:s?bin|lib|libexec)\//.test(path) && elf.dynamic !== undefined,
    );
    expect(files.length).toBeGreaterThan(300);
    const judged = ldd(
      sysroot,
      files.map(({ path }) => path),
    );
    const builder = new ElfClosureBuilder(sysroot);
    const differences = files.flatMap(({ path }) => {
      const ours = closure(builder, path);
      // Where a library is missing, ldd goes on and lists the rest; we stop, with the same verdict.
      const whole = judged.get(path) ?? ['ldd said nothing'];
      const missing = whole.filter((line) => line.endsWith('not found'));
      const theirs = missing.length > 0 ? missing : whole;
      const onlyOurs = ours.filter((file) => !theirs.includes(file));
      const onlyTheirs = theirs.filter((file) => !ours.includes(file));
      return onlyOurs.length + onlyTheirs.length === 0 ? [] : [{ path, onlyOurs, onlyTheirs }];
    });
    expect(differences).toEqual([]);
  });
});

/** Resolved paths of what a program loads, or the name that is missing, in the words of ldd. */
function closure(builder: ElfClosureBuilder, path: string): string[] {
  try {
    return builder
      .load(path)
      .objects.slice(1)
      .map((object) => object.path);
  } catch (error) {
    const missing =
      error instanceof MkrootError ? /^Cannot load "(.*)" for .*: no such library/.exec(error.message) : null;
    if (missing === null) throw error;
    return [`${missing[1]} => not found`];
  }
}

function namesOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

interface JudgedDynamic {
  needed: string[];
  soname: string | undefined;
  rpath: string | undefined;
  runpath: string | undefined;
  pie: boolean;
  nodeflib: boolean;
}

/** One run of readelf over all files; it names each before its dynamic section. */
function readelfDynamic(hostPaths: readonly string[]): Map<string, JudgedDynamic> {
  const result = new Map<string, JudgedDynamic>();
  let current: JudgedDynamic | undefined;
  let file = '';
  for (let at = 0; at < hostPaths.length; at += 1000) {
    const output = execFileSync('readelf', ['-dW', ...hostPaths.slice(at, at + 1000).map(displayPath)], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      env: { ...process.env, LC_ALL: 'C' },
    });
    for (const line of output.split('\n')) {
      const named = /^File: (.*)$/.exec(line)?.[1];
      if (named !== undefined) file = named;
      if (/^Dynamic section at offset/.test(line)) {
        current = {
          needed: [],
          soname: undefined,
          rpath: undefined,
          runpath: undefined,
          pie: false,
          nodeflib: false,
        };
        result.set(file, current);
      }
      const entry = /\((\w+)\)\s+(?:[^[]*\[(.*)\]|(.*))$/.exec(line);
      if (entry === null || current === undefined) continue;
      const [, tag, value = '', rest = ''] = entry;
      if (tag === 'NEEDED') current.needed.push(value);
      if (tag === 'SONAME') current.soname = value;
      if (tag === 'RPATH') current.rpath = value;
      if (tag === 'RUNPATH') current.runpath = value;
      if (tag === 'FLAGS_1') {
        current.pie = / PIE\b/.test(rest);
        current.nodeflib = /\bNODEFLIB\b/.test(rest);
      }
    }
  }
  return result;
}

/** One run of readelf over all files; systemd and kmod write one note for each library. */
function countDlopenNotes(hostPaths: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  const { stdout } = spawnSync('readelf', ['-n', ...hostPaths], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  let file = '';
  for (const line of stdout.split('\n')) {
    file = /^File: (.*)$/.exec(line)?.[1] ?? file;
    if (/^\s+FDO\s+0x\S+\s.*0x407c0c0a/.test(line)) result.set(file, (result.get(file) ?? 0) + 1);
  }
  return result;
}

/** One run of nm over all files: what each takes from others. */
function undefinedSymbols(hostPaths: readonly string[]): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>();
  const { stdout } = spawnSync('nm', ['-D', '-u', '-A', ...hostPaths], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  for (const line of stdout.split('\n')) {
    const [, path, symbol] = /^(.*?):\s+[Uwv] ([^@\s]+)/.exec(line) ?? [];
    if (path === undefined || symbol === undefined) continue;
    const symbols = result.get(path) ?? new Set();
    result.set(path, symbols.add(symbol));
  }
  return result;
}

/** One chroot that runs ldd over all files; paths are made real inside the chroot, so that links do not matter. */
function ldd(sysroot: Sysroot, paths: readonly string[]): Map<string, string[]> {
  const script = 'while IFS= read -r f; do echo "@$f"; ldd "$f" 2>&1; done';
  const { stdout, status, stderr } = spawnSync('chroot', [sysroot.root, '/bin/bash', '-c', script], {
    input: `${paths.join('\n')}\n`,
    encoding: 'latin1',
    maxBuffer: 1 << 28,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`chroot ldd failed: ${stderr}`);
  const result = new Map<string, string[]>();
  let libraries: string[] = [];
  for (const line of stdout.split('\n')) {
    if (line.startsWith('@')) {
      libraries = [];
      result.set(line.slice(1), libraries);
      continue;
    }
    if (/not found/.test(line)) libraries.push(line.trim());
    const path = /(?:=> |^\s+)(\/\S+) \(0x/.exec(line)?.[1];
    const real = path === undefined ? undefined : sysroot.resolve(path)?.path;
    if (real !== undefined && !libraries.includes(real)) libraries.push(real);
  }
  return result;
}
