import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runMkroot, startMkroot } from '../support/run-mkroot.js';

const [G1, G2] = ['20261101T000000Z-11111111', '20261110T000000Z-22222222'] as const;

const NODES = `cluster:
  overlays: [cluster]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute }
  canary: { image: compute }
nodes:
  n[1-2]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02'] }
  c1: { group: canary, ip: 10.1.2.1, mac: '52:54:00:00:01:01' }
`;

let directory: string;
let state: string;
let site: string;

beforeEach(() => {
  directory = mkdtempSync('/var/tmp/mkroot-test-publish-');
  state = join(directory, 'state');
  site = join(directory, 'site');
  for (const id of [G1, G2]) {
    const generation = join(state, 'images/compute/generations', id);
    write(join(generation, 'root/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    write(join(generation, 'root/etc/group'), 'root:x:0:\n');
    write(join(generation, 'root/etc/gone'), 'seen in the image\n');
    write(join(generation, 'root/etc/generation'), `${id}\n`);
    write(join(generation, 'vmlinuz'), 'kernel');
    write(join(generation, 'manifest.json'), '{}');
    write(join(state, 'images/compute/initrds', id, 'initrd.img'), 'initrd');
  }
  current(G1);
  write(join(site, 'nodes.yaml'), NODES);
  write(join(site, 'overlays/cluster/etc/motd'), 'first\n');
  write(join(site, 'overlays/cluster/overlay.yaml'), 'delete: [/etc/gone]\n');
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function current(id: string): void {
  const link = join(state, 'images/compute/current');
  rmSync(link, { force: true });
  symlinkSync(`generations/${id}`, link);
}

const mkroot = (...args: readonly string[]) => runMkroot([...args, '--site', site, '--state', state]);

async function ok(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await mkroot(...args);
  if (exitCode !== 0) throw new Error(`mkroot ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
  return stdout;
}

async function pin(node: string, generation: string): Promise<void> {
  expect(await runMkroot(['node', 'set', node, '--generation', generation, '--site', site])).toMatchObject({
    exitCode: 0,
  });
}

const bootFile = (name: string) => readFileSync(join(state, 'netboot/tftp', name), 'utf8');
const named = (key: string, text: string) =>
  new RegExp(`mkroot\\.${key}=(?:[\\d.]+:)?(\\S+)`).exec(text)?.[1];
const ADDRESSES = { n1: '10.1.1.1', n2: '10.1.1.2', c1: '10.1.2.1' } as const;
const booted = (node: keyof typeof ADDRESSES) => bootFile(`ipxe/${ADDRESSES[node]}.ipxe`);
const generations = () => [booted('n1'), booted('n2'), booted('c1')].map((text) => named('generation', text));

/** What boot files name that is not there; followed as TFTP and NFS would. */
function broken(): string[] {
  const tftp = join(state, 'netboot/tftp');
  if (!existsSync(tftp)) return [];
  return ['pxelinux.cfg', 'grub', 'ipxe'].flatMap((folder) => {
    const names = existsSync(join(tftp, folder)) ? readdirSync(join(tftp, folder)) : [];
    return names
      .filter((name) => !name.includes('.tmp-'))
      .flatMap((name) => {
        const text = bootFile(join(folder, name));
        const files = [...text.matchAll(/images\/[\w/.-]+/g)]
          .map(([path]) => path)
          .filter((path) => !path.includes('generations'))
          .map((path) => join(tftp, path));
        const layers = ['base', 'cluster', 'host'].flatMap((key) => named(key, text) ?? []);
        return [...files, ...layers].filter((path) => !existsSync(path)).map((path) => `${name}: ${path}`);
      });
  });
}

/** A node that runs: its layers merged by the kernel, in a mount namespace of its own. */
class RunningNode {
  readonly #child: ChildProcess;
  #output = '';

  constructor(boot: string) {
    const layers = ['host', 'cluster', 'base'].map((key) => named(key, boot)!).join(':');
    const script = `mount -t tmpfs tmpfs /mnt && mkdir /mnt/u && mount -t overlay overlay -o "lowerdir=$1" /mnt/u && cd /mnt/u || exit
while read -r _; do cat etc/hostname etc/motd etc/generation; ls etc/gone 2>/dev/null; echo end; done`;
    this.#child = spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', layers],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#child.stdout!.on('data', (chunk) => {
      this.#output += chunk;
    });
  }

  /** What it sees now. */
  async sees(): Promise<string> {
    this.#output = '';
    this.#child.stdin!.write('look\n');
    await expect.poll(() => this.#output, { timeout: 60_000 }).toMatch(/end\n$/);
    return this.#output.replace(/end\n$/, '');
  }

  async end(): Promise<void> {
    this.#child.stdin!.end();
    await new Promise((resolve) => this.#child.on('close', resolve));
  }
}

describe('mkroot publish', () => {
  it('a running node keeps what it booted, through publish, rollback and gc; the next boot gets the new state', async () => {
    await ok('publish', '--interface', 'br0');
    expect(generations()).toEqual([G1, G1, G1]);
    expect(readFileSync(join(state, 'netboot/etc/dnsmasq.conf'), 'utf8')).toContain('br0');
    const old = new RunningNode(booted('n1'));
    expect(await old.sees()).toBe(`n1\nfirst\n${G1}\n`);

    current(G2);
    write(join(site, 'overlays/cluster/etc/motd'), 'second\n');
    write(join(site, 'overlays/cluster/overlay.yaml'), 'attributes: [{ path: /etc/motd, mode: 0600 }]\n');
    await ok('publish');
    expect(readFileSync(join(state, 'netboot/etc/dnsmasq.conf'), 'utf8')).toContain('br0');
    await ok('gc', '--keep', '1');
    expect(await old.sees()).toBe(`n1\nfirst\n${G1}\n`);
    const next = new RunningNode(booted('n1'));
    expect(await next.sees()).toBe(`n1\nsecond\n${G2}\netc/gone\n`);

    await ok('rollback', 'compute');
    expect(generations()).toEqual([G1, G1, G1]);
    expect(await next.sees()).toBe(`n1\nsecond\n${G2}\netc/gone\n`);
    expect(broken()).toEqual([]);
    await Promise.all([old.end(), next.end()]);

    await ok('gc', '--keep', '1', '--keep-days', '0');
    expect(readdirSync(join(state, 'images/compute/generations'))).toEqual([G1, G2]);
    await ok('rollback', 'compute', '--to', G2);
    await ok('gc', '--keep', '1', '--keep-days', '0');
    expect(readdirSync(join(state, 'images/compute/generations'))).toEqual([G2]);
    expect(broken()).toEqual([]);
  });

  it('--dry-run says what would change, as text and as data, and changes nothing', async () => {
    const text = await ok('publish', '--dry-run');
    expect(text).toContain(`  + c1,n[1-2]: compute ${G1}\n`);
    expect(text).toContain('  + etc/dnsmasq.conf\n');
    expect(readdirSync(state)).toEqual(['images']);
    await ok('publish');
    await pin('n2', G2);
    const plan = JSON.parse(await ok('publish', '--dry-run', '--json'));
    expect(plan).toMatchObject({
      published: false,
      changes: true,
      nodes: [{ name: 'n2', change: 'changed', what: [`compute ${G1} to ${G2}`, 'own layer'] }],
      layers: [{ name: 'n2', kind: 'host', new: true }],
    });
    const changed = plan.files.map(({ path }: { path: string }) => path);
    expect(changed.filter((path: string) => !/images|0A010102|10\.1\.1\.2|00-00-02/.test(path))).toEqual([]);
    await ok('publish');
    expect(generations()).toEqual([G1, G2, G1]);
    await pin('n2', 'current');
    await ok('publish');
    expect(generations()).toEqual([G1, G1, G1]);
    expect(await ok('publish')).toBe('Nothing has changed since the last publish\n');
  });

  it('--only lets a canary group go ahead', async () => {
    await ok('publish');
    current(G2);
    await ok('publish', '--only', 'canary');
    expect(generations()).toEqual([G1, G1, G2]);
  });

  it('private keys stay below a directory that only root may enter', async () => {
    await ok('publish');
    expect(lstatSync(join(state, 'hosts/n1')).mode & 0o777).toBe(0o700);
    const key = join(state, 'hosts/n1/current/layer/etc/ssh/ssh_host_ed25519_key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const exports = readFileSync(join(state, 'netboot/etc/exports'), 'utf8');
    expect(exports).toContain(`${state}/hosts/n1/versions 10.1.1.1(ro,`);
  });

  it('what a node keeps starts as its layers have it, is whole or not there, and is never touched again', async () => {
    const nodes = NODES.replace(
      'groups:',
      'groups:\n  kept: { image: compute, persistent: [{ path: /var/log }, { path: /var }, { path: /srv/new }, { path: /home, export: /srv/home }] }',
    ).replace('n[1-2]: { group: compute', 'n[1-2]: { group: kept');
    write(join(site, 'nodes.yaml'), nodes);
    const image = join(state, 'images/compute/generations', G1, 'root/var');
    write(join(image, 'log/wtmp'), 'from the image');
    write(join(image, 'log/apt/history'), 'from the image');
    chmodSync(join(image, 'log'), 0o2775);
    chownSync(join(image, 'log'), 0, 4);
    linkSync(join(image, 'log/wtmp'), join(image, 'log/other-name'));
    write(join(site, 'overlays/cluster/var/log/wtmp'), 'from the overlay');
    write(join(site, 'hosts/n1/var/log/own'), 'of n1');
    const kept = (node: string, path: string) => join(state, 'hosts', node, 'persistent', path, '@');

    expect(await ok('publish', '--dry-run')).toContain(
      'Persistent directories\n  + n[1-2]: /srv/new\n  + n[1-2]: /var\n',
    );
    const killed = startMkroot(['publish', '--site', site, '--state', state]);
    await expect
      .poll(() => existsSync(join(state, 'hosts/n1/persistent')), { timeout: 30_000, interval: 1 })
      .toBe(true);
    killed.process.kill('SIGKILL');
    await killed.ended;
    await ok('publish');
    const listed = (directory: string) =>
      execFileSync('find', ['.', '-printf', '%p %y%m %U:%G\\n'], { cwd: directory, encoding: 'utf8' })
        .trim()
        .split('\n')
        .sort();
    expect(listed(kept('n1', 'var/log'))).toEqual([
      '. d2775 0:4',
      './apt d755 0:0',
      './apt/history f644 0:0',
      './other-name f644 0:0',
      './own f644 0:0',
      './wtmp f644 0:0',
    ]);
    expect(listed(kept('n2', 'var/log'))).not.toContain('./own f644 0:0');
    expect(readFileSync(join(kept('n1', 'var/log'), 'wtmp'), 'utf8')).toBe('from the overlay');
    expect(listed(kept('n1', 'var'))).toContain('./log/own f644 0:0');
    expect(listed(kept('n1', 'srv/new'))).toEqual(['. d755 0:0']);
    expect(execFileSync('find', [state, '-name', '.new-*'], { encoding: 'utf8' })).toBe('');

    const list = readFileSync(join(state, 'hosts/n1/current/layer/etc/mkroot/persistent'), 'utf8');
    expect(list.split('\n').slice(1, -1)).toEqual([
      '10.1.0.1:/srv/home /home nfs rw,nodev,vers=4.1 0 0',
      `10.1.0.1:${kept('n1', 'srv/new')} /srv/new nfs rw,nodev,nolock 0 0`,
      `10.1.0.1:${kept('n1', 'var')} /var nfs rw,nodev,nolock 0 0`,
      `10.1.0.1:${kept('n1', 'var/log')} /var/log nfs rw,nodev,nolock 0 0`,
    ]);
    const exports = readFileSync(join(state, 'netboot/etc/exports'), 'utf8');
    for (const line of list.split('\n').slice(2, -1)) {
      expect(exports).toContain(`${/:(\S+)/.exec(line)![1]} 10.1.1.1(rw,`);
    }

    writeFileSync(join(kept('n1', 'var/log'), 'wtmp'), 'written by the node');
    rmSync(kept('n2', 'srv/new'), { recursive: true });
    current(G2);
    expect(JSON.parse(await ok('publish', '--json')).persistent).toEqual([
      { node: 'n2', path: '/srv/new', directory: kept('n2', 'srv/new') },
    ]);
    expect(readFileSync(join(kept('n1', 'var/log'), 'wtmp'), 'utf8')).toBe('written by the node');
    expect(await ok('publish')).toBe('Nothing has changed since the last publish\n');

    symlinkSync('log', join(state, 'images/compute/generations', G2, 'root/link'));
    write(join(site, 'nodes.yaml'), nodes.replace('/srv/new', '/link/x'));
    const refused = await mkroot('publish');
    expect(refused.stderr).toContain(
      'Cannot make the persistent directory "/link/x" of "n1": /link is a symlink in its root',
    );
    expect(execFileSync('find', [state, '-name', '.new-*'], { encoding: 'utf8' })).toBe('');
  });

  it('a writable top in an image is made once, exported to its node, and named by its boot entry', async () => {
    const nodes = NODES.replace(
      'canary: { image: compute }',
      'canary: { image: compute, writableTop: { kind: image, size: 64m } }',
    );
    write(join(site, 'nodes.yaml'), nodes);
    expect(await ok('publish', '--dry-run')).toContain('Writable tops\n  + c1: ext4, 64m\n');
    expect(existsSync(join(state, 'hosts/c1/top'))).toBe(false);
    await ok('publish');
    const image = join(state, 'hosts/c1/top/top.ext4');
    execFileSync('e2fsck', ['-f', '-n', image]);
    expect(statSync(image)).toMatchObject({ size: 64 * 1_048_576 });
    expect(statSync(image).blocks * 512).toBeLessThan(8 * 1_048_576);
    expect(booted('c1')).toContain(`mkroot.rw=image:10.1.0.1:${image}`);
    expect(readFileSync(join(state, 'netboot/etc/exports'), 'utf8')).toContain(
      `${state}/hosts/c1/top 10.1.2.1(rw,sync,no_root_squash`,
    );
    const { ino, mtimeMs } = statSync(image);
    write(join(site, 'nodes.yaml'), nodes.replace('64m', '128m'));
    await ok('publish');
    expect(statSync(image)).toMatchObject({ ino, mtimeMs, size: 64 * 1_048_576 });
    expect(await ok('publish')).toBe('Nothing has changed since the last publish\n');
  });

  it('refuses with an exit code and changes nothing: a lint error, an unknown generation, a file edited by hand', async () => {
    await ok('publish');
    const before = readlinkSync(join(state, 'layers/compute/current'));
    write(join(site, 'overlays/cluster/etc/ssh/ssh_host_rsa_key'), 'x');
    const lint = await mkroot('publish');
    expect([lint.exitCode, lint.stdout]).toEqual([3, '']);
    expect(lint.stderr).toMatch(/Cannot publish: the linter found \d+ errors? in layers/);
    rmSync(join(site, 'overlays/cluster/etc/ssh'), { recursive: true });
    expect(readlinkSync(join(state, 'layers/compute/current'))).toBe(before);

    await pin('n1', '20261110T000000Z-22222223');
    const unknown = await mkroot('publish');
    expect(unknown.exitCode).toBe(4);
    expect(unknown.stderr).toContain(`did you mean "${G2}"?`);
    await pin('n1', G2);

    writeFileSync(join(state, 'netboot/tftp/pxelinux.cfg/0A010101'), 'mine\n');
    const edited = await mkroot('publish');
    expect(edited.exitCode).toBe(3);
    expect(edited.stderr).toContain('tftp/pxelinux.cfg/0A010101: it was changed after mkroot wrote it');
    expect(bootFile('pxelinux.cfg/0A010101')).toBe('mine\n');
    await ok('publish', '--force');
    expect(bootFile('pxelinux.cfg/0A010101')).toContain(G2);
  });

  it('kill -9 at ten moments: boot files name only what is there, and the next publish ends it', async () => {
    await ok('publish');
    const started = performance.now();
    await ok('publish', '--dry-run');
    const planned = performance.now() - started;
    for (let round = 0; round < 10; round += 1) {
      current(round % 2 === 0 ? G2 : G1);
      write(join(site, 'overlays/cluster/etc/motd'), `round ${round}\n`);
      const { process, ended } = startMkroot(['publish', '--site', site, '--state', state]);
      await new Promise((resolve) => setTimeout(resolve, planned * (0.7 + round * 0.08)));
      process.kill('SIGKILL');
      await ended;
      expect(broken()).toEqual([]);
    }
    await ok('publish');
    expect(broken()).toEqual([]);
    expect(generations()).toEqual([G1, G1, G1]);
    expect(bootFile('pxelinux.cfg/0A010101')).not.toContain(G2);
    const left = readdirSync(state, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => /\.tmp-|\.new-|mkroot-new|current\.new/.test(path))).toEqual([]);
    expect(await ok('publish')).toBe('Nothing has changed since the last publish\n');
  });

  it('two at once: one after the other', async () => {
    const both = await Promise.all([mkroot('publish'), mkroot('publish')]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(broken()).toEqual([]);
    expect(both.map(({ stdout }) => stdout)).toContain('Nothing has changed since the last publish\n');
  });
});
