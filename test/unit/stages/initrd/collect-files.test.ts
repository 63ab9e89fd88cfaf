import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { collectFiles } from '../../../../src/stages/initrd/collect-files.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

const reason = { kind: 'option', option: '--file' } as const;

describe('collectFiles', () => {
  it('takes a directory whole, with links kept and hard links one file', () => {
    const fs = memoryFileSystem({
      '/src/a': 'one',
      '/src/sub/b': 'two',
      '/src/sub/to-b': { link: 'b' },
      '/src/empty': null,
      '/src/caf\xe9': 'bytes',
    });
    fs.link('/src/a', '/src/sub/again');
    const tree = new ArchiveTree();
    collectFiles(tree, fs, [{ source: '/src', destination: '/opt/x/', reason }]);
    expect(tree.entries().map(({ path }) => path)).toEqual([
      'opt',
      'opt/x',
      'opt/x/a',
      'opt/x/caf\xe9',
      'opt/x/empty',
      'opt/x/sub',
      'opt/x/sub/again',
      'opt/x/sub/b',
      'opt/x/sub/to-b',
    ]);
    expect(tree.get('opt/x/sub/to-b')).toMatchObject({ kind: 'symlink', target: 'b' });
    const keys = ['opt/x/a', 'opt/x/sub/again'].map((path) => {
      const entry = tree.get(path);
      return entry?.kind === 'file' ? entry.linkKey : undefined;
    });
    expect(keys[0]).toBeDefined();
    expect(keys[0]).toBe(keys[1]);
  });

  it('follows a link that is named itself', () => {
    const fs = memoryFileSystem({ '/src/real': 'x', '/src/link': { link: 'real' } });
    const tree = new ArchiveTree();
    collectFiles(tree, fs, [{ source: '/src/link', destination: '/etc/motd', reason }]);
    expect(tree.get('etc/motd')).toMatchObject({ kind: 'file', content: { hostPath: '/src/real' } });
  });

  it('ends at a loop of links', () => {
    const fs = memoryFileSystem({ '/a': { link: '/b' }, '/b': { link: '/a' } });
    expect(() => collectFiles(new ArchiveTree(), fs, [{ source: '/a', destination: '/x', reason }])).toThrow(
      'more than 40 symbolic links',
    );
  });

  it('names a source that is not there', () => {
    expect(() =>
      collectFiles(new ArchiveTree(), memoryFileSystem(), [{ source: '/nope', destination: '/x', reason }]),
    ).toThrow('Cannot add "/nope": there is no such file or directory');
  });
});
