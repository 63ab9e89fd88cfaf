import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runMkroot, startMkroot } from '../support/run-mkroot.js';

const ID = '20261101T000000Z-11111111';
const SITE = `cluster:
  transport: { protocol: squashfs-http }
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute }
nodes:
  n1: { group: compute, ip: 10.1.1.1, mac: '52:54:00:00:00:01' }
`;

let directory: string;
let state: string;
let generation: string;

beforeEach(() => {
  directory = mkdtempSync('/var/tmp/mkroot-test-squash-');
  state = join(directory, 'state');
  generation = join(state, 'images/compute/generations', ID);
  const root = join(generation, 'root');
  write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
  write('etc/group', 'root:x:0:\n');
  write('lib/modules/6.1.0-test/modules.builtin', '');
  write('usr/bin/capable', 'ELF');
  write('a name\nof two lines', 'odd');
  write('large', 'x'.repeat(300_000));
  linkSync(join(root, 'large'), join(root, 'same'));
  symlinkSync('/etc/passwd', join(root, 'link'));
  chmodSync(join(root, 'usr/bin/capable'), 0o4755);
  chownSync(join(root, 'large'), 12, 34);
  execFileSync('setcap', ['cap_net_raw=ep', join(root, 'usr/bin/capable')]);
  execFileSync('setfattr', [
    '-n',
    'trusted.overlay.origin',
    '-v',
    'of the machine that built',
    join(root, 'large'),
  ]);
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }))
    lutimesSync(join(root, path), 1e9, 1e9);
  utimesSync(root, 1e9, 1e9);
  writeFileSync(join(generation, 'vmlinuz'), 'kernel');
  writeFileSync(join(generation, 'manifest.json'), '{}');
  symlinkSync(`generations/${ID}`, join(state, 'images/compute/current'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(path: string, text: string): void {
  const full = join(generation, 'root', path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}

const file = () => join(generation, 'root.squashfs');
const digest = () => createHash('sha256').update(readFileSync(file())).digest('hex');
const squash = (...args: readonly string[]) => runMkroot(['squash', 'compute', '--state', state, ...args]);
/** Lines of find(1), without links and sizes of directories, which differ by file system. */
const sortedEntries = (text: string) =>
  text
    .split('\0')
    .map((line) => line.replace(/^(.*\|d\S+ \S+ )\d+ \d+/s, '$1'))
    .sort();
const listed = (root: string) =>
  sortedEntries(
    execFileSync('find', ['.', '-printf', '%p|%y%m %U:%G %n %s %T@ %l\\0'], { cwd: root, encoding: 'utf8' }),
  );

/** The entries that the kernel shows of a file system in a file. */
function mounted(type: string, image: string): readonly string[] {
  const script =
    'mount -t "$1" -o loop,ro "$2" /mnt; cd /mnt; find . -printf "%p|%y%m %U:%G %n %s %T@ %l\\0"';
  return sortedEntries(
    execFileSync(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', type, image],
      { encoding: 'utf8' },
    ),
  );
}

describe('mkroot squash', () => {
  it('makes one file that the kernel mounts as the same root: owners, modes, times, links, capabilities', async () => {
    expect((await squash()).exitCode).toBe(0);
    const sorted = mounted('squashfs', file());
    expect(sorted).toEqual(listed(join(generation, 'root')));
    const capabilities = execFileSync('sh', [
      '-c',
      'unshare --mount --propagation private sh -e -c \'mount -t squashfs -o loop,ro "$1" /mnt; getcap /mnt/usr/bin/capable; getfattr -d -m - /mnt/large\' sh "$1"',
      'sh',
      file(),
    ]).toString();
    expect(capabilities).toContain('cap_net_raw=ep');
    expect(capabilities).not.toContain('trusted.overlay');
  });

  it('gives the same bytes for the same root, elsewhere and later, and the digest that sha256sum expects', async () => {
    expect((await squash()).exitCode).toBe(0);
    const first = digest();
    execFileSync('sha256sum', ['--check', '--quiet', 'root.squashfs.sha256'], { cwd: generation });
    const again = await squash('--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, sha256: first, generation: ID });
    execFileSync('cp', ['-a', join(generation, 'root'), join(generation, 'other')]);
    rmSync(join(generation, 'root'), { recursive: true });
    execFileSync('mv', [join(generation, 'other'), join(generation, 'root')]);
    expect((await squash('--force')).exitCode).toBe(0);
    expect(digest()).toBe(first);
  });

  it('killed, it leaves nothing that looks whole, and the next one does', async () => {
    // So much to pack that the kill comes in time, on a machine that has other things to do as well.
    for (let count = 0; count < 40; count += 1) {
      writeFileSync(join(generation, 'root', `noise${count}`), randomBytes(2_000_000));
    }
    const started = startMkroot(['squash', 'compute', '--state', state]);
    await expect.poll(() => existsSync(`${file()}.new`), { timeout: 30_000, interval: 1 }).toBe(true);
    started.process.kill('SIGKILL');
    await started.ended;
    expect(existsSync(file())).toBe(false);
    expect((await squash()).exitCode).toBe(0);
    expect(readdirSync(generation).sort()).toEqual([
      'manifest.json',
      'root',
      'root.squashfs',
      'root.squashfs.sha256',
      'vmlinuz',
    ]);
  });

  it('makes an erofs as well, of the same entries, the same bytes elsewhere and later, beside the squashfs', async () => {
    const erofs = join(generation, 'root.erofs');
    const made = await squash('--format', 'erofs', '--json');
    expect([made.exitCode, made.stderr]).toEqual([0, expect.anything()]);
    expect(JSON.parse(made.stdout)).toMatchObject({ changed: true, path: erofs });
    execFileSync('sha256sum', ['--check', '--quiet', 'root.erofs.sha256'], { cwd: generation });
    const first = readFileSync(erofs);
    expect(mounted('erofs', erofs)).toEqual(listed(join(generation, 'root')));
    const attributes = (path: string) =>
      /Xattr size: (\d+)/.exec(execFileSync('dump.erofs', [`--path=${path}`, erofs]).toString())?.[1];
    expect(Number(attributes('/usr/bin/capable'))).toBeGreaterThan(0);
    expect(attributes('/large')).toBe('0');
    execFileSync('cp', ['-a', join(generation, 'root'), join(generation, 'other')]);
    rmSync(join(generation, 'root'), { recursive: true });
    execFileSync('mv', [join(generation, 'other'), join(generation, 'root')]);
    expect((await squash('--format', 'erofs', '--force')).exitCode).toBe(0);
    expect(readFileSync(erofs).equals(first)).toBe(true);
    expect((await squash()).exitCode).toBe(0);
    expect(readdirSync(generation).filter((name) => name.startsWith('root.'))).toEqual([
      'root.erofs',
      'root.erofs.sha256',
      'root.squashfs',
      'root.squashfs.sha256',
    ]);
  });

  it('publish refuses nodes without the file, without a URL, or whose initrd cannot mount it; then boots them by it', async () => {
    const site = join(directory, 'site');
    mkdirSync(site);
    writeFileSync(join(site, 'nodes.yaml'), SITE);
    const initrd = join(state, 'images/compute/initrds', ID);
    mkdirSync(initrd, { recursive: true });
    writeFileSync(join(initrd, 'initrd.img'), 'initrd');
    const publish = (...args: readonly string[]) =>
      runMkroot(['publish', '--site', site, '--state', state, ...args]);
    const without = await publish();
    expect([without.exitCode, without.stderr]).toEqual([4, expect.stringContaining('mkroot squash compute')]);
    await squash();
    expect((await publish()).stderr).toContain('--http-root');
    const sidecar = {
      format: 1,
      mkroot: '0',
      kernel: 'k',
      architecture: 'amd64',
      compression: { format: 'zstd' },
      sizes: { packed: 1, unpacked: 1 },
      sha256: '0'.repeat(64),
      modules: ['nfs'],
      builtins: [],
      nics: [],
      warnings: [],
      entries: [],
    };
    writeFileSync(join(initrd, 'initrd.img.json'), JSON.stringify(sidecar));
    const unable = await publish('--http-root', 'http://10.1.0.1:8080/');
    expect([unable.exitCode, unable.stderr]).toEqual([
      3,
      expect.stringContaining('mkroot initrd compute --transport squashfs-http'),
    ]);
    writeFileSync(
      join(initrd, 'initrd.img.json'),
      JSON.stringify({ ...sidecar, modules: ['loop'], builtins: ['squashfs'] }),
    );
    const done = await publish('--http-root', 'http://10.1.0.1:8080/');
    expect([done.exitCode, done.stderr]).toEqual([0, expect.anything()]);
    const served = join(state, 'netboot/tftp');
    expect(readFileSync(join(served, 'ipxe/10.1.1.1.ipxe'), 'utf8')).toContain(
      `mkroot.base=http://10.1.0.1:8080/images/compute/${ID}/root.squashfs,sha256=${digest()},size=${readFileSync(file()).length}`,
    );
    expect(
      readFileSync(join(served, `images/compute/${ID}/root.squashfs`)).equals(readFileSync(file())),
    ).toBe(true);
    const kept = await runMkroot([
      'gc',
      '--dry-run',
      '--keep',
      '1',
      '--keep-days',
      '0',
      '--site',
      site,
      '--state',
      state,
    ]);
    expect(kept.stdout).toContain(ID);
  });
});
