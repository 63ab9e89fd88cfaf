import { describe, expect, it } from 'vitest';
import {
  deviceEntry,
  directoryEntry,
  fileEntry,
  hostFileEntry,
  symlinkEntry,
} from '../../../src/archive/entry.js';
import type { Reason } from '../../../src/archive/reason.js';
import { ArchiveTree } from '../../../src/archive/tree.js';
import { toBytePath } from '../../../src/ports/byte-path.js';

const why: Reason = { kind: 'option', option: '--file' };
const other: Reason = { kind: 'skeleton', part: 'init' };

describe('ArchiveTree', () => {
  it('makes missing parents as 0755 root:root and says for what', () => {
    const tree = new ArchiveTree();
    tree.add(fileEntry('usr/lib/x/a.so', 'x', why));
    expect(tree.entries().map(({ path, mode, uid, gid }) => [path, mode, uid, gid])).toEqual([
      ['usr', 0o755, 0, 0],
      ['usr/lib', 0o755, 0, 0],
      ['usr/lib/x', 0o755, 0, 0],
      ['usr/lib/x/a.so', 0o644, 0, 0],
    ]);
    expect(tree.reasons('usr/lib')).toEqual([{ kind: 'parent', of: 'usr/lib/x/a.so' }]);
  });

  it('lists parents first and siblings in byte order, whatever the order of adding', () => {
    const names = ['b', 'a/z', 'a-b', 'a', 'a.c', `a/${toBytePath('é')}`, 'a/z0'];
    const build = (order: readonly string[]) => {
      const tree = new ArchiveTree();
      for (const name of order) tree.add(name === 'a' ? directoryEntry('a', why) : fileEntry(name, '', why));
      return tree.entries().map(({ path }) => path);
    };
    expect(build(names)).toEqual(['a', 'a-b', 'a.c', 'a/z', 'a/z0', `a/${toBytePath('é')}`, 'b']);
    expect(build([...names].reverse())).toEqual(build(names));
  });

  it('places an entry below a link where the link leads, relative, absolute or with ..', () => {
    const tree = new ArchiveTree();
    tree.add(symlinkEntry('lib', 'usr/lib', why));
    tree.add(symlinkEntry('usr/lib64', '../usr/lib', why));
    tree.add(symlinkEntry('sys', '/../../usr', why));
    expect(tree.add(fileEntry('lib/modules/a.ko', '', why))).toBe('usr/lib/modules/a.ko');
    expect(tree.add(fileEntry('sys/lib64/b', '', why))).toBe('usr/lib/b');
    expect(tree.get('usr/lib/b')?.path).toBe('usr/lib/b');
  });

  it('a relative link leads to the same place from where the links among its parents lead', () => {
    const tree = new ArchiveTree();
    tree.add(symlinkEntry('bin', 'usr/bin', why));
    tree.add(symlinkEntry('sbin', 'usr/sbin', why));
    const targetOf = (path: string, target: string) => {
      const entry = tree.get(tree.add(symlinkEntry(path, target, why)));
      return entry?.kind === 'symlink' ? entry.target : undefined;
    };
    // Of a root in which /bin and /usr/bin are two directories.
    expect(targetOf('bin/tool', '../usr/lib/tool')).toBe('/usr/lib/tool');
    expect(targetOf('bin/conf', '../etc/conf')).toBe('/etc/conf');
    expect(targetOf('bin/root', '..')).toBe('/');
    expect(targetOf('sbin/modprobe', '../bin/busybox')).toBe('../bin/busybox');
    expect(targetOf('bin/sh', 'busybox')).toBe('busybox');
    expect(targetOf('usr/bin/own', '../lib/own')).toBe('../lib/own');
  });

  it.each([
    ['a directory over lib -> usr/lib', symlinkEntry('lib', 'usr/lib', why), directoryEntry('lib', other)],
    ['a file over a directory', directoryEntry('etc', why), fileEntry('etc', 'x', other)],
    [
      'a link over a directory that has something',
      fileEntry('lib/x', '', why),
      symlinkEntry('lib', 'usr/lib', other),
    ],
    ['a file below a file', fileEntry('init', '', why), fileEntry('init/x', '', other)],
    ['another content', fileEntry('init', 'a', why), fileEntry('init', 'b', other)],
    [
      'another mode of a directory',
      directoryEntry('tmp', why),
      directoryEntry('tmp', other, { mode: 0o1777 }),
    ],
    ['another target', symlinkEntry('sh', 'dash', why), symlinkEntry('sh', 'bash', other)],
    [
      'another device',
      deviceEntry('dev/null', { type: 'character', major: 1, minor: 3 }, why),
      deviceEntry('dev/null', { type: 'character', major: 1, minor: 5 }, other),
    ],
    ['a loop of links', symlinkEntry('a', 'a', why), fileEntry('a/x', '', other)],
  ])('refuses %s', (_, first, second) => {
    const tree = new ArchiveTree();
    tree.add(first);
    const before = tree.entries();
    expect(() => tree.add(second)).toThrow(/Cannot add ".*" to the archive/);
    expect(tree.entries()).toEqual(before);
  });

  it.each([
    ['', 'empty'],
    ['/etc', 'slash'],
    ['a/../b', 'component'],
    ['./a', 'component'],
    ['a//b', 'component'],
    ['a\0b', 'NUL'],
    ['€', 'not bytes'],
    ['TRAILER!!!', 'end of a cpio archive'],
    ['x'.repeat(256), '255'],
    [`${'x/'.repeat(2047)}xx`, '4095'],
  ])('refuses the name %j', (name, what) => {
    expect(() => new ArchiveTree().add(fileEntry(name, '', why))).toThrow(what);
  });

  it('takes a name of 4,095 bytes', () => {
    const name = `${'x/'.repeat(2047)}x`;
    const tree = new ArchiveTree();
    expect(tree.add(fileEntry(name, '', why))).toHaveLength(4095);
  });

  it('takes the same entry twice and keeps each reason once, the first one first', () => {
    const tree = new ArchiveTree();
    const source = { hostPath: '/root/usr/bin/x', size: 3 };
    tree.add(hostFileEntry('bin/x', source, why));
    tree.add(hostFileEntry('bin/x', source, other));
    tree.add(hostFileEntry('bin/x', source, why));
    expect(tree.reasons('bin/x')).toEqual([why, other]);
    expect(tree.get('bin/x')?.reason).toEqual(why);
  });

  it('lets an explicit directory take the place of one that was made for its contents', () => {
    const tree = new ArchiveTree();
    tree.add(fileEntry('tmp/x', '', why));
    tree.add(directoryEntry('tmp', other, { mode: 0o1777 }));
    expect(tree.get('tmp')).toMatchObject({ mode: 0o1777, reason: other });
  });

  it('replaces a file only when told to, and never a directory', () => {
    const tree = new ArchiveTree();
    tree.add(fileEntry('etc/x', 'a', why));
    tree.add(fileEntry('etc/x', 'b', other), { replace: true });
    expect(tree.reasons('etc/x')).toEqual([other]);
    expect(() => tree.add(fileEntry('etc', 'b', other), { replace: true })).toThrow('conflict');
  });
});
