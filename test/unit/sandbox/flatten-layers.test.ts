import { describe, expect, it } from 'vitest';
import { flattenLayers } from '../../../src/sandbox/flatten-layers.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

/** `merged` is what the kernel shows; whiteouts and opaque directories show in it by what is absent. */
function layered() {
  return memoryFileSystem({
    '/base/etc/passwd': 'root',
    '/base/etc/removed': 'gone',
    '/base/doc/a': 'old doc',
    '/base/bin': { link: 'usr/bin' },
    '/top/etc/passwd': 'root, ada',
    '/top/etc/removed': 'stands for a whiteout',
    '/top/doc/b': 'the directory was made anew',
    '/merged/etc/passwd': 'root, ada',
    '/merged/doc/b': 'the directory was made anew',
    '/merged/bin': { link: 'usr/bin' },
  });
}

describe('flattenLayers', () => {
  it('links each file from the topmost layer that has it, and leaves out what the merged view lacks', () => {
    const fs = layered();
    const tree = flattenLayers(fs, '/merged', ['/base', '/top'], '/out');
    expect(fs.lstat('/out/etc/passwd')?.ino).toBe(fs.lstat('/top/etc/passwd')?.ino);
    expect(fs.readdir('/out')).toEqual(['bin', 'doc', 'etc']);
    expect(fs.readdir('/out/etc')).toEqual(['passwd']);
    expect(fs.readdir('/out/doc')).toEqual(['b']);
    expect(fs.readlink('/out/bin')).toBe('usr/bin');
    expect(tree).toEqual({
      bytes: 'root, ada'.length + 'the directory was made anew'.length,
      entries: 5,
      directories: ['.', './doc', './etc'],
    });
  });

  it('takes a single tree as it is', () => {
    const fs = layered();
    flattenLayers(fs, '/base', ['/base'], '/out');
    expect(fs.readdir('/out/etc')).toEqual(['passwd', 'removed']);
    expect(fs.lstat('/out/etc/passwd')?.nlink).toBe(2);
  });
});
