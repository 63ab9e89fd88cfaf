import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPRESSIONS, compress } from '../../src/archive/compression.js';
import {
  type ArchiveEntry,
  deviceEntry,
  directoryEntry,
  fileEntry,
  hostFileEntry,
  symlinkEntry,
} from '../../src/archive/entry.js';
import { extractTo } from '../../src/archive/extract.js';
import { hostEntries } from '../../src/archive/host-entries.js';
import { cleanName, readCpio } from '../../src/archive/newc-reader.js';
import { newcBytes, writeNewc } from '../../src/archive/newc-writer.js';
import type { Reason } from '../../src/archive/reason.js';
import { allRecords, readSegments } from '../../src/archive/segments.js';
import { ArchiveTree, byteOrder } from '../../src/archive/tree.js';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { ExecaRunner } from '../../src/host/execa-runner.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import type { ProcessRunner } from '../../src/ports/process-runner.js';
import { judgeRoot } from '../support/judge-roots.js';

const fs = new DiskFileSystem();
const runner = new ExecaRunner();
const why: Reason = { kind: 'option', option: '--file' };

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mkroot-archive-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function place(name: string): string {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Everything that a newc archive can hold, and every kind of name. */
function everything(): ArchiveTree {
  const tree = new ArchiveTree();
  const deep = Array.from({ length: 8 }, (_, index) => String(index).repeat(120)).join('/');
  const add = (entry: ArchiveEntry) => tree.add(entry);
  add(directoryEntry('dev', why));
  add(deviceEntry('dev/console', { type: 'character', major: 5, minor: 1 }, why));
  add(deviceEntry('dev/big', { type: 'block', major: 259, minor: 70_000 }, why, { mode: 0o660, gid: 6 }));
  add(symlinkEntry('lib', 'usr/lib', why));
  add(fileEntry('lib/modules/x.ko', Buffer.alloc(70_001, 'm'), why));
  add(
    fileEntry(
      `usr/share/ca-certificates/${toBytePath('NetLock_Arany_=Class_Gold=_Főtanúsítvány.crt')}`,
      'pem',
      why,
    ),
  );
  add(fileEntry('latin1-\xe9', 'bytes', why));
  add(fileEntry('with space "and\\quotes\'', 'x', why));
  add(fileEntry(deep, 'deep', why));
  add(fileEntry('setuid', 'x', why, { mode: 0o4755, uid: 12, gid: 34, mtime: 1_500_000_000 }));
  add(fileEntry('empty', '', why, { mode: 0 }));
  add(directoryEntry('sticky', why, { mode: 0o1777 }));
  add(symlinkEntry('dangling', 'no/where'.repeat(100), why));
  for (const name of ['link-b', 'link-a', 'usr/link-c'])
    add({ ...fileEntry(name, 'linked data', why), linkKey: 'one' });
  for (const name of ['none-a', 'none-b']) add({ ...fileEntry(name, '', why), linkKey: 'two' });
  return tree;
}

/** What lies in a directory, one line for each entry, in byte order: type and mode, owner, links, device, content, name. */
function linesOf(directory: string): string[] {
  const groups = new Map<string, string>();
  const lines: string[] = [];
  const visit = (path: string, name: string) => {
    for (const child of fs.readdir(path)) {
      const [hostPath, entryName] = [`${path}/${child}`, name === '' ? child : `${name}/${child}`];
      const stat = fs.lstat(hostPath)!;
      const inode = `${stat.ino}`;
      const first = stat.kind === 'file' && stat.nlink > 1 ? (groups.get(inode) ?? entryName) : '';
      groups.set(inode, first);
      const content =
        stat.kind === 'file'
          ? md5(fs.readFile(hostPath))
          : stat.kind === 'symlink'
            ? fs.readlink(hostPath)
            : '';
      lines.push(line(entryName, stat.kind, stat.mode, [stat.uid, stat.gid], stat.rdev, content, first));
      if (stat.kind === 'directory') visit(hostPath, entryName);
    }
  };
  visit(directory, '');
  return lines.sort((a, b) => byteOrder(a, b));
}

function line(
  name: string,
  kind: string,
  mode: number,
  owner: readonly number[],
  device: readonly number[],
  content: string,
  firstLink: string,
): string {
  const isDevice = kind === 'character' || kind === 'block';
  return [
    name,
    kind,
    kind === 'symlink' ? '' : mode.toString(8),
    owner.join(':'),
    isDevice ? device.join(':') : '',
    content,
    firstLink,
  ].join('|');
}

/** The lines that the entries of a tree should come to. */
function expectedLines(tree: ArchiveTree): string[] {
  const first = new Map<string, string>();
  return tree
    .entries()
    .map((entry) => {
      const kind = entry.kind === 'device' ? entry.type : entry.kind;
      const key = entry.kind === 'file' ? entry.linkKey : undefined;
      if (key !== undefined && !first.has(key)) first.set(key, entry.path);
      const content =
        entry.kind === 'symlink'
          ? entry.target
          : entry.kind === 'file'
            ? md5(entry.content.from === 'bytes' ? entry.content.data : fs.readFile(entry.content.hostPath))
            : '';
      const device = entry.kind === 'device' ? [entry.major, entry.minor] : [];
      const link = key === undefined ? '' : first.get(key)!;
      return line(entry.path, kind, entry.mode, [entry.uid, entry.gid], device, content, link);
    })
    .sort((a, b) => byteOrder(a, b));
}

function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

describe('GNU cpio and bsdtar', () => {
  const unpackers = {
    'GNU cpio': ['cpio', '-idm', '--quiet', '--no-absolute-filenames'],
    bsdtar: ['bsdtar', '-xpf', '-'],
  } as const;

  it.each(Object.entries(unpackers))(
    '%s unpacks our archive to exactly our entries',
    (tool, [program, ...args]) => {
      const directory = place(`by ${tool}`);
      const tree = everything();
      execFileSync(program, args, { cwd: directory, input: newcBytes(tree.entries(), fs) });
      expect(linesOf(directory)).toEqual(expectedLines(tree));
    },
  );

  it('extractTo makes of our archive what GNU cpio makes of it', async () => {
    const directory = join(scratch, 'by mkroot');
    const tree = everything();
    const report = await extractTo(
      directory,
      [readCpio(newcBytes(tree.entries(), fs))],
      { fs, runner },
      { isRoot: true },
    );
    expect(report).toEqual({ entries: tree.size, skipped: [] });
    expect(linesOf(directory)).toEqual(expectedLines(tree));
  });

  it.each([
    ['GNU cpio newc', 'find . -mindepth 1 -print0 | cpio -0o --quiet -H newc'],
    ['GNU cpio crc', 'find . -mindepth 1 -print0 | cpio -0o --quiet -H crc'],
    ['GNU cpio odc', 'find . -mindepth 1 -print0 | cpio -0o --quiet -H odc'],
    ['bsdtar newc', 'bsdtar -cf - --format newc .'],
    ['busybox cpio', 'find . -mindepth 1 -print0 | busybox cpio -0 -o -H newc'],
  ])('our reader takes an archive of %s', async (tool, script) => {
    const source = place(`source for ${tool}`);
    const tree = everything();
    await extractTo(
      `${source}/tree`,
      [readCpio(newcBytes(tree.entries(), fs))],
      { fs, runner },
      { isRoot: true },
    );
    const made = execFileSync('sh', ['-c', script], {
      cwd: `${source}/tree`,
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { records, hasTrailer } = readCpio(made);
    expect(hasTrailer).toBe(true);
    const names = records.map(({ name }) => cleanName(name)).filter((name) => name !== '');
    expect(names.sort(byteOrder)).toEqual(tree.entries().map(({ path }) => path));
    await extractTo(
      `${source}/again`,
      [{ records: parentsFirst(records), end: 0, hasTrailer }],
      { fs, runner },
      { isRoot: true },
    );
    // The old format has 18 bits for a device number: ours does not fit.
    const comparable = (lines: string[]) =>
      tool.endsWith('odc') ? lines.filter((text) => !text.startsWith('dev/big|')) : lines;
    expect(comparable(linesOf(`${source}/again`))).toEqual(comparable(expectedLines(tree)));
  });

  it('GNU cpio lists a whole Debian root out of our archive, name by name', () => {
    const entries = [...hostEntries(fs, judgeRoot('trixie'), '', { reason: why, keepOwner: true })];
    const file = join(scratch, 'root.cpio');
    const fd = openSync(file, 'w');
    for (const piece of writeNewc(entries, fs))
      for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    const listed = execFileSync('sh', ['-c', 'cpio -it --quiet < "$1"', 'sh', file], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    });
    expect(listed.split('\n').slice(0, -1)).toEqual(entries.map(({ path }) => path));
    rmSync(file);
  });
});

describe('bytes', () => {
  it.each(COMPRESSIONS)(
    'are the same for %s on one processor and on all, whatever the umask',
    async (compression) => {
      const sample = readFileSync(join(judgeRoot('trixie'), 'usr/bin/busybox'));
      const one: ProcessRunner = {
        which: (program) => runner.which(program),
        start: (command) => runner.start(command),
        run: (command) => runner.run({ ...command, argv: ['taskset', '-c', '0', ...command.argv] }),
      };
      const data = Buffer.concat([sample, newcBytes(everything().entries(), fs), sample, sample, sample]);
      const umask = process.umask(0o077);
      const first = await compress(data, compression, runner);
      process.umask(0);
      const second = await compress(data, compression, one);
      process.umask(umask);
      expect(md5(second)).toBe(md5(first));
    },
  );

  it('of a 5 GiB file are refused at once', () => {
    const big = join(scratch, 'big');
    writeFileSync(big, '');
    truncateSync(big, 5 * 2 ** 30);
    const entries = [...hostEntries(fs, big, 'big', { reason: why })];
    expect(() => writeNewc(entries, fs)).toThrow('cpio newc holds files of less than 4 GiB');
    rmSync(big);
  });
});

describe('readSegments', () => {
  const tail = () => newcBytes([fileEntry('tail', 'tail', why)], fs);

  it.each(COMPRESSIONS)('finds an archive that is appended to one packed with %s', async (compression) => {
    const tree = everything();
    const packed = await compress(newcBytes(tree.entries(), fs), compression, runner);
    const segments = await readSegments(Buffer.concat([packed, tail()]), runner);
    expect(
      segments.map((segment) => [segment.compression, allRecords([segment]).length, segment.warnings]),
    ).toEqual([
      [compression, tree.size, []],
      ['none', 1, []],
    ]);
  });

  it.each([
    ['lzma', ['xz', '--format=lzma', '-c']],
    ['bzip2', ['bzip2', '-c']],
    ['lz4-frame', ['lz4', '-q', '-c']],
  ] as const)('reads %s, which other tools write', async (format, [program, ...args]) => {
    const input = newcBytes(everything().entries(), fs);
    const packed = execFileSync(program, args, { input, maxBuffer: 1 << 26 });
    const [segment] = await readSegments(Buffer.concat([tail(), packed]), runner).then(([, second]) => [
      second,
    ]);
    expect(segment).toMatchObject({ compression: format, offset: tail().length, unpackedSize: input.length });
  });

  it.each(['trixie', 'bookworm'] as const)(
    'reads the initramfs of %s as GNU cpio does, segment by segment',
    async (name) => {
      const root = name === 'trixie' ? judgeRoot('trixie') : judgeRoot('bookworm');
      const file = readdirSync(join(root, 'boot')).find((entry) => entry.startsWith('initrd.img-'))!;
      const image = readFileSync(join(root, 'boot', file));
      const segments = await readSegments(image, runner);
      expect(segments.length).toBeGreaterThan(0);
      for (const segment of segments) {
        const packed = image.subarray(segment.offset, segment.offset + segment.packedSize);
        const unpack = { none: 'cat', gzip: 'gzip -dc', zstd: 'zstd -qdc', xz: 'xz -dc' }[
          segment.compression as string
        ]!;
        const listed = execFileSync('sh', ['-c', `${unpack} | cpio -it --quiet`], {
          input: packed,
          encoding: 'latin1',
          maxBuffer: 1 << 28,
          stdio: ['pipe', 'pipe', 'ignore'],
        });
        expect(allRecords([segment]).map(({ name }) => name)).toEqual(listed.split('\n').slice(0, -1));
      }
    },
  );
});

describe('the kernel', () => {
  const init = `#!/bin/busybox sh
B=/bin/busybox
$B stty -F /dev/console -opost
echo MKROOT-BEGIN
$B find / -xdev ! -path / ! -path /root | while IFS= read -r p; do
  x=
  if [ -L "$p" ]; then x=$($B readlink "$p"); elif [ -f "$p" ]; then x=$($B md5sum < "$p"); x=\${x%% *}; fi
  echo "E|$($B stat -c '%f|%u|%g|%h|%t|%T|%Y|%i' "$p")|$x|\${p#/}"
done
echo MKROOT-END
$B poweroff -f
`;
  const types: Readonly<Record<string, string>> = {
    8: 'file',
    4: 'directory',
    a: 'symlink',
    2: 'character',
    6: 'block',
  };

  /** A tree for the kernel, which finds busybox and /init in the first segment. */
  function bootable(): ArchiveTree {
    const tree = everything();
    const busybox = join(judgeRoot('trixie'), 'usr/bin/busybox');
    const source = { hostPath: toBytePath(busybox), size: fs.lstat(busybox)!.size };
    tree.add(hostFileEntry('bin/busybox', source, why, { mode: 0o755 }));
    tree.add(fileEntry('init', init, why, { mode: 0o755 }));
    return tree;
  }

  /** What other tools may append: entries that are in the way of each other, and inodes that start at 1 again. */
  const careless: ArchiveEntry[] = [
    fileEntry('no-parent/child', 'dropped', why),
    symlinkEntry('usr', 'elsewhere', why),
    directoryEntry('dangling', why),
    fileEntry('dangling/now-a-directory', 'x', why),
    fileEntry('lib/through-the-link', 'x', why),
    fileEntry('latin1-\xe9', 'replaced', why, { mode: 0o600 }),
    { ...fileEntry('again-a', 'other links', why), linkKey: 'x' },
    { ...fileEntry('again-b', 'other links', why), linkKey: 'x' },
  ];

  it('unpacks each compression, appended archives, links, devices and any names as extractTo does', async () => {
    const bytes = (entries: ArchiveEntry[]) => newcBytes(entries, fs);
    const small = (name: string) => bytes([fileEntry(`after-${name}`, name, why)]);
    const image = Buffer.concat([
      await compress(bytes(bootable().entries()), 'zstd', runner),
      bytes(careless),
      await compress(small('bare'), 'lz4', runner),
      small('lz4'),
      await compress(small('lz4 again'), 'xz', runner),
      small('xz'),
      await compress(small('xz again'), 'gzip', runner),
      small('gzip'),
    ]);
    const file = join(scratch, 'initrd');
    writeFileSync(file, image);
    const seen = unpackedByKernel(file);

    const directory = join(scratch, 'as the kernel');
    const segments = await readSegments(image, runner);
    const archives = segments.flatMap((segment) => segment.archives);
    const report = await extractTo(directory, archives, { fs, runner }, { isRoot: true });
    expect(report.skipped.map(({ path }) => path)).toEqual(['no-parent/child', 'usr']);
    expect(seen).toEqual(linesOf(directory));
    const untouched = expectedLines(bootable()).filter((text) => !/^(dangling|latin1-)/.test(text));
    expect(seen).toEqual(expect.arrayContaining(untouched));
  });

  function unpackedByKernel(initrd: string): string[] {
    const boot = join(judgeRoot('trixie'), 'boot');
    const kernel = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'))!;
    const { stdout } = spawnSync(
      'qemu-system-x86_64',
      [
        ...[
          '-accel',
          'tcg',
          '-m',
          '512',
          '-nodefaults',
          '-display',
          'none',
          '-serial',
          'stdio',
          '-no-reboot',
        ],
        ...[
          '-kernel',
          join(boot, kernel),
          '-initrd',
          initrd,
          '-append',
          'console=ttyS0 quiet loglevel=1 panic=-1',
        ],
      ],
      {
        encoding: 'latin1',
        timeout: 180_000,
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 26,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    expect(stdout).toContain('MKROOT-END');
    const groups = new Map<string, string>();
    return stdout
      .split(/\r?\n/)
      .filter((text) => text.startsWith('E|'))
      .map((text) => {
        const [, mode, uid, gid, links, major, minor, mtime, inode, content, ...name] = text.split('|');
        return {
          mode: mode!,
          owner: [+uid!, +gid!],
          links: +links!,
          device: [major!, minor!],
          mtime,
          inode: inode!,
          content: content!,
          name: name.join('|'),
        };
      })
      .sort((a, b) => byteOrder(a.name, b.name))
      .map(({ mode, owner, links, device, mtime, inode, content, name }) => {
        // The console is written to by then.
        if (name !== 'dev/console') expect([name, mtime]).toEqual([name, '0']);
        const kind = types[mode.slice(0, -3).padStart(1, '0')] ?? mode;
        const first = kind === 'file' && links > 1 ? (groups.get(inode) ?? name) : '';
        groups.set(inode, first);
        const numbers = device.map((digits) => Number.parseInt(digits, 16));
        return line(name, kind, Number.parseInt(mode, 16) & 0o7777, owner, numbers, content, first);
      })
      .sort((a, b) => byteOrder(a, b));
  }
});

/** find and bsdtar list in the order of the directory, with parents first; links need their data, which readCpio keeps. */
function parentsFirst<T extends { readonly name: string }>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => byteOrder(cleanName(a.name), cleanName(b.name)));
}
