import { describe, expect, it } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

const sysroot = (tree: MemoryTree) => new Sysroot(memoryFileSystem(tree), '/root');

/** `count` links, each to the next, the last to a file. */
function chain(count: number): MemoryTree {
  const links = Array.from({ length: count }, (_, at) => [
    `/root/l${at}`,
    { link: at + 1 === count ? 'file' : `l${at + 1}` },
  ]);
  return { '/root/file': 'x', ...Object.fromEntries(links) };
}

describe('Sysroot.resolve', () => {
  it('starts an absolute link again at the root and never touches the host (case 1)', () => {
    const tree = { '/root/etc/link': { link: '/secret' }, '/secret': 'host' };
    expect(sysroot(tree).resolve('/etc/link')).toBeUndefined();
    expect(sysroot({ ...tree, '/root/secret': 'root' }).resolve('/etc/link')?.hostPath).toBe('/root/secret');
  });

  it('follows links in the middle of a path, through each other, and keeps every one in order', () => {
    const resolved = sysroot({
      '/root/lib': { link: 'usr/lib' },
      '/root/usr/lib/x': { link: '/opt/../data/./x' },
      '/root/opt': null,
      '/root/data/x/y/f': { link: '../g' },
      '/root/data/x/g': 'text',
    }).resolve('//lib/./x/y/f');
    expect(resolved).toMatchObject({
      path: '/data/x/g',
      hostPath: '/root/data/x/g',
      stat: { kind: 'file', size: 4 },
      links: [
        { path: '/lib', target: 'usr/lib' },
        { path: '/usr/lib/x', target: '/opt/../data/./x' },
        { path: '/data/x/y/f', target: '../g' },
      ],
    });
  });

  it.each(['/../../etc/f', '/a/../../../etc/f', '/up', '/up/../etc/f', '/a/b/../../../../etc/f'])(
    'clamps .. at the root: %s',
    (path) => {
      const tree = {
        '/root/etc/f': 'in',
        '/etc/f': 'out',
        '/root/a/b': null,
        '/root/up': { link: '../../../etc/f' },
      };
      const resolved = sysroot(tree).resolve(path);
      // "/up/.." asks for the parent of a file, which is no directory.
      if (path === '/up/../etc/f') expect(resolved).toBeUndefined();
      else expect(resolved?.hostPath).toBe('/root/etc/f');
    },
  );

  it('takes .. after a link from where the link leads, as the kernel does', () => {
    const tree = { '/root/a': { link: 'x/y' }, '/root/x/y': null, '/root/x/f': '1', '/root/f': '2' };
    expect(sysroot(tree).resolve('/a/../f')?.path).toBe('/x/f');
  });

  it('follows 40 links and refuses the 41st (case 10)', () => {
    expect(sysroot(chain(40)).resolve('/l0')?.path).toBe('/file');
    expect(() => sysroot(chain(41)).resolve('/l0')).toThrow(MkrootError);
  });

  it('names a link to itself and a loop of directories (case 10)', () => {
    const tree = { '/root/self': { link: 'self' }, '/root/a/b': { link: '/c' }, '/root/c': { link: 'a/b' } };
    for (const path of ['/self', '/self/x', '/c', '/a/b/x'])
      expect(() => sysroot(tree).resolve(path)).toThrow(
        /^Cannot resolve "[^"]+" in "\/root": more than 40 symbolic links/,
      );
  });

  it('finds nothing below a file, behind a dangling link, or where nothing is', () => {
    const tree = { '/root/f': 'x', '/root/dangling': { link: 'gone' } };
    for (const path of ['/f/x', '/dangling', '/none', '/none/../f'])
      expect(sysroot(tree).resolve(path)).toBeUndefined();
  });

  it('resolves the root itself', () => {
    expect(sysroot({ '/root/f': '' }).resolve('/')).toMatchObject({ path: '/', hostPath: '/root' });
    expect(new Sysroot(memoryFileSystem({ '/etc/f': 'x' }), '').resolve('/etc/f')?.hostPath).toBe('/etc/f');
  });
});

describe('a root that lacks its usr-merge links', () => {
  const tree = { '/root/usr/lib/ld.so': 'x', '/root/usr/lib/d/e': { link: '/lib/ld.so' } };

  it('is read as if it had them, and the link says that it is implied', () => {
    expect(sysroot(tree).resolve('/lib/ld.so')).toMatchObject({
      path: '/usr/lib/ld.so',
      links: [{ path: '/lib', target: 'usr/lib', implied: true }],
    });
    expect(sysroot(tree).resolve('/usr/lib/d/e')?.path).toBe('/usr/lib/ld.so');
    expect(sysroot(tree).resolve('/lib')?.path).toBe('/usr/lib');
  });

  it('is taken as it is where the question is for the link, for other names, or where /lib exists', () => {
    expect(sysroot(tree).resolveLink('/lib')).toBeUndefined();
    expect(sysroot({ '/root/usr/share/x': '' }).resolve('/share/x')).toBeUndefined();
    expect(sysroot({ ...tree, '/root/lib/own': '' }).resolve('/lib/ld.so')).toBeUndefined();
  });

  it('does not look through a /usr that is a link, which would leave the root', () => {
    const fs = memoryFileSystem({ '/root/usr': { link: '/outside' }, '/outside/lib/f': 'host' });
    const asked: string[] = [];
    const watched = Object.assign(Object.create(fs), {
      lstat: (path: string) => {
        asked.push(path);
        return fs.lstat(path);
      },
    });
    expect(new Sysroot(watched, '/root').resolve('/lib/f')).toBeUndefined();
    expect(asked).toContain('/root/lib');
    expect(asked).not.toContain('/root/usr/lib');
  });
});

describe('Sysroot', () => {
  it('resolveLink keeps a link in the last place and follows those before it', () => {
    const tree = { '/root/lib': { link: 'usr/lib' }, '/root/usr/lib/x.so': { link: 'x.so.1' } };
    expect(sysroot(tree).resolveLink('/lib/x.so')).toMatchObject({
      path: '/usr/lib/x.so',
      stat: { kind: 'symlink' },
      links: [{ path: '/lib' }],
    });
  });

  it('resolveIn finds what resolve finds, by one name in a resolved directory', () => {
    const tree = {
      '/root/d/f': '',
      '/root/d/l': { link: '/x/../d/f' },
      '/root/d/gone': { link: 'none' },
      '/root/x': null,
    };
    const root = sysroot({ ...tree, '/root/f': '', '/f': 'host', '/host': '' });
    for (const at of ['/d', '/']) {
      const directory = root.resolve(at);
      if (directory === undefined) throw new Error('no directory');
      for (const name of ['f', 'l', 'gone', 'none', '..', '.', '../../host', '../f'])
        expect(root.resolveIn(directory, name)).toEqual(root.resolve(`${at}/${name}`));
    }
  });

  it('reads and lists through links, and says so when there is nothing', () => {
    const root = sysroot({ '/root/d/f': 'text', '/root/l': { link: '/d' } });
    expect(Buffer.from(root.readFile('/l/f')).toString()).toBe('text');
    expect(root.list('/l')).toEqual(['f']);
    expect(root.list('/none')).toEqual([]);
    expect(root.isFile('/l/f')).toBe(true);
    expect(root.isFile('/l')).toBe(false);
    expect(() => root.readFile('/l')).toThrow('Cannot read "/l" in "/root": there is no such file');
  });

  it('walks parents first, in byte order, and does not follow links', () => {
    const root = sysroot({
      '/root/d/b/x': '',
      '/root/d/a-': '',
      '/root/d/a/y': '',
      '/root/d/c': { link: '/d' },
      '/root/e': '',
    });
    const walked = [...root.walk('/d')].map(({ path, stat }) => `${path} ${stat.kind}`);
    expect(walked).toEqual([
      '/d/a directory',
      '/d/a- file',
      '/d/b directory',
      '/d/c symlink',
      '/d/a/y file',
      '/d/b/x file',
    ]);
    expect([...root.walk('/none')]).toEqual([]);
  });
});
