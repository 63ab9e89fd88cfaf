import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/images/manifest.js';
import { type BuildState, buildState, hostMounts, SMALL } from '../support/build-state.js';
import { mkrootJson, runMkroot, startMkroot } from '../support/run-mkroot.js';

interface BuildJson {
  readonly built: boolean;
  readonly generation: string;
  readonly directory: string;
  readonly root: string;
  readonly kernel: string;
}

interface PlanJson {
  readonly plan: { stage: string; action: 'cached' | 'run'; reason: string[] }[];
}

const COMMANDS = `commands:
  - rm -r /usr/share/doc && mkdir /usr/share/doc && echo new > /usr/share/doc/only
  - rm /etc/issue && mv /etc/skel /etc/skel-moved && chmod 0700 /media && setcap cap_net_raw+ep /usr/bin/true || true
  - head -c 16 /dev/urandom > /etc/machine-id; mkdir -p /etc/ssh; echo secret > /etc/ssh/ssh_host_rsa_key; echo x > /tmp/left
`;
const FILES = `files:
  - { content: "hello\\n", destination: /etc/motd, mode: "0640", group: adm }
overlays: [overlay]
users:
  - { name: ada, uid: 1500, groups: [adm], sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb0 ada@test"], passwordHash: "$6$salt$hash" }
hostname: node
`;

let build: BuildState;
let recipe: string;
let first: BuildJson;
let mountsBefore: string[];

const run = (...args: string[]) => runMkroot(['build', ...args, '--state', build.state]);
const json = <T>(...args: string[]) => mkrootJson<T>('build', ...args, '--state', build.state);
const manifestOf = ({ directory }: BuildJson) =>
  JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Manifest;
const text = (path: string) => readFileSync(join(first.root, path), 'utf8');
const mode = (path: string) => (statSync(join(first.root, path)).mode & 0o7777).toString(8);

beforeAll(async () => {
  mountsBefore = hostMounts();
  build = buildState();
  mkdirSync(join(build.directory, 'overlay/opt/tool'), { recursive: true });
  writeFileSync(join(build.directory, 'overlay/opt/tool/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  recipe = build.recipe('image', SMALL + FILES + COMMANDS);
  first = await json<BuildJson>(recipe);
});

afterAll(() => build.remove());

describe('mkroot build', () => {
  it('publishes root, kernel and manifest, and current points to them', () => {
    const manifest = manifestOf(first);
    expect(readlinkSync(join(build.state, 'images/image/current'))).toBe(`generations/${first.generation}`);
    expect(statSync(first.kernel).size).toBe(manifest.kernels[0]!.size);
    expect(manifest.stages.map(({ name }) => name)).toEqual([
      'bootstrap-debian',
      'install-packages',
      'configure-system',
      'create-users',
      'add-files',
      'run-commands',
      'seal-root',
    ]);
    const dpkg = execFileSync(
      'dpkg-query',
      [`--admindir=${first.root}/var/lib/dpkg`, '-W', '-f', `\${Package} \${Version} \${Architecture}\n`],
      { encoding: 'utf8' },
    );
    expect(manifest.packages.map((p) => `${p.name} ${p.version} ${p.architecture}`).sort()).toEqual(
      dpkg.trim().split('\n').sort(),
    );
    const entries = execFileSync('find', [first.root, '-mindepth', '1', '-printf', '.'], {
      encoding: 'utf8',
    });
    expect(manifest.sizes.rootEntries).toBe(entries.length);
  });

  it('has what files, overlays, users and settings of the recipe ask for, with owners and modes', () => {
    expect(text('/etc/motd')).toBe('hello\n');
    expect(mode('/etc/motd')).toBe('640');
    expect(statSync(join(first.root, '/etc/motd')).gid).toBe(4);
    expect(mode('/opt/tool/run.sh')).toBe('755');
    expect(text('/etc/hostname')).toBe('node\n');
    expect(text('/etc/passwd')).toContain('ada:x:1500:1500::/home/ada:/bin/bash');
    expect(text('/etc/shadow')).toContain('ada:$6$salt$hash:');
    expect(text('/etc/group')).toMatch(/^adm:x:4:ada$/m);
    expect(mode('/home/ada/.ssh/authorized_keys')).toBe('600');
    expect(statSync(join(first.root, '/home/ada/.ssh/authorized_keys')).uid).toBe(1500);
  });

  it('shows in the published tree what commands deleted, made anew and moved', () => {
    expect(readdirSync(join(first.root, '/usr/share/doc'))).toEqual(['only']);
    expect(existsSync(join(first.root, '/etc/issue'))).toBe(false);
    expect(existsSync(join(first.root, '/etc/skel'))).toBe(false);
    expect(existsSync(join(first.root, '/etc/skel-moved/.bashrc'))).toBe(true);
    expect(mode('/media')).toBe('700');
    expect(mode('/tmp')).toBe('1777');
    expect(mode('/root')).toBe('700');
  });

  it("holds nothing that must be one node's own, and no trace of the build", () => {
    expect(text('/etc/machine-id')).toBe('');
    for (const directory of ['etc', 'var']) {
      const mark = statSync(join(first.root, directory, '.updated'));
      expect(mark.mtimeMs, directory).toBeGreaterThanOrEqual(statSync(join(first.root, 'usr')).mtimeMs);
    }
    expect(readdirSync(join(first.root, '/etc/ssh')).filter((name) => name.startsWith('ssh_host'))).toEqual(
      [],
    );
    expect(text('/etc/fstab')).not.toMatch(/^[^#\s]+\s+\/\s/m);
    expect(text('/etc/resolv.conf')).toBe('');
    for (const directory of ['/tmp', '/run', '/var/lib/apt/lists']) {
      expect(readdirSync(join(first.root, directory)), directory).toEqual([]);
    }
    for (const file of ['/usr/sbin/policy-rc.d', '/etc/dpkg/dpkg.cfg.d/99mmdebstrap', '/etc/.pwd.lock']) {
      expect(existsSync(join(first.root, file)), file).toBe(false);
    }
    expect(hostMounts()).toEqual(mountsBefore);
  });

  it('does nothing the second time, within 0.5 s from process start', async () => {
    // Ahead of whatever else the machine has to do.
    const ahead = () => runMkroot(['build', recipe, '--state', build.state], ['nice', '-n', '-20']);
    const runs = [await ahead(), await ahead(), await ahead()];
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(runs[0]!.stdout).toContain('nothing has changed');
    expect(Math.min(...runs.map(({ ms }) => ms))).toBeLessThan(500);
    expect(readdirSync(join(build.state, 'images/image/generations'))).toEqual([first.generation]);
  });

  it('plans without doing: a changed overlay keeps bootstrap and packages, and is named', async () => {
    writeFileSync(join(build.directory, 'overlay/opt/tool/new'), 'x');
    const { plan } = await json<PlanJson>(recipe, '--plan');
    expect(plan.map(({ action }) => action)).toEqual([
      'cached',
      'cached',
      'cached',
      'cached',
      'run',
      'run',
      'run',
    ]);
    expect(plan[4]!.reason).toEqual([`file ${build.directory}/overlay: changed`]);
    const second = await json<BuildJson>(recipe);
    expect(second.built).toBe(true);
    expect(existsSync(join(second.root, '/opt/tool/new'))).toBe(true);
    expect(existsSync(join(first.root, '/opt/tool/new'))).toBe(false);
    expect(manifestOf(second).stages.map(({ cached }) => cached)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('adds a package from the cached bootstrap, and says what differs', async () => {
    const more = build.recipe('image', `${SMALL}packages: [netbase]\n`);
    const { plan } = await json<PlanJson>(more, '--plan');
    expect(plan.map(({ action }) => action)).toEqual(['cached', 'run', 'run', 'run']);
    expect(plan[1]!.reason).toEqual(['packages: + netbase']);
    const added = await json<BuildJson>(more);
    expect(manifestOf(added).packages.map(({ name }) => name)).toContain('netbase');
    expect(manifestOf(added).stages[0]!.cached).toBe(true);
  });

  it('names a command that fails, its output, exit code and log, and leaves the old generation', async () => {
    const current = readlinkSync(join(build.state, 'images/image/current'));
    const failing = build.recipe(
      'image',
      `${SMALL}packages: [netbase]\ncommands: ["true", "echo about to fail; ls /proc/1/exe > /dev/null; exit 3"]\n`,
    );
    const { exitCode, stderr } = await run(failing);
    expect(exitCode).toBe(6);
    expect(stderr).toContain('exit code 3 (command 2 of 2 of the recipe)');
    expect(stderr).toContain('| about to fail');
    expect(readFileSync(/Whole log: (.+)/.exec(stderr)![1]!, 'utf8')).toContain('about to fail');
    expect(readlinkSync(join(build.state, 'images/image/current'))).toBe(current);
    const byHand = spawnSync('sh', ['-c', /To repeat it by hand: (.+)/.exec(stderr)![1]!], {
      encoding: 'utf8',
    });
    expect(byHand.status).toBe(3);
    expect(byHand.stdout).toContain('about to fail');
    expect(hostMounts()).toEqual(mountsBefore);
  });

  it('lets a second build wait, or say who holds the lock', async () => {
    const slow = build.recipe('slow', `${SMALL}packages: [netbase]\ncommands: [sleep 15]\n`);
    const holder = startMkroot(['build', slow, '--state', build.state]);
    await expect
      .poll(() => readFileSync(join(build.state, 'lock'), 'utf8'), { timeout: 60_000 })
      .toContain(`"pid":${holder.process.pid}`);
    const refused = await run(slow, '--no-wait');
    expect(refused.exitCode).toBe(8);
    expect(refused.stderr).toContain(`process ${holder.process.pid} (mkroot build `);
    const waiting = await run(slow);
    expect(waiting.exitCode).toBe(0);
    expect(waiting.stderr).toContain(`Waiting for process ${holder.process.pid}`);
    expect(waiting.stdout).toContain('nothing has changed');
    expect((await holder.ended).exitCode).toBe(0);
  });
});
