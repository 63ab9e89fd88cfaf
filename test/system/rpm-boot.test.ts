import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/images/manifest.js';
import type { InitrdResult } from '../../src/pipelines/initrd/make-initrd.js';
import type { BootReport } from '../../src/vm/boot-report.js';
import { hostMounts } from '../support/build-state.js';
import { offerImage } from '../support/built-images.js';
import { type SystemRepository, systemRepository } from '../support/rpm/system-repository.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

interface BuildJson {
  readonly built: boolean;
  readonly directory: string;
  readonly root: string;
  readonly kernel: string;
}

const directory = mkdtempSync('/var/tmp/mkroot-test-rpm-boot-');
const state = join(directory, 'state');
const recipe = join(directory, 'rpm-node.yaml');

let repository: SystemRepository;
let build: BuildJson;
let mountsBefore: string[];

const makeInitrd = () => mkrootJson<InitrdResult>('initrd', recipe, '--nic', 'tg3', '--state', state);
const text = (path: string) => readFileSync(join(build.root, path), 'utf8');
const inRoot = (...argv: string[]) =>
  execFileSync('chroot', [build.root, ...argv], { encoding: 'utf8' }).trim();

beforeAll(async () => {
  mountsBefore = hostMounts();
  repository = await systemRepository(directory);
  writeFileSync(
    recipe,
    [
      repository.recipe,
      'users: [{ name: ada, uid: 1500 }]',
      'files: [{ content: "hello\\n", destination: /etc/motd }]',
      'commands: [rpm --verify --nodeps filesystem]',
      'hostname: rpm-node',
    ].join('\n'),
  );
  await offerImage(state, 'rpm-node', async () => {
    build = await mkrootJson<BuildJson>('build', recipe, '--state', state);
    await makeInitrd();
  });
});

afterAll(async () => {
  await repository?.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('mkroot build of rpm packages, by dnf from a signed repository over HTTP', () => {
  it('has its database where the own rpm of the root looks, and the manifest says the same packages', () => {
    const manifest = JSON.parse(readFileSync(join(build.directory, 'manifest.json'), 'utf8')) as Manifest;
    expect(manifest.stages.map(({ name }) => name)).toEqual([
      'bootstrap-rpm',
      'configure-system',
      'create-users',
      'add-files',
      'run-commands',
      'seal-root',
    ]);
    expect(inRoot('rpm', '--eval', '%{_dbpath}')).toBe('/usr/lib/sysimage/rpm');
    const known = inRoot('rpm', '-qa', '--qf', '%{NAME} %{VERSION}-%{RELEASE}\\n').split('\n');
    expect(manifest.packages.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(
      known.filter((line) => !line.startsWith('gpg-pubkey')).sort(),
    );
    expect(manifest.packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['systemd', 'filesystem']),
    );
    expect(existsSync(join(build.root, 'var/lib/rpm'))).toBe(false);
  });

  it('has the kernel that lies beside its modules, as Fedora and EL have it', () => {
    const [release] = readdirSync(join(build.root, 'usr/lib/modules'));
    expect(existsSync(join(build.root, 'usr/lib/modules', release!, 'vmlinuz'))).toBe(true);
    // Written by the kernel package's scriptlet.
    expect(text(join('usr/lib/modules', release!, 'modules.dep'))).toContain('tg3.ko');
  });

  it('keeps file capabilities, owners and modes of the packages', () => {
    expect(execFileSync('getcap', [join(build.root, 'usr/bin/ping')], { encoding: 'utf8' })).toContain(
      'cap_net_raw=ep',
    );
    expect(inRoot('stat', '-c', '%a %U %G', '/usr/bin/passwd', '/etc/shadow', '/tmp').split('\n')).toEqual([
      '4755 root root',
      '0 root root',
      '1777 root root',
    ]);
  });

  it('has SELinux off, and nothing that dnf or the host left behind', () => {
    expect(text('etc/selinux/config')).toBe('SELINUX=disabled\nSELINUXTYPE=targeted\n');
    expect(readdirSync(join(build.root, 'root'))).toEqual([]);
    expect(readdirSync(join(build.root, 'var/log')).filter((name) => /dnf|hawkey/.test(name))).toEqual([]);
    expect(existsSync(join(build.root, 'var/cache/dnf'))).toBe(false);
    expect(hostMounts()).toEqual(mountsBefore);
  });

  it('shares users, files and settings with roots of Debian', () => {
    expect(text('etc/passwd')).toContain('ada:x:1500:1500::/home/ada:/bin/bash');
    expect(text('etc/motd')).toBe('hello\n');
    expect(text('etc/locale.conf')).toBe('LANG=C.UTF-8\n');
  });

  it('does nothing the second time, and downloads no package again for another one', async () => {
    const again = await mkrootJson<BuildJson>('build', recipe, '--state', state);
    expect(again.built).toBe(false);
    const { requests } = repository.server;
    requests.length = 0;
    writeFileSync(recipe, readFileSync(recipe, 'utf8').replace('procps, ', ''));
    expect((await mkrootJson<BuildJson>('build', recipe, '--state', state)).built).toBe(true);
    expect(requests.filter((path) => path.endsWith('.rpm'))).toEqual([]);
  });
});

describe('a node with that root', () => {
  let initrd: InitrdResult;
  let boot: BootReport;

  beforeAll(async () => {
    initrd = await makeInitrd(); // of the generation that came last
    const run = await runMkroot([
      'qemu-test',
      recipe,
      '--state',
      state,
      '--timeout',
      '1500',
      '--report',
      join(directory, 'report'),
      '--json',
    ]);
    if (run.stdout === '') throw new Error(run.stderr);
    boot = JSON.parse(run.stdout) as BootReport;
  });

  it('boots over PXE to multi-user with zero failed units and powers off cleanly', () => {
    expect(boot.failure).toBeUndefined();
    expect(boot.result).toBe('pass');
    expect(boot.initrd.sha256).toBe(initrd.sha256);
    expect(boot.milestones.map(({ id }) => id)).toEqual(expect.arrayContaining(['multi-user', 'power-off']));
    expect(boot.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(boot.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['no-failed-units', 'root-is-overlay', 'module-tg3']),
    );
  });
});
