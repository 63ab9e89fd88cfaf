import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DiskFileSystem } from '../../../../src/host/disk-file-system.js';
import type { FileSystem } from '../../../../src/ports/file-system.js';
import {
  applyOwnedTree,
  isListOutdated,
  type OwnedFile,
  planOwnedTree,
} from '../../../../src/stages/publish/owned-tree.js';
import { OWNED_TREE_MANIFEST } from '../../../../src/stages/publish/owned-tree-list.js';

const files = (entries: Record<string, string | { readonly target: string }>) =>
  new Map<string, OwnedFile>(
    Object.entries(entries).map(([path, file]) => [
      path,
      typeof file === 'string' ? { render: () => file } : file,
    ]),
  );

const first = files({
  'etc/hosts': 'one\n',
  'tftp/n1': 'a\n',
  'tftp/deep/n2': 'b\n',
  'tftp/k': { target: '/k1' },
});

/** A directory of its own for every test, on disk: memfs follows links that it renames. */
const top = mkdtempSync(join(tmpdir(), 'mkroot-owned-'));
let root = top;
let count = 0;
beforeEach(() => newRoot());
afterAll(() => rmSync(top, { recursive: true, force: true }));

function newRoot(): void {
  count += 1;
  root = join(top, String(count));
}

type Tree = Readonly<Record<string, string | { readonly link: string }>>;

function fileSystem(tree: Tree = {}): FileSystem {
  mkdirSync(root, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (typeof content === 'string') writeFileSync(join(root, path), content);
    else symlinkSync(join(root, content.link), join(root, path));
  }
  return new DiskFileSystem();
}

/** A tree that mkroot wrote, with other things beside it. */
function writtenTree(beside: Tree = {}): FileSystem {
  const fs = fileSystem({ 'd/etc/mine': 'mine\n', ...beside });
  applyOwnedTree(fs, planOwnedTree(fs, d(), first));
  return fs;
}

const at = (path: string) => join(root, path);
const d = () => at('d');
const text = (fs: FileSystem, path: string) => Buffer.from(fs.readFile(path)).toString('utf8');
const changes = (fs: FileSystem, wanted = first) =>
  planOwnedTree(fs, d(), wanted).changes.map(({ change, path, conflict }) =>
    [change, path, ...(conflict === undefined ? [] : [conflict])].join(' '),
  );

describe('a tree', () => {
  it('is written once; the second time nothing is left to do', () => {
    const fs = writtenTree();
    expect(text(fs, at('d/tftp/deep/n2'))).toBe('b\n');
    expect(fs.readlink(at('d/tftp/k'))).toBe('/k1');
    const plan = planOwnedTree(fs, d(), first);
    expect(plan.changes).toEqual([]);
    expect(plan.unchanged).toBe(4);
    const before = fs.lstat(at(`d/${OWNED_TREE_MANIFEST}`))!.ino;
    applyOwnedTree(fs, plan);
    expect(fs.lstat(at(`d/${OWNED_TREE_MANIFEST}`))!.ino).toBe(before);
  });

  it('planning changes nothing', () => {
    const fs = fileSystem();
    expect(planOwnedTree(fs, d(), first).changes).toHaveLength(4);
    expect(fs.lstat(at('d'))).toBeUndefined();
  });

  it('loses what does not belong there any more, with empty directories, and nothing that mkroot did not write', () => {
    const fs = writtenTree();
    const wanted = files({ 'etc/hosts': 'two\n', 'tftp/n1': 'a\n', 'tftp/k': { target: '/k2' } });
    expect(changes(fs, wanted)).toEqual(['changed etc/hosts', 'removed tftp/deep/n2', 'changed tftp/k']);
    applyOwnedTree(fs, planOwnedTree(fs, d(), wanted));
    expect(fs.lstat(at('d/tftp/deep'))).toBeUndefined();
    expect(text(fs, at('d/etc/hosts'))).toBe('two\n');
    expect(fs.readlink(at('d/tftp/k'))).toBe('/k2');
    applyOwnedTree(fs, planOwnedTree(fs, d(), new Map()));
    expect(fs.readdir(at('d')).sort()).toEqual([OWNED_TREE_MANIFEST, 'etc']);
    expect(text(fs, at('d/etc/mine'))).toBe('mine\n');
  });
});

describe('files that look as they did', () => {
  /** Counts what is read of the tree's files, its list left out. */
  const reading = (fs: FileSystem) => {
    const read: string[] = [];
    const counting: FileSystem = new Proxy(fs, {
      get: (target, key: keyof FileSystem) => {
        if (key !== 'readFile') return Reflect.get(target, key).bind(target);
        return (path: string) => {
          if (!path.endsWith(OWNED_TREE_MANIFEST)) read.push(path);
          return target.readFile(path);
        };
      },
    });
    return { counting, read };
  };

  it('are not read again', () => {
    const { counting, read } = reading(writtenTree());
    expect(planOwnedTree(counting, d(), first).unchanged).toBe(4);
    expect(read).toEqual([]);
  });

  it('and are known to have the text of the last time are not even rendered', () => {
    const fs = writtenTree();
    const asWritten = new Map<string, OwnedFile>(
      ['etc/hosts', 'tftp/n1', 'tftp/deep/n2'].map((path) => [
        path,
        {
          asWritten: true,
          render: () => {
            throw new Error(`${path} was rendered`);
          },
        },
      ]),
    );
    expect(planOwnedTree(fs, d(), new Map([...first, ...asWritten])).changes).toEqual([]);
    // By hand, in place, with the same size.
    writeFileSync(at('d/tftp/n1'), 'x\n');
    expect(changes(fs, new Map([...first, ...asWritten]))).toEqual([
      'changed tftp/n1 it was changed after mkroot wrote it',
    ]);
  });

  it('an edit in place is noticed, whatever its size and its time of modification', () => {
    const fs = writtenTree();
    const { mtime } = fs.lstat(at('d/tftp/n1'))!;
    writeFileSync(at('d/tftp/n1'), 'x\n');
    fs.setMtime(at('d/tftp/n1'), mtime);
    expect(changes(fs)).toEqual(['changed tftp/n1 it was changed after mkroot wrote it']);
  });

  it('a list of format 1, which has no states, is taken over; the next write brings it up to date', () => {
    const fs = writtenTree();
    const digest = (bytes: string) => createHash('sha256').update(bytes).digest('hex');
    const list = { 'etc/hosts': 'one\n', 'tftp/n1': 'a\n', 'tftp/deep/n2': 'b\n', 'tftp/k': '\0-> /k1' };
    const old = Object.entries(list).map(([path, bytes]) => [path, [digest(bytes)]]);
    fs.writeFile(
      at(`d/${OWNED_TREE_MANIFEST}`),
      JSON.stringify({ format: 1, files: Object.fromEntries(old) }),
    );
    const plan = planOwnedTree(fs, d(), first);
    expect(plan.changes).toEqual([]);
    expect(isListOutdated(plan)).toBe(true);
    applyOwnedTree(fs, plan);
    expect(isListOutdated(planOwnedTree(fs, d(), first))).toBe(false);
  });
});

describe('files of others', () => {
  it('one that mkroot did not write, and one that was edited since, stop it before anything is changed', () => {
    const fs = writtenTree({ 'd/tftp/n3': 'theirs\n' });
    fs.writeFile(at('d/etc/hosts'), 'edited\n');
    const wanted = files({ 'etc/hosts': 'two\n', 'tftp/n1': 'new\n', 'tftp/n3': 'ours\n' });
    expect(changes(fs, wanted)).toEqual([
      'changed etc/hosts it was changed after mkroot wrote it',
      'removed tftp/deep/n2',
      'removed tftp/k',
      'changed tftp/n1',
      'changed tftp/n3 mkroot did not write it',
    ]);
    expect(() => applyOwnedTree(fs, planOwnedTree(fs, d(), wanted))).toThrow('2 of its files would be lost');
    expect(text(fs, at('d/tftp/n1'))).toBe('a\n');
    applyOwnedTree(fs, planOwnedTree(fs, d(), wanted), { force: true });
    expect(text(fs, at('d/tftp/n3'))).toBe('ours\n');
  });

  it('an edited file is noticed even where nothing else changes, and one that is not wanted any more is kept', () => {
    const fs = writtenTree();
    fs.writeFile(at('d/tftp/n1'), 'edited\n');
    expect(changes(fs)).toEqual(['changed tftp/n1 it was changed after mkroot wrote it']);
    expect(changes(fs, files({}))).toContain('removed tftp/n1 it was changed after mkroot wrote it');
  });

  it('one that has the right contents already becomes part of the tree', () => {
    const fs = fileSystem({ 'd/etc/hosts': 'one\n' });
    applyOwnedTree(fs, planOwnedTree(fs, d(), files({ 'etc/hosts': 'one\n' })));
    expect(changes(fs, files({ 'etc/hosts': 'two\n' }))).toEqual(['changed etc/hosts']);
  });
});

describe('nothing outside the directory', () => {
  it('is reached by a link inside it', () => {
    const fs = fileSystem({ 'outside/keep': 'x', 'd/tftp': { link: 'outside' } });
    expect(() => planOwnedTree(fs, d(), first)).toThrow('tftp": it is a symlink');
  });

  it.each(['../x', 'a/../../x', '/x', 'a//b', ''])('is reached by the path "%s"', (path) => {
    expect(() => planOwnedTree(fileSystem(), d(), files({ [path]: 'x' }))).toThrow(
      'does not lie below the tree',
    );
  });

  it.each([
    '{"format": 1, "files": {"../outside": ["0"]}}',
    '{"format": 2, "files": {}}',
    '{"format": 1}',
    'nonsense',
  ])('is reached by a list that somebody changed to %s', (list) => {
    const fs = fileSystem({ [`d/${OWNED_TREE_MANIFEST}`]: list, outside: 'x' });
    expect(() => planOwnedTree(fs, d(), first)).toThrow('it is no list of files that mkroot wrote');
  });
});

it('interrupted at any moment, the next run takes what is there for its own and finishes', () => {
  const wanted = files({
    'etc/hosts': 'two\n',
    'tftp/n1': 'c\n',
    'tftp/n9': 'd\n',
    'tftp/k': { target: '/k2' },
  });
  for (let allowed = 0; ; allowed += 1) {
    newRoot();
    const fs = writtenTree();
    const calls = { left: allowed };
    const failing = new Proxy(fs, {
      get(target, key: keyof FileSystem) {
        const member = target[key] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          const changing = ['writeFile', 'symlink', 'rename', 'remove'].includes(key);
          if (changing && calls.left === 0) throw new Error('killed');
          if (changing) calls.left -= 1;
          return member.apply(target, args);
        };
      },
    });
    let killed = false;
    try {
      applyOwnedTree(failing, planOwnedTree(failing, d(), wanted));
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'killed') throw error;
      killed = true;
    }
    applyOwnedTree(fs, planOwnedTree(fs, d(), wanted));
    expect(planOwnedTree(fs, d(), wanted).changes).toEqual([]);
    expect(fs.readdir(at('d/tftp'))).toEqual(['k', 'n1', 'n9']);
    if (!killed) break;
  }
});
