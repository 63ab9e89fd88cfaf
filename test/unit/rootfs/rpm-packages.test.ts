import { describe, expect, it } from 'vitest';
import { parseRpmPackages, rpmDatabase } from '../../../src/rootfs/rpm-packages.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

describe('parseRpmPackages', () => {
  it('sorts, leaves keys out, and shows an epoch only where there is one', () => {
    expect(
      parseRpmPackages(
        'zlib\t0:1.3-1\tx86_64\ndbus\t1:1.14-5\tx86_64\ngpg-pubkey\t0:ab-12\t(none)\nzlib\t0:1.3-1\ti686\n',
      ),
    ).toEqual([
      { name: 'dbus', version: '1:1.14-5', architecture: 'x86_64' },
      { name: 'zlib', version: '1.3-1', architecture: 'i686' },
      { name: 'zlib', version: '1.3-1', architecture: 'x86_64' },
    ]);
  });
});

describe('rpmDatabase', () => {
  it.each([
    ['/usr/lib/sysimage/rpm', 'rpmdb.sqlite'],
    ['/var/lib/rpm', 'Packages'],
    ['/var/lib/rpm', 'Packages.db'],
  ])('is found in %s by %s', (directory, file) => {
    const fs = memoryFileSystem({ [`/r${directory}/${file}`]: 'x' });
    expect(rpmDatabase(new Sysroot(fs, '/r'))).toBe(directory);
  });

  it('is not found where only an empty directory is', () => {
    expect(rpmDatabase(new Sysroot(memoryFileSystem({ '/r/var/lib/rpm': null }), '/r'))).toBeUndefined();
  });
});
