import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { collectMergedDirectories } from '../../../../src/stages/initrd/collect-merged-directories.js';
import { collectSkeleton } from '../../../../src/stages/initrd/collect-skeleton.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

function skeletonFileSystem() {
  const fs = memoryFileSystem({
    '/skel/init': '#!/bin/sh\n',
    '/skel/lib/mkroot/net.sh': ':\n',
    '/skel/applets': '# what the parts use\nsh\nmount # for NFS\n',
    '/skel/directories': 'bin\nproc\ntmp\n',
  });
  fs.chmod('/skel/init', 0o700); // as checked out under umask 077
  fs.chmod('/skel/lib/mkroot/net.sh', 0o600);
  return fs;
}

function collect() {
  const tree = new ArchiveTree();
  const fs = skeletonFileSystem();
  collectMergedDirectories(tree, new Sysroot(fs, '/root'));
  collectSkeleton(tree, fs, '/skel');
  return tree;
}

describe('collectSkeleton', () => {
  it('makes modes from the executable bit, not from the umask of the checkout', () => {
    const tree = collect();
    expect(tree.get('init')?.mode).toBe(0o755);
    expect(tree.get('usr/lib/mkroot/net.sh')?.mode).toBe(0o644);
  });

  it('links every applet to busybox and leaves the lists out', () => {
    const paths = collect()
      .entries()
      .map(({ path }) => path);
    expect(paths).toEqual([
      'bin',
      'dev',
      'dev/console',
      'dev/null',
      'init',
      'lib',
      'proc',
      'sbin',
      'tmp',
      'usr',
      'usr/bin',
      'usr/bin/mount',
      'usr/bin/sh',
      'usr/lib',
      'usr/lib/mkroot',
      'usr/lib/mkroot/net.sh',
      'usr/sbin',
      'usr/sbin/modprobe',
    ]);
  });

  it('gives the kernel a console before anything is mounted', () => {
    expect(collect().get('dev/console')).toMatchObject({ kind: 'device', major: 5, minor: 1, mode: 0o600 });
  });

  it('makes /tmp sticky and writable for all', () => {
    expect(collect().get('tmp')?.mode).toBe(0o1777);
  });

  it('says what is wrong when the skeleton is not there', () => {
    const tree = new ArchiveTree();
    expect(() => collectSkeleton(tree, memoryFileSystem({ '/skel/applets': '' }), '/skel')).toThrow(
      'Cannot find the initramfs skeleton in "/skel": there is no init',
    );
  });
});
