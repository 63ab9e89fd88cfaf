import { describe, expect, it } from 'vitest';
import { accountIds } from '../../../src/rootfs/account-ids.js';
import { parseDpkgStatus } from '../../../src/rootfs/dpkg-status.js';
import { RootWriter } from '../../../src/rootfs/root-writer.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const OWNER = { mode: 0o640, uid: 0, gid: 0 };

describe('RootWriter', () => {
  it('makes missing parents, follows links inside the root, and never leaves it', () => {
    const fs = memoryFileSystem({
      '/r/usr/lib': null,
      '/r/lib': { link: 'usr/lib' },
      '/r/out': { link: '/etc' },
      '/etc/shadow': 'of the host',
    });
    const writer = new RootWriter(fs, '/r');
    writer.file('/lib/a/b/file', 'x', OWNER);
    writer.file('/out/shadow', 'of the root', OWNER);
    expect(fs.lstat('/r/usr/lib/a/b/file')?.mode).toBe(0o640);
    expect(fs.lstat('/r/usr/lib/a')?.mode).toBe(0o755);
    expect(Buffer.from(fs.readFile('/etc/shadow')).toString()).toBe('of the host');
    expect(Buffer.from(fs.readFile('/r/etc/shadow')).toString()).toBe('of the root');
  });

  it('replaces a link in the last place instead of writing through it', () => {
    const fs = memoryFileSystem({ '/r/etc/resolv.conf': { link: '../run/x' }, '/r/run/x': 'kept' });
    new RootWriter(fs, '/r').file('/etc/resolv.conf', 'new', OWNER);
    expect(fs.lstat('/r/etc/resolv.conf')?.kind).toBe('file');
    expect(Buffer.from(fs.readFile('/r/run/x')).toString()).toBe('kept');
  });

  it('refuses to put a file where a directory is', () => {
    const writer = new RootWriter(memoryFileSystem({ '/r/etc/ssh': null }), '/r');
    expect(() => writer.file('/etc/ssh', 'x', OWNER)).toThrow('a directory is in the way');
  });

  it('empties a directory and removes a tree, and does nothing where nothing is', () => {
    const fs = memoryFileSystem({ '/r/tmp/a/b': '', '/r/tmp/c': { link: '/etc' }, '/etc/x': '' });
    const writer = new RootWriter(fs, '/r');
    writer.empty('/tmp');
    writer.remove('/nowhere');
    expect(fs.readdir('/r/tmp')).toEqual([]);
    expect(fs.lstat('/etc/x')).toBeDefined();
  });
});

describe('what a root says about itself', () => {
  it('reads accounts, and leaves out lines that are not whole', () => {
    const fs = memoryFileSystem({
      '/r/etc/passwd':
        'root:x:0:0:root:/root:/bin/bash\nbroken:x\n+::::::\nada:x:1000:1001::/home/ada:/bin/sh\n',
      '/r/etc/group': 'adm:x:4:\n#x:y:5:\n',
    });
    const { users, groups } = accountIds(new Sysroot(fs, '/r'));
    expect([...users]).toEqual([
      ['root', { uid: 0, gid: 0, home: '/root' }],
      ['ada', { uid: 1000, gid: 1001, home: '/home/ada' }],
    ]);
    expect([...groups]).toEqual([['adm', 4]]);
  });

  it('reads installed packages from dpkg, sorted, without those that are only configured', () => {
    const stanza = (name: string, status: string) =>
      `Package: ${name}\nStatus: install ok ${status}\nArchitecture: amd64\nVersion: 1:2-3\nDescription: x\n Version: not this one\n`;
    const text = [
      stanza('udev', 'installed'),
      stanza('old', 'config-files'),
      stanza('apt', 'installed'),
    ].join('\n');
    expect(parseDpkgStatus(text)).toEqual([
      { name: 'apt', version: '1:2-3', architecture: 'amd64' },
      { name: 'udev', version: '1:2-3', architecture: 'amd64' },
    ]);
  });
});
