import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeRoot } from '../support/judge-roots.js';
import { type LayerSite, layerSite } from '../support/layer-site.js';
import { runMkroot } from '../support/run-mkroot.js';

let lab: LayerSite;

beforeAll(() => {
  lab = layerSite(judgeRoot('trixie'));
});

afterAll(() => lab.remove());

async function mkroot(...args: readonly string[]) {
  return runMkroot([...args, '--site', lab.site, '--state', lab.state]);
}

async function json<T>(...args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await mkroot(...args, '--json');
  if (exitCode !== 0) throw new Error(`mkroot ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout) as T;
}

interface Written {
  readonly name: string;
  readonly layer: string;
  readonly changed: boolean;
  readonly digest: string;
}

/** Paths of a directory with owner, mode, kind, target and digest: everything that a layer is. */
function listing(directory: string): Map<string, string> {
  const find = execFileSync(
    'sh',
    [
      '-c',
      'cd "$1" && find . -printf "%p\\t%y %m %U:%G %l\\n" && find . -type f -exec sha256sum {} +',
      'sh',
      directory,
    ],
    { encoding: 'utf8' },
  );
  const facts = new Map<string, string>();
  for (const line of find.trim().split('\n')) {
    const [, digest, file = ''] = /^([0-9a-f]{64}) {2}(.*)$/.exec(line) ?? [];
    const [path = '', rest = ''] = line.split('\t');
    if (digest === undefined) facts.set(path, rest);
    else facts.set(file, `${facts.get(file)} ${digest}`);
  }
  return facts;
}

/** Runs a script where the layers are mounted read-only over each other at $1, as a node has them. */
function inUnion(layers: readonly string[], script: string): string {
  const mount =
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u && mount -t overlay overlay -o "lowerdir=$1" /mnt/u && cd /mnt/u';
  return execFileSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-e', '-c', `${mount}\n${script}`, 'sh', layers.join(':')],
    { encoding: 'utf8' },
  );
}

describe('layers of a site', () => {
  it('shared layers merge with the image as the kernel sees it: template, deletion, owner of directories', async () => {
    // Whoever keeps the site is not root, and their umask was 077.
    execFileSync('chown', ['-R', '1234:1234', join(lab.site, 'overlays')]);
    execFileSync('chmod', ['700', join(lab.site, 'overlays/compute/etc')]);
    const layers = await json<Written[]>('overlay', 'write');
    expect(layers.map(({ name, changed }) => [name, changed])).toEqual([
      ['compute', true],
      ['storage', true],
    ]);
    const out = inUnion(
      [join(lab.state, 'layers/compute/current/layer'), lab.root],
      'cat etc/motd etc/rack; [ ! -e etc/debian_version ] && echo hidden; stat -c "%a %u:%g" etc etc/rack; ls etc/passwd',
    );
    expect(out).toBe('shared\ncompute 7\nhidden\n755 0:0\n644 0:0\netc/passwd\n');
    expect(
      lstatSync(join(lab.state, 'layers/compute/current/layer/etc/debian_version')).isCharacterDevice(),
    ).toBe(true);
    expect(existsSync(join(lab.state, 'layers/storage/current/layer/etc/rack'))).toBe(false);
  });

  it('writing again changes nothing; one edited file of the site, or of the layer, is seen and written', async () => {
    const before = listing(join(lab.state, 'layers'));
    expect((await json<Written[]>('overlay', 'write')).map(({ changed }) => changed)).toEqual([false, false]);
    expect(listing(join(lab.state, 'layers'))).toEqual(before);
    lab.write('overlays/compute/etc/motd', 'compute only\n');
    const { stdout } = await mkroot('overlay', 'diff');
    expect(stdout).toBe('compute: 1 changes\n  ~ /etc/motd: content (7 to 13 bytes)\nstorage: no change\n');
    expect((await json<Written[]>('overlay', 'write')).map(({ changed }) => changed)).toEqual([true, false]);
    writeFileSync(join(lab.state, 'layers/storage/current/layer/etc/motd'), 'by hand');
    expect((await json<Written[]>('overlay', 'write')).map(({ changed }) => changed)).toEqual([false, true]);
    expect(readFileSync(join(lab.state, 'layers/storage/current/layer/etc/motd'), 'utf8')).toBe('shared\n');
  });

  it('two nodes made from one group differ exactly in their identity; making them again changes nothing', async () => {
    const layers = await json<Written[]>('node', 'instantiate', 'compute');
    expect(layers.map(({ name }) => name)).toEqual(['n001', 'n002']);
    const [one, two] = layers.map(({ layer }) => listing(layer));
    const names = [...new Set([...one!.keys(), ...two!.keys()])].sort();
    expect(names.filter((path) => one!.get(path) !== two!.get(path))).toEqual([
      './etc/hostname',
      './etc/machine-id',
      './etc/ssh/ssh_host_ecdsa_key',
      './etc/ssh/ssh_host_ecdsa_key.pub',
      './etc/ssh/ssh_host_ed25519_key',
      './etc/ssh/ssh_host_ed25519_key.pub',
      './etc/ssh/ssh_host_rsa_key',
      './etc/ssh/ssh_host_rsa_key.pub',
      './etc/systemd/network/20-n001.network',
      './etc/systemd/network/20-n002.network',
    ]);
    expect(one!.get('./etc/ssh/ssh_host_rsa_key')).toMatch(/^f 600 0:0/);
    const pointed = (name: string) =>
      join(lab.state, readFileSync(join(lab.state, 'hosts/n001/current/layer', name), 'utf8').trim());
    expect(pointed('hopeless.root')).toBe(lab.root);
    expect(pointed('hopeless.overlay')).toBe(join(lab.state, 'layers/compute/current/layer'));
    expect(lstatSync(join(lab.state, 'hosts')).mode & 0o777).toBe(0o700);
    const before = listing(join(lab.state, 'hosts'));
    const again = await json<Written[]>('node', 'instantiate', 'compute');
    expect(again.map(({ changed }) => changed)).toEqual([false, false]);
    expect(listing(join(lab.state, 'hosts'))).toEqual(before);
  });

  it('hosts/NAME of the site goes over the template of all hosts, and only into that node', async () => {
    lab.write('hosts/template/etc/role.liquid', 'node {{ node.name }} at {{ node.ip }}\n');
    lab.write('hosts/n002/etc/role', 'special\n');
    await json('node', 'instantiate', 'n[001-002]');
    const role = (node: string) =>
      readFileSync(join(lab.state, 'hosts', node, 'current/layer/etc/role'), 'utf8');
    expect([role('n001'), role('n002')]).toEqual(['node n001 at 10.1.1.1\n', 'special\n']);
    const { stdout } = await mkroot('overlay', 'render', 'n001', '/etc/role');
    expect(stdout).toBe('node n001 at 10.1.1.1\n');
    expect((await mkroot('overlay', 'render', 'n001', 'etc/hosts')).stdout).toContain('10.1.2.1 s001\n');
  });

  it('a new node gets the next address, a line in nodes.yaml and a host layer; a bad one changes nothing', async () => {
    const before = readFileSync(join(lab.site, 'nodes.yaml'), 'utf8');
    const refused = await mkroot(
      'node',
      'create',
      'n003',
      '--group',
      'compute',
      '--mac',
      '52:54:00:00:00:01',
    );
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('mac 52:54:00:00:00:01 of n003 is that of n001');
    expect(readFileSync(join(lab.site, 'nodes.yaml'), 'utf8')).toBe(before);
    expect(existsSync(join(lab.state, 'hosts/n003'))).toBe(false);
    const [created] = await json<{ name: string; ip: string; layer: string }[]>(
      ...['node', 'create', 'n003', '--group', 'compute', '--mac', '52:54:00:00:00:09'],
    );
    expect(created).toMatchObject({ name: 'n003', ip: '10.1.1.3' });
    expect(readFileSync(join(created!.layer, 'etc/hostname'), 'utf8')).toBe('n003\n');
    expect(readFileSync(join(lab.site, 'nodes.yaml'), 'utf8')).toBe(
      `${before}  n003: { group: compute, ip: "10.1.1.3", mac: "52:54:00:00:00:09" }\n`,
    );
    expect((await json<Written[]>('node', 'instantiate', 'n003')).map(({ changed }) => changed)).toEqual([
      false,
    ]);
  });

  it('a layer that the linter refuses is not written; an unknown variable is told with its place', async () => {
    lab.write('overlays/compute/etc/munge/munge.key', 'secret');
    lab.write('overlays/compute/bin/tool', '');
    const lint = await mkroot('overlay', 'lint', 'compute');
    expect(lint.exitCode).toBe(3);
    expect(lint.stdout).toContain('error secret-path: /etc/munge/munge.key:');
    expect(lint.stdout).toContain('error usr-merge: /bin: it is a directory, in the image a link to usr/bin');
    const before = listing(join(lab.state, 'layers/compute'));
    const write = await mkroot('overlay', 'write');
    expect(write.exitCode).toBe(3);
    expect(write.stderr).toContain('Cannot write the layer "compute": the linter found 2 errors');
    expect(listing(join(lab.state, 'layers/compute'))).toEqual(before);
    lab.write('overlays/cluster/etc/bad.liquid', 'a\n{{ variables.rakc }}\n');
    const both = await mkroot('overlay', 'lint');
    expect(both.stdout).toContain('error usr-merge: /bin:');
    expect(both.stdout).toMatch(/overlays\/cluster\/etc\/bad.liquid:2:4: error unknown-variable:/);
    execFileSync('rm', [
      '-r',
      join(lab.site, 'overlays/compute/bin'),
      join(lab.site, 'overlays/compute/etc/munge'),
    ]);
    const bad = await mkroot('overlay', 'write');
    expect(bad.exitCode).toBe(3);
    expect(bad.stderr).toMatch(/overlays\/cluster\/etc\/bad.liquid:2:4: unknown variable variables.rakc/);
    execFileSync('rm', [join(lab.site, 'overlays/cluster/etc/bad.liquid')]);
    const clean = await mkroot('overlay', 'lint');
    // The bare root that the image is made of has the host keys that its package made: `mkroot build` takes them out.
    expect(
      clean.stdout.split('\n').filter((line) => line.includes(': /') && !line.includes('image-secret')),
    ).toEqual([]);
    expect([clean.exitCode, clean.stdout.split('\n').at(-2)]).toEqual([
      0,
      expect.stringMatching(/^0 errors, /),
    ]);
  });

  it('a file of the site that belongs to somebody else keeps its owner in the layer', async () => {
    lab.write('overlays/cluster/srv/theirs', '');
    chownSync(join(lab.site, 'overlays/cluster/srv/theirs'), 42, 42);
    await json('overlay', 'write', 'storage');
    const { uid, gid } = lstatSync(join(lab.state, 'layers/storage/current/layer/srv/theirs'));
    expect([uid, gid]).toEqual([42, 42]);
  });
});
