import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostMounts, processesWith } from '../support/build-state.js';
import { judgeRoot } from '../support/judge-roots.js';
import { type LayerSite, layerSite } from '../support/layer-site.js';
import { runMkroot, startMkroot } from '../support/run-mkroot.js';

let lab: LayerSite;
let mounts: string[];

beforeAll(() => {
  lab = layerSite(judgeRoot('trixie'));
  mounts = hostMounts();
});

afterAll(() => lab.remove());

const options = (...args: readonly string[]) => ['enter', '--site', lab.site, '--state', lab.state, ...args];

const overlay = (path: string) => join(lab.site, 'overlays/compute', path);

async function enter(name: string, script: string, ...flags: readonly string[]) {
  return runMkroot(options(...flags, name, '--', 'sh', '-e', '-c', script));
}

async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => processesWith(lab.directory), { timeout: 60_000 }).toEqual([]);
  expect(hostMounts()).toEqual(mounts);
}

describe('mkroot enter', () => {
  it('shows the real stack with proc, sys, dev and DNS, and keeps what changed in the overlay', async () => {
    const { exitCode, stdout, stderr } = await enter(
      'compute',
      [
        'cat /etc/rack; [ -e /etc/debian_version ] || echo hidden; [ -c /dev/null ] && [ -d /proc/self ] && [ -d /sys/class ] && echo devices',
        'cmp /etc/resolv.conf /run/mkroot-resolv.conf && echo dns; findmnt -no FSTYPE / || :',
        'echo new >/etc/new; mkdir -m 0750 /srv/spool; chown 42:42 /srv/spool; rm /etc/host.conf /etc/drop.d/old.conf; rmdir /etc/drop.d; mkdir /etc/drop.d; echo mine >/etc/drop.d/mine.conf',
        'echo key >/etc/ssh_x; mkdir -p /etc/ssh; echo key >/etc/ssh/ssh_host_rsa_key; echo x >/var/cache/x; touch /etc/passwd; echo other >>/etc/rack; ln -s new /etc/link',
      ].join('\n'),
    );
    expect(stderr).toContain('serial 1');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('compute 7\nhidden\ndevices\ndns\noverlay\n');
    expect(readFileSync(overlay('etc/new'), 'utf8')).toBe('new\n');
    expect(lstatSync(overlay('etc/link')).isSymbolicLink()).toBe(true);
    expect(existsSync(overlay('etc/ssh/ssh_host_rsa_key'))).toBe(false);
    expect(existsSync(overlay('var/cache/x'))).toBe(false);
    expect(existsSync(overlay('etc/passwd'))).toBe(false);
    expect(stderr).toContain('. /etc/ssh/ssh_host_rsa_key (left out: identity of a single node)');
    expect(stderr).toMatch(
      /"\/etc\/rack" is made from .*overlays\/compute\/etc\/rack.liquid, which is left as it is/,
    );
    const settings = readFileSync(overlay('overlay.yaml'), 'utf8');
    expect(settings).toContain('# about the compute nodes');
    expect(settings).toMatch(
      /delete: \[ *\/etc\/debian_version, \/etc\/drop.d\/old.conf, \/etc\/host.conf *\]/,
    );
    expect(settings).toMatch(/path: \/srv\/spool\n {4}mode: "0750"\n {4}owner: _apt\n {4}group: shadow/);
    expect(existsSync(join(lab.root, 'etc/host.conf'))).toBe(true);
    await expectNothingLeft();
  });

  it('what a session left is there in the next one and in the written layer', async () => {
    const { stdout } = await enter(
      'compute',
      'cat /etc/new; ls /etc/drop.d; [ -e /etc/host.conf ] || echo gone; stat -c %a:%u /srv/spool',
      '--discard',
    );
    expect(stdout).toBe('new\nmine.conf\ngone\n750:42\n');
    const { exitCode } = await runMkroot(['overlay', 'write', '--site', lab.site, '--state', lab.state]);
    expect(exitCode).toBe(0);
    const layer = join(lab.state, 'layers/compute/current/layer');
    expect(lstatSync(join(layer, 'etc/drop.d/old.conf')).isCharacterDevice()).toBe(true);
    expect(readFileSync(join(layer, 'etc/mkroot/serial/compute'), 'utf8')).toBe('1\n');
  });

  it('--discard and a command that fails leave the overlay as it is', async () => {
    const before = execFileSync('find', [lab.site, '-printf', '%p %i %C@\n'], { encoding: 'utf8' });
    expect((await enter('compute', 'echo x >/etc/thrown-away', '--discard')).exitCode).toBe(0);
    const failed = await enter('compute', 'echo x >/etc/thrown-away; exit 3');
    expect(failed.exitCode).toBe(6);
    expect(failed.stderr).toContain('what it changed in "compute" is thrown away');
    expect(execFileSync('find', [lab.site, '-printf', '%p %i %C@\n'], { encoding: 'utf8' })).toBe(before);
    await expectNothingLeft();
  });

  it('a node keeps its changes in hosts/NAME; a recipe in the state directory', async () => {
    expect((await enter('n001', 'cat /etc/hostname; echo own >/etc/own')).stdout).toBe('n001\n');
    expect(readFileSync(join(lab.site, 'hosts/n001/etc/own'), 'utf8')).toBe('own\n');
    expect((await enter('recipe:compute', '[ ! -e /etc/rack ]; echo r >/etc/r')).exitCode).toBe(0);
    expect(readFileSync(join(lab.state, 'enter/compute/overlay/etc/r'), 'utf8')).toBe('r\n');
  });

  it('kill -9 leaves no mount and no process; the next session cleans up; two at once are refused', async () => {
    const running = startMkroot(
      options('compute', '--', 'sh', '-c', 'echo x >/etc/killed; echo up; sleep 300'),
    );
    let output = '';
    running.process.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    await expect.poll(() => output, { timeout: 60_000 }).toContain('up');
    const second = await enter('compute', 'true');
    expect(second.exitCode).toBe(8);
    expect(second.stderr).toMatch(/Cannot lock .*process \d+ \(mkroot enter/);
    running.process.kill('SIGKILL');
    await running.ended;
    await expectNothingLeft();
    await setTimeout(200);
    expect((await enter('compute', 'true', '--discard')).exitCode).toBe(0);
    expect(existsSync(overlay('etc/killed'))).toBe(false);
    const sessions = readdirSync(join(lab.state, 'enter'))
      .flatMap((name) => readdirSync(join(lab.state, 'enter', name)))
      .filter((name) => name.startsWith('.'));
    expect(sessions).toEqual([]);
  });

  it('Ctrl-C ends the command at once, changes nothing and leaves nothing', async () => {
    const running = startMkroot(
      options('compute', '--', 'sh', '-c', 'echo x >/etc/interrupted; echo up; sleep 300'),
    );
    let output = '';
    running.process.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    await expect.poll(() => output, { timeout: 60_000 }).toContain('up');
    running.process.kill('SIGINT');
    const { exitCode, ms } = await running.ended;
    expect(exitCode).toBe(130);
    expect(ms).toBeLessThan(150_000);
    expect(existsSync(overlay('etc/interrupted'))).toBe(false);
    await expectNothingLeft();
  });

  it('a state directory that cannot hold an upper directory is entered with the changes in memory', async () => {
    const on = '/dev/shm';
    expect(existsSync(on)).toBe(true);
    const script =
      'mount -t tmpfs tmpfs /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/o && mount -t overlay overlay -o lowerdir="$1",upperdir=/mnt/u,workdir=/mnt/w /mnt/o && shift && exec "$@"';
    const { exitCode, stderr } = await runMkroot(
      ['enter', '--site', lab.site, '--state', '/mnt/o', 'compute', '--', 'sh', '-c', 'echo m >/etc/memory'],
      ['unshare', '--mount', '--propagation', 'private', 'sh', '-e', '-c', script, 'sh', lab.state],
    );
    expect(stderr).toContain('+ /etc/memory');
    expect(exitCode).toBe(0);
    expect(readFileSync(overlay('etc/memory'), 'utf8')).toBe('m\n');
  });
});
