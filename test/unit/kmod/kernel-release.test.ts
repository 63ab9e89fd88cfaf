import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { compareReleases, listKernels, pickKernel } from '../../../src/kmod/kernel-release.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

function root(tree: MemoryTree): Sysroot {
  return new Sysroot(memoryFileSystem(tree), '/root');
}

const MERGED: MemoryTree = {
  '/root/lib': { link: 'usr/lib' },
  '/root/usr/lib/modules/6.1.0-9-amd64/modules.dep': '',
  '/root/usr/lib/modules/6.1.0-10-amd64/kernel/fs/x.ko': '',
  '/root/usr/lib/modules/6.1.0-11-amd64': null,
};

describe('kernels of a root', () => {
  it('are listed once each on a usr-merged root, oldest first, without empty directories', () => {
    expect(listKernels(root(MERGED)).map(({ release }) => release)).toEqual([
      '6.1.0-9-amd64',
      '6.1.0-10-amd64',
    ]);
  });

  it('are found on a root that is not usr-merged, where the fuller directory counts', () => {
    const kernel = pickKernel(
      root({ '/root/lib/modules/5.10/modules.dep': '', '/root/usr/lib/modules/5.10/modules.builtin': '' }),
    );
    expect(kernel).toEqual({ release: '5.10', directory: '/lib/modules/5.10' });
  });

  it('are ordered by their numbers', () => {
    expect(['6.10', '6.9', '6.9-rc1', '5.20', '6.9.1'].sort(compareReleases)).toEqual([
      '5.20',
      '6.9',
      '6.9-rc1',
      '6.9.1',
      '6.10',
    ]);
  });

  it('the newest is taken, or the one that is named', () => {
    expect(pickKernel(root(MERGED)).release).toBe('6.1.0-10-amd64');
    expect(pickKernel(root(MERGED), '6.1.0-9-amd64').release).toBe('6.1.0-9-amd64');
  });

  it('one that is not there is an error that names the nearest', () => {
    expect(() => pickKernel(root(MERGED), '6.1.0-10-arm64')).toThrow(
      expect.objectContaining({ exitCode: ExitCode.NotFound, hint: 'Did you mean 6.1.0-10-amd64?' }),
    );
  });

  it('a root without any is an error that says where it looked', () => {
    expect(() => pickKernel(root({ '/root/etc': null }))).toThrow(/kernel in "\/root".*\/lib\/modules/);
    const host = new Sysroot(memoryFileSystem({ '/etc': null }), '');
    expect(() => pickKernel(host)).toThrow('kernel in "/":');
  });
});
