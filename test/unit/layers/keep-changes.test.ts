import { describe, expect, test } from 'vitest';
import { editSettings } from '../../../src/layers/edit-settings.js';
import { keepChanges, literalPattern } from '../../../src/layers/keep-changes.js';
import { findPaths } from '../../../src/layers/path-pattern.js';
import { sessionChanges } from '../../../src/layers/session-changes.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ACCOUNTS, baseView, overlayOf, render } from './layer-fixture.js';

const overlay = '/site/overlays/cluster';

/** A session that left `upper` and `merged` over /base. */
function changesOf(fs: ReturnType<typeof memoryFileSystem>) {
  return sessionChanges(fs, { upper: '/upper', merged: '/merged', below: ['/base'] });
}

describe('changes of a session', () => {
  test('only what differs counts; identities, caches, logs, histories and temporary files are left out', () => {
    const fs = memoryFileSystem({
      '/base/etc/touched': 'same',
      '/base/etc/edited': 'old',
      '/base/etc/gone': '',
      '/base/proc': null,
      '/upper/etc/touched': 'same',
      '/upper/etc/edited': 'new',
      '/upper/etc/machine-id': 'x',
      '/upper/etc/ssh/ssh_host_rsa_key': 'x',
      '/upper/etc/resolv.conf': '',
      '/upper/etc/group-': '',
      '/upper/etc/.foo.swp': '',
      '/upper/root/.bash_history': '',
      '/upper/var/cache/apt/pkgcache.bin': '',
      '/upper/var/log/dpkg.log': '',
      '/upper/var/log/nginx': null,
      '/upper/var/tmp/x': '',
      '/upper/proc/x': '',
      '/merged/etc/touched': '',
      '/merged/etc/edited': '',
      '/merged/var': null,
      '/merged/root': null,
    });
    for (const name of ['/base/etc', '/upper/etc', '/upper/root', '/upper/var']) fs.chmod(name, 0o755);
    const { changed, deleted, leftOut } = changesOf(fs);
    expect(changed.map(({ path }) => path)).toEqual([
      '/etc/edited',
      '/etc/ssh',
      '/root',
      '/var',
      '/var/cache',
      '/var/cache/apt',
      '/var/log',
      '/var/log/nginx',
      '/var/tmp',
    ]);
    expect(deleted).toEqual(['/etc/gone']);
    expect(leftOut.map(({ path }) => path)).toEqual([
      '/etc/.foo.swp',
      '/etc/group-',
      '/etc/machine-id',
      '/etc/ssh/ssh_host_rsa_key',
      '/root/.bash_history',
      '/var/cache/apt/pkgcache.bin',
      '/var/log/dpkg.log',
      '/var/tmp/x',
    ]);
  });

  test('become those of the overlay: files, declared owners, deletions and a serial; templates are left alone', () => {
    const fs = memoryFileSystem({
      '/base/etc/issue': '',
      '/base/etc/mine': '',
      [`${overlay}/etc/hosts.liquid`]: 'template',
      [`${overlay}/etc/mine`]: 'from the overlay',
      [`${overlay}/overlay.yaml`]: '# ours\ndelete: [/etc/old] # why\nserial: 3\n',
      '/upper/etc/hosts': 'edited',
      '/upper/etc/munge/key': 'k',
      '/upper/etc/plain': 'p',
    });
    for (const path of ['/upper/etc', '/upper/etc/munge', '/base/etc']) fs.chmod(path, 0o755);
    fs.chown('/upper/etc/munge/key', 105, 110);
    fs.chmod('/upper/etc/munge/key', 0o444);
    fs.chmod('/upper/etc/plain', 0o644);
    const before = overlayOf(fs);
    const found = changesOf(memoryFileSystemOf(fs));
    const kept = keepChanges(
      fs,
      { ...found, deleted: ['/etc/issue', '/etc/mine'] },
      {
        overlay: before,
        below: baseView(fs),
        accounts: ACCOUNTS,
        conflicts: '/state/conflicts',
      },
    );
    expect(kept).toEqual({
      serial: 4,
      conflicts: [
        {
          path: '/etc/hosts',
          keptAt: '/state/conflicts/etc/hosts',
          template: 'overlays/cluster/etc/hosts.liquid',
        },
      ],
    });
    expect(Buffer.from(fs.readFile('/state/conflicts/etc/hosts')).toString()).toBe('edited');
    expect(fs.lstat(`${overlay}/etc/mine`)).toBeUndefined();
    expect(fs.lstat(`${overlay}/etc/plain`)).toMatchObject({ mode: 0o644 });
    expect(Buffer.from(fs.readFile(`${overlay}/overlay.yaml`)).toString()).toBe(
      [
        '# ours',
        'delete: [ /etc/old, /etc/issue, /etc/mine ] # why',
        'serial: 4',
        'attributes:',
        '  - path: /etc/munge/key',
        '    mode: "0444"',
        '    owner: munge',
        '    group: munge',
        '',
      ].join('\n'),
    );
    const { tree } = render(fs);
    expect(tree.get('/etc/munge/key')).toMatchObject({ uid: 105, gid: 110, mode: 0o444 });
    expect(tree.get('/etc/issue')?.kind).toBe('whiteout');
  });

  test('a path with wildcards in its name, or bytes that are no UTF-8, is meant by its pattern alone', () => {
    const fs = memoryFileSystem({ '/base/a*b': '', '/base/axb': '', '/base/[x]\\': '', '/base/c\xff': '' });
    for (const path of ['/a*b', '/[x]\\', '/c\xff']) {
      expect(findPaths(Buffer.from(literalPattern(path)).toString('latin1'), baseView(fs))).toEqual([path]);
    }
  });

  test('overlay.yaml that is empty or all comments can be edited; what is restored is no longer deleted', () => {
    const none = { delete: [], restore: [], attributes: [], serial: 1 };
    expect(editSettings('', none)).toBe('serial: 1\n');
    expect(editSettings('# only words\n', none)).toContain('# only words\n');
    const text = 'delete:\n  - /a # first\n  - /b\n';
    expect(editSettings(text, { ...none, restore: ['/a'] })).toBe('delete:\n  - /b\nserial: 1\n');
  });
});

/** The same files with /merged showing everything that /upper has, as overlayfs would. */
function memoryFileSystemOf(fs: ReturnType<typeof memoryFileSystem>) {
  for (const path of ['/merged/etc/munge', '/merged/etc/issue', '/merged/etc/mine']) fs.mkdir(path);
  return fs;
}
