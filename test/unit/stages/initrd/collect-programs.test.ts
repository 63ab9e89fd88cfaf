import { describe, expect, it } from 'vitest';
import { hostFileEntry, symlinkEntry } from '../../../../src/archive/entry.js';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { collectMergedDirectories } from '../../../../src/stages/initrd/collect-merged-directories.js';
import { collectPrograms } from '../../../../src/stages/initrd/collect-programs.js';
import { collectSkeleton } from '../../../../src/stages/initrd/collect-skeleton.js';
import { buildElf, buildGlibcLoader, buildProgram } from '../../../support/elf-fixture.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const option = { kind: 'option', option: '--program /usr/bin/tool' } as const;

function collect(tree = new ArchiveTree()) {
  const fs = memoryFileSystem({
    '/root/lib': { link: 'usr/lib' },
    '/root/lib64': { link: 'usr/lib64' },
    '/root/usr/lib64/ld-linux-x86-64.so.2': buildGlibcLoader(['/lib/x86_64-linux-gnu/']),
    '/root/usr/bin/tool': buildProgram({ interpreter: LOADER, needed: ['liba.so.1'] }),
    '/root/usr/lib/x86_64-linux-gnu/liba.so.1': { link: '/usr/lib/x86_64-linux-gnu/liba.so.1.5' },
    '/root/usr/lib/x86_64-linux-gnu/liba.so.1.5': buildElf({ soname: 'liba.so.1' }),
  });
  fs.chmod('/root/usr/bin/tool', 0o755);
  const root = new Sysroot(fs, '/root');
  collectMergedDirectories(tree, root);
  collectPrograms(tree, root, [{ value: '/usr/bin/tool', reason: option }]);
  return tree;
}

describe('collectPrograms', () => {
  it('brings loader, library and links, each with its reason', () => {
    const tree = collect();
    expect(tree.reasons('usr/bin/tool')).toEqual([option]);
    expect(tree.reasons('usr/lib64/ld-linux-x86-64.so.2')).toEqual([
      { kind: 'interpreter', of: 'usr/bin/tool' },
    ]);
    expect(tree.reasons('usr/lib/x86_64-linux-gnu/liba.so.1.5')).toEqual([
      { kind: 'needed', of: 'usr/bin/tool', name: 'liba.so.1' },
    ]);
    expect(tree.get('usr/lib/x86_64-linux-gnu/liba.so.1')).toMatchObject({ kind: 'symlink' });
  });

  it('keeps the links at the top of the archive: a real directory would hide what lies behind them', () => {
    expect(collect().get('lib')).toMatchObject({ kind: 'symlink', target: 'usr/lib' });
  });

  it('takes programs of a root in which /usr/sbin is /usr/bin', () => {
    const fs = memoryFileSystem({
      '/root/sbin': { link: 'usr/sbin' },
      '/root/usr/sbin': { link: 'bin' },
      '/root/usr/bin/e2fsck': '#!/bin/sh\n',
      '/skel/init': '#!/bin/sh\n',
      '/skel/applets': 'modprobe\nsh\n',
      '/skel/directories': 'bin\nsbin\n',
    });
    const root = new Sysroot(fs, '/root');
    const tree = new ArchiveTree();
    collectMergedDirectories(tree, root);
    collectSkeleton(tree, fs, '/skel');
    collectPrograms(tree, root, [{ value: '/usr/sbin/e2fsck', reason: option }]);
    const links = tree
      .entries()
      .filter(({ path }) => path.includes('bin'))
      .map((entry) => `${entry.path} ${entry.kind === 'symlink' ? entry.target : entry.kind}`);
    expect(links).toEqual([
      'bin usr/bin',
      'sbin usr/sbin',
      'usr/bin directory',
      'usr/bin/e2fsck file',
      'usr/bin/modprobe busybox',
      'usr/bin/sh busybox',
      'usr/sbin bin',
    ]);
  });

  it('takes a link that climbs out of the /bin of a root that is not usr-merged', () => {
    const fs = memoryFileSystem({
      '/root/bin/tool': { link: '../usr/lib/tool/tool' },
      '/root/usr/lib/tool/tool': '#!/bin/sh\n',
    });
    const root = new Sysroot(fs, '/root');
    const tree = new ArchiveTree();
    collectMergedDirectories(tree, root);
    collectPrograms(tree, root, [{ value: '/bin/tool', reason: option }]);
    expect(tree.get('usr/bin/tool')).toMatchObject({ kind: 'symlink', target: '/usr/lib/tool/tool' });
  });

  it('never replaces the busybox that /init runs on by another one of the root', () => {
    const fs = memoryFileSystem({
      '/root/usr/bin/less': { link: '/usr/bin/busybox' },
      '/root/usr/bin/busybox': '#!/bin/sh\n',
      '/root/usr/bin/busybox.static': 'x',
    });
    const root = new Sysroot(fs, '/root');
    const takenFrom = (hostPath: string) => {
      const tree = new ArchiveTree();
      collectMergedDirectories(tree, root);
      tree.add(hostFileEntry('bin/busybox', { hostPath, size: 1 }, option, { mode: 0o644 }));
      const warnings = collectPrograms(tree, root, [{ value: '/usr/bin/less', reason: option }]);
      expect(tree.get('usr/bin/less')).toMatchObject({ kind: 'symlink', target: '/usr/bin/busybox' });
      expect(tree.get('usr/bin/busybox')).toMatchObject({ content: { hostPath } });
      return warnings;
    };
    expect(takenFrom('/root/usr/bin/busybox.static')).toEqual([
      expect.stringContaining('"/usr/bin/busybox" of the root is left out'),
    ]);
    expect(takenFrom('/root/usr/bin/busybox')).toEqual([]);
  });

  it('never replaces the shell of /init: a script of an rpm package asks for /usr/bin/sh', () => {
    const fs = memoryFileSystem({
      '/root/usr/sbin/script': '#!/usr/bin/sh\n',
      '/root/usr/bin/sh': { link: 'bash' },
      '/root/usr/bin/bash': '#!/bin/sh\n',
    });
    const root = new Sysroot(fs, '/root');
    const collected = (program: string) => {
      const tree = new ArchiveTree();
      collectMergedDirectories(tree, root);
      tree.add(symlinkEntry('bin/sh', 'busybox', { kind: 'skeleton', part: 'applets' }));
      const warnings = collectPrograms(tree, root, [{ value: program, reason: option }]);
      expect(tree.get('usr/bin/sh')).toMatchObject({ kind: 'symlink', target: 'busybox' });
      return { warnings, brings: tree.get('usr/bin/bash') !== undefined };
    };
    expect(collected('/usr/sbin/script')).toEqual({ warnings: [], brings: false });
    expect(collected('/usr/bin/sh').warnings).toEqual([
      expect.stringContaining('"/usr/bin/sh" of the root is left out'),
    ]);
  });

  it('replaces the busybox applet of the same name', () => {
    const tree = new ArchiveTree();
    tree.add(symlinkEntry('usr/bin/tool', 'busybox', { kind: 'skeleton', part: 'applets' }));
    expect(collect(tree).get('usr/bin/tool')).toMatchObject({ kind: 'file', mode: 0o755 });
  });
});
