import { describe, expect, test } from 'vitest';
import type { LayerFile } from '../../../src/layers/layer-entry.js';
import { LayerTree } from '../../../src/layers/layer-tree.js';
import { lintImage } from '../../../src/layers/lint-image.js';
import { lintLayer } from '../../../src/layers/lint-layer.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ACCOUNTS, baseView } from './layer-fixture.js';

const BASE = {
  '/base/usr/bin/su': '',
  '/base/usr/lib/x': '',
  '/base/bin': { link: 'usr/bin' },
  '/base/lib': { link: 'usr/lib' },
  '/base/var/run': { link: '/run' },
  '/base/etc/ssh/sshd_config': '',
  '/base/srv/data/file': '',
} as const;

function base() {
  const fs = memoryFileSystem(BASE);
  for (const path of ['etc', 'etc/ssh', 'srv', 'srv/data', 'usr', 'usr/bin', 'usr/lib', 'var', '']) {
    fs.chmod(`/base/${path}`, 0o755);
  }
  fs.chmod('/base/usr/bin/su', 0o4755);
  return fs;
}

const TOP = { uid: 0, gid: 0, origin: 'test' } as const;

function file(path: string, data: string | Uint8Array = '', more: Partial<LayerFile> = {}): LayerFile {
  const content = { data: typeof data === 'string' ? Buffer.from(data) : data };
  return { ...TOP, kind: 'file', path, mode: 0o644, declared: false, content, ...more };
}

function directory(path: string, mode = 0o755, uid = 0) {
  return { ...TOP, kind: 'directory', path, mode, uid, declared: true, clears: false } as const;
}

function link(path: string, target: string) {
  return { ...TOP, kind: 'symlink', path, mode: 0o777, target } as const;
}

type Entry = Parameters<LayerTree['put']>[0];

function lint(entries: readonly Entry[], { shared = true } = {}) {
  const fs = base();
  const tree = new LayerTree('test');
  for (const entry of entries) tree.put(entry);
  return lintLayer(fs, tree, {
    shared,
    below: baseView(fs),
    image: true,
    complete: true,
    accounts: ACCOUNTS,
    hostDirectories: ['/srv/site', '/var/lib/mkroot'],
  });
}

/** What each rule finds, and at which path. */
const PLANTED: readonly (readonly [rule: string, path: string, entry: Entry])[] = [
  ['directory-drift', '/etc/ssh', directory('/etc/ssh', 0o775)],
  ['directory-locked', '/etc', directory('/etc', 0o700)],
  ['usr-merge', '/bin', file('/bin/tool')],
  ['usr-merge', '/lib', directory('/lib')],
  ['type-conflict', '/var/run', directory('/var/run')],
  ['type-conflict', '/srv/data', file('/srv/data')],
  ['type-conflict', '/srv/data/file', directory('/srv/data/file')],
  ['type-conflict', '/usr/bin', link('/usr/bin', '/srv/data')],
  ['secret-path', '/etc/shadow', file('/etc/shadow', 'root:*:1:::::\n', { mode: 0o640 })],
  ['secret-path', '/etc/munge/munge.key', file('/etc/munge/munge.key', new Uint8Array(128))],
  ['secret-content', '/srv/k', file('/srv/k', 'x\n-----BEGIN OPENSSH PRIVATE KEY-----\n')],
  [
    'secret-content',
    '/srv/p',
    file('/srv/p', 'root:$y$j9T$abcdefghijklmnopqrstuv$xyz0123456789:19000::::::\n'),
  ],
  ['secret-content', '/srv/w', file('/srv/w', `PrivateKey = ${'A'.repeat(43)}=\n`)],
  ['shared-identity', '/etc/machine-id', file('/etc/machine-id', 'x')],
  ['shared-pointer', '/hopeless.root', file('/hopeless.root', 'x')],
  [
    'special-file',
    '/dev-null',
    { ...TOP, kind: 'special', path: '/dev-null', mode: 0o666, what: 'character' },
  ],
  ['link-leaves-root', '/etc/a', link('/etc/a', '/srv/site/overlays/x')],
  ['link-leaves-root', '/etc/b', link('/etc/b', '../../../x')],
  ['dangling-link', '/etc/c', link('/etc/c', 'nothing')],
  ['setuid-new', '/usr/bin/tool', file('/usr/bin/tool', '', { mode: 0o4755 })],
  ['setuid-lost', '/usr/bin/su', file('/usr/bin/su', '', { mode: 0o755 })],
  ['world-writable', '/srv/x', file('/srv/x', '', { mode: 0o666 })],
  ['world-writable', '/srv/d', directory('/srv/d', 0o777)],
  ['unknown-owner', '/srv/y', file('/srv/y', '', { uid: 1000 })],
  ['hidden-by-mount', '/run/x', file('/run/x')],
  ['odd-name', '/srv/a\\xff', file('/srv/a\xff')],
];

describe('the layer linter', () => {
  test.each(PLANTED)('%s is found at %s', (rule, path, entry) => {
    const found = lint([entry]).map((one) => [one.rule, one.path]);
    expect(found).toContainEqual([rule, path]);
  });

  test('only host layers may have secrets, and only for root', () => {
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\n';
    const path = '/etc/ssh/ssh_host_rsa_key';
    expect(lint([file(path, key, { mode: 0o600 })], { shared: false })).toEqual([]);
    expect(lint([file(path, key)], { shared: false }).map(({ rule }) => rule)).toEqual(['secret-readable']);
  });

  test('secrets of the image itself are found; accounts without a password are none', () => {
    const fs = memoryFileSystem({
      '/base/etc/shadow': 'root:$y$j9T$abcdefghijklmnopqrstuv$xyz0123456789:19000::::::\n',
      '/base/etc/gshadow': 'root:*::\n',
      '/base/etc/munge/munge.key': new Uint8Array(32),
      '/base/etc/ssl/private/node.pem': '-----BEGIN PRIVATE KEY-----\n',
      '/base/etc/ssh/ssh_host_rsa_key': { link: '/outside' },
      '/outside': '-----BEGIN PRIVATE KEY-----\n',
    });
    expect(lintImage(fs, '/base', 'compute').map(({ path, what }) => `${path}: ${what}`)).toEqual([
      '/etc/munge/munge.key: it contains a key',
      '/etc/shadow: it contains a password hash',
      '/etc/ssl/private/node.pem: it contains a private key',
    ]);
  });

  test('a layer as it should be has no findings', () => {
    const clean = [
      file('/etc/motd', 'hello, $5 for you'),
      file('/etc/ssh/sshd_config'),
      file('/etc/ssh/ssh_known_hosts', 'n1 ssh-rsa AAAA'),
      link('/etc/localtime', '/run/localtime'),
      link('/etc/data', '../srv/data/../data/file'),
      link('/etc/sh', '/bin/su'),
      directory('/srv/spool', 0o1777),
      file('/srv/spool/tool', '', { mode: 0o2755, declared: true }),
    ];
    expect(lint(clean)).toEqual([]);
  });
});
