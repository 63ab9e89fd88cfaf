import nodeFs, { mkdtempSync, type PathLike, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { DiskFileSystem } from '../../../src/host/disk-file-system.js';
import type { FileSystem } from '../../../src/ports/file-system.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** What every file system behind the port must do, on disk as in memory. */
describe.each(['memory', 'disk'])('the file-system port on %s', (kind) => {
  let fs: FileSystem;
  let top = '';

  beforeEach(() => {
    if (kind === 'disk') top = mkdtempSync(`${tmpdir()}/mkroot-contract-`);
    else top = '/work';
    fs = kind === 'disk' ? new DiskFileSystem() : memoryFileSystem({ '/work': null });
  });

  afterEach(() => {
    if (kind === 'disk') rmSync(top, { recursive: true, force: true });
  });

  const failure = (act: () => unknown): MkrootError => {
    try {
      act();
    } catch (error) {
      if (error instanceof MkrootError) return error;
      throw error;
    }
    throw new Error('it was expected to fail');
  };

  it('describes files, directories and links without following them; nothing is undefined', () => {
    fs.writeFile(`${top}/f`, 'abc', 0o640);
    fs.mkdir(`${top}/d/e`);
    fs.symlink('f', `${top}/l`);
    fs.symlink('none', `${top}/dangling`);
    expect(fs.lstat(`${top}/f`)).toMatchObject({ kind: 'file', size: 3, mode: 0o640, nlink: 1 });
    expect(fs.lstat(`${top}/d/e`)).toMatchObject({ kind: 'directory' });
    expect(fs.lstat(`${top}/l`)).toMatchObject({ kind: 'symlink' });
    expect(fs.lstat(`${top}/dangling`)?.kind).toBe('symlink');
    expect(fs.lstat(`${top}/none`)).toBeUndefined();
    expect(fs.lstat(`${top}/f/below`)).toBeUndefined();
  });

  it('reads whole files, ranges that end early, and pieces', () => {
    fs.writeFile(`${top}/f`, '0123456789');
    expect(text(fs.readFile(`${top}/f`))).toBe('0123456789');
    expect(text(fs.readRange(`${top}/f`, 3, 4))).toBe('3456');
    expect(text(fs.readRange(`${top}/f`, 8, 100))).toBe('89');
    expect(text(fs.readRange(`${top}/f`, 50, 10))).toBe('');
    const pieces: string[] = [];
    for (const piece of fs.readChunks(`${top}/f`, 4)) pieces.push(text(piece));
    expect(pieces).toEqual(['0123', '4567', '89']);
    fs.writeFile(`${top}/empty`, '');
    expect(fs.readFile(`${top}/empty`)).toHaveLength(0);
    expect([...fs.readChunks(`${top}/empty`)]).toEqual([]);
  });

  it('keeps every byte of a large file', () => {
    const data = Buffer.alloc(3_000_001, 'pattern-');
    fs.writeFile(`${top}/large`, data);
    expect(data.equals(fs.readFile(`${top}/large`))).toBe(true);
  });

  it('writes a file whose name is as long as names can be', () => {
    const name = 'n'.repeat(255);
    fs.writeFile(`${top}/${name}`, 'data');
    expect(fs.readdir(top)).toEqual([name]);
  });

  it('writes although a killed run with the same process id left its temporary file', () => {
    for (let count = 0; count < 50; count += 1) fs.symlink('none', `${top}/f.tmp-${process.pid}-${count}`);
    fs.writeFile(`${top}/f`, 'new');
    expect(text(fs.readFile(`${top}/f`))).toBe('new');
  });

  it('replaces a file in one step and leaves no temporary file', () => {
    fs.writeFile(`${top}/f`, 'old', 0o600);
    fs.writeFile(`${top}/f`, 'new', 0o755);
    expect(text(fs.readFile(`${top}/f`))).toBe('new');
    expect(fs.lstat(`${top}/f`)?.mode).toBe(0o755);
    expect(fs.readdir(top)).toEqual(['f']);
  });

  it('shows a created file only when it is committed, and removes it when it is given up', () => {
    const kept = fs.create(`${top}/kept`, 0o604);
    kept.write(Buffer.from('one '));
    kept.write(Buffer.from('two'));
    expect(fs.lstat(`${top}/kept`)).toBeUndefined();
    kept.commit();
    kept.abort();
    expect(text(fs.readFile(`${top}/kept`))).toBe('one two');
    expect(fs.lstat(`${top}/kept`)?.mode).toBe(0o604);
    const dropped = fs.create(`${top}/dropped`);
    dropped.write(Buffer.from('x'));
    dropped.abort();
    expect(fs.readdir(top)).toEqual(['kept']);
  });

  it('adds a file with its attributes, whatever the umask, and never over another one', () => {
    const { uid, gid } = fs.lstat(top)!;
    fs.addFile(`${top}/f`, [Buffer.from('one '), Buffer.from('two')], { mode: 0o4666, uid, gid, mtime: 7 });
    expect(text(fs.readFile(`${top}/f`))).toBe('one two');
    expect(fs.lstat(`${top}/f`)).toMatchObject({ kind: 'file', mode: 0o4666, uid, gid, mtime: 7, size: 7 });
    const again = () => fs.addFile(`${top}/f`, [], { mode: 0o600, uid, gid, mtime: 0 });
    expect(again).toThrow(`Cannot create "${top}/f": file already exists`);
    fs.symlink('/nowhere', `${top}/l`);
    expect(() => fs.addFile(`${top}/l`, [], { mode: 0o600, uid, gid, mtime: 0 })).toThrow('already exists');
    expect(text(fs.readFile(`${top}/f`))).toBe('one two');
  });

  it('lists names in byte order', () => {
    for (const name of ['b', 'a', 'B', 'a-', 'a b', 'a\nb']) fs.writeFile(`${top}/${name}`, '');
    expect(fs.readdir(top)).toEqual(['B', 'a', 'a\nb', 'a b', 'a-', 'b']);
  });

  it('reads links as they stand', () => {
    fs.symlink('../x/./y', `${top}/l`);
    expect(fs.readlink(`${top}/l`)).toBe('../x/./y');
  });

  it('makes hard links, renames, and changes modes and times', () => {
    fs.writeFile(`${top}/f`, 'x');
    fs.link(`${top}/f`, `${top}/g`);
    expect(fs.lstat(`${top}/g`)).toMatchObject({ nlink: 2, ino: fs.lstat(`${top}/f`)?.ino });
    fs.rename(`${top}/g`, `${top}/h`);
    expect(fs.readdir(top)).toEqual(['f', 'h']);
    fs.chmod(`${top}/h`, 0o4711);
    expect(fs.lstat(`${top}/h`)?.mode).toBe(0o4711);
    fs.setMtime(`${top}/h`, 1_000_000_000);
    expect(fs.lstat(`${top}/h`)?.mtime).toBe(1_000_000_000);
  });

  it('sets the time of a link, not of what it leads to', () => {
    fs.writeFile(`${top}/f`, 'x');
    fs.setMtime(`${top}/f`, 1_500_000_000);
    fs.symlink('f', `${top}/l`);
    fs.setMtime(`${top}/l`, 1_000_000_000);
    expect(fs.lstat(`${top}/l`)?.mtime).toBe(1_000_000_000);
    expect(fs.lstat(`${top}/f`)?.mtime).toBe(1_500_000_000);
  });

  it('removes trees without following links, and is content with nothing', () => {
    fs.mkdir(`${top}/tree/d`);
    fs.writeFile(`${top}/tree/d/f`, 'x');
    fs.writeFile(`${top}/outside`, 'x');
    fs.symlink('../outside', `${top}/tree/l`);
    fs.symlink('..', `${top}/tree/up`);
    fs.remove(`${top}/tree`);
    fs.remove(`${top}/tree`);
    expect(fs.readdir(top)).toEqual(['outside']);
  });

  it('makes directories with their parents, again and again, and temporary ones', () => {
    fs.mkdir(`${top}/a/b/c`);
    fs.mkdir(`${top}/a/b/c`);
    const one = fs.makeTemporaryDirectory(`${top}/t-`);
    const two = fs.makeTemporaryDirectory(`${top}/t-`);
    expect(one).not.toBe(two);
    expect(one.startsWith(`${top}/t-`)).toBe(true);
    expect(fs.lstat(one)?.kind).toBe('directory');
  });

  it('names action, path and reason when something fails', () => {
    fs.writeFile(`${top}/f`, '');
    const error = failure(() => fs.readFile(`${top}/none`));
    expect(error.message).toMatch(/^Cannot open "\S+\/none": .* \(ENOENT\)$/);
    expect(error.exitCode).toBe(ExitCode.NotFound);
    expect(failure(() => fs.readdir(`${top}/f`)).exitCode).toBe(ExitCode.Io);
    expect(failure(() => fs.readlink(`${top}/f`)).message).toContain(`Cannot read link "${top}/f"`);
    expect(failure(() => fs.writeFile(`${top}/none/f`, '')).message).toContain(
      `Cannot create "${top}/none/f"`,
    );
    expect(failure(() => fs.symlink('x', `${top}/f`)).message).toContain('EEXIST');
    expect(failure(() => [...fs.readChunks(`${top}/none`)]).message).toContain('ENOENT');
  });

  it('carries names that are not UTF-8 through every operation', () => {
    // In a byte path each character is one byte; these are no valid UTF-8.
    const [directory, name, target] = [`${top}/d\xff`, `n\xe9\x01\xfe`, 't\xc3'];
    fs.mkdir(directory);
    fs.writeFile(`${directory}/${name}`, 'x');
    fs.symlink(target, `${directory}/l\x80`);
    fs.link(`${directory}/${name}`, `${directory}/h\xf0`);
    fs.rename(`${directory}/h\xf0`, `${directory}/r\xf0`);
    expect(fs.readdir(directory)).toEqual(['l\x80', name, 'r\xf0']);
    expect(fs.readdir(top)).toEqual(['d\xff']);
    expect(fs.readlink(`${directory}/l\x80`)).toBe(target);
    expect(fs.lstat(`${directory}/${name}`)?.kind).toBe('file');
    expect(text(fs.readFile(`${directory}/r\xf0`))).toBe('x');
    expect(failure(() => fs.readFile(`${directory}/\xff`)).message).toContain('/d\\xff/\\xff"');
    const temporary = fs.makeTemporaryDirectory(`${directory}/t\xfa-`);
    expect(fs.lstat(temporary)?.kind).toBe('directory');
    fs.remove(directory);
    expect(fs.readdir(top)).toEqual([]);
  });
});

describe('DiskFileSystem', () => {
  it('cannot "replace" what is there, and cannot "create" what is not', () => {
    const disk = new DiskFileSystem();
    // Nothing new can be made in /proc, by whomever.
    expect(() => disk.writeFile('/proc/version', '')).toThrow(/^Cannot replace "\/proc\/version": /);
    expect(() => disk.writeFile('/proc/none', '')).toThrow(/^Cannot create "\/proc\/none": /);
  });

  it('removes a tree of which another run removes the same files at the same time', () => {
    const top = mkdtempSync(`${tmpdir()}/mkroot-contract-`);
    // The other run is always a moment earlier.
    const twice = (act: (path: PathLike) => void) => (path: PathLike) => {
      act(path);
      act(path);
    };
    const disk = new DiskFileSystem({
      ...nodeFs,
      unlinkSync: twice(nodeFs.unlinkSync),
      rmdirSync: twice(nodeFs.rmdirSync),
      readdirSync: ((path: PathLike, options: { encoding: 'buffer' }) => {
        if (String(path).endsWith('/gone')) nodeFs.rmdirSync(path);
        return nodeFs.readdirSync(path, options);
      }) as typeof nodeFs.readdirSync,
    });
    for (const path of ['gone', 'd/e']) disk.mkdir(`${top}/tree/${path}`);
    disk.writeFile(`${top}/tree/d/f`, '');
    disk.remove(`${top}/tree`);
    expect(disk.readdir(top)).toEqual([]);
    nodeFs.rmdirSync(top);
  });
});
