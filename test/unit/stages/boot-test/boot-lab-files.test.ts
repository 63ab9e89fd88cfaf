import { describe, expect, it } from 'vitest';
import type { Ports } from '../../../../src/ports/ports.js';
import { BARE_INIT_PATH } from '../../../../src/stages/boot-test/place-self-check.js';
import { prepareLabFiles } from '../../../../src/stages/boot-test/prepare-lab-files.js';
import {
  removeStaleLabs,
  reserveLabDirectory,
} from '../../../../src/stages/boot-test/reserve-lab-directory.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

function published() {
  const fs = memoryFileSystem({
    '/usr/lib/PXELINUX/pxelinux.0': 'loader',
    '/usr/lib/syslinux/modules/bios/ldlinux.c32': 'module',
    '/images/root/etc/systemd/system/multi-user.target.wants': null,
    '/images/vmlinuz-6': 'kernel',
    '/images/vmlinuz': { link: 'vmlinuz-6' },
    '/images/initrd.img': 'abc',
    '/images/driver.img': 'driver',
    '/qemu/self-check.sh': 'script',
    '/qemu/mkroot-self-check.service': 'unit',
  });
  fs.chmod('/images/root/etc', 0o751);
  return fs;
}

const subject = {
  root: '/images/root',
  kernel: '/images/vmlinuz',
  initrd: '/images/initrd.img',
  driverSegment: '/images/driver.img',
};
const expected = { hostname: 'node', modules: ['tg3'], reportPort: '/dev/ttyS1', shippedFiles: '/qemu' };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('the files of a lab', () => {
  it('are links to the published kernel and initrd, whose digests are taken, and the segment comes last', () => {
    const fs = published();
    const files = prepareLabFiles(fs, '/lab', subject, expected, 'console=ttyS0');
    expect(fs.readlink('/lab/tftp/vmlinuz')).toBe('/images/vmlinuz-6');
    expect(fs.readlink('/lab/tftp/initrd.img')).toBe('/images/initrd.img');
    // sha256 of "abc", FIPS 180-2.
    expect(files.initrd.sha256).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const config = text(fs.readFile('/lab/tftp/pxelinux.cfg/default'));
    expect(config).toContain('INITRD initrd.img,driver.img');
    expect(config).toContain('APPEND console=ttyS0');
    expect(files.lastInitrd).toBe('driver.img');
  });

  it('give a layer’s directories the mode of the base’s, which the merged tree shows', () => {
    const fs = published();
    prepareLabFiles(fs, '/lab', subject, expected, '');
    for (const layer of ['host', 'cluster']) {
      expect(fs.lstat(`/lab/layers/${layer}/etc`)?.mode).toBe(0o751);
      expect(text(fs.readFile(`/lab/layers/${layer}/etc/mkroot-self-check/layer`))).toBe(`${layer}\n`);
    }
    expect(
      fs.readlink('/lab/layers/host/etc/systemd/system/multi-user.target.wants/mkroot-self-check.service'),
    ).toBe('../mkroot-self-check.service');
  });

  it('start the self-check by rc.local where the root has sysvinit', () => {
    const fs = published();
    fs.writeFile('/images/root/etc/inittab', 'id:2:initdefault:\n');
    fs.writeFile('/qemu/rc.local', 'script');
    prepareLabFiles(fs, '/lab', subject, expected, '');
    expect(fs.lstat('/lab/layers/host/etc/rc.local')?.mode).toBe(0o755);
  });

  it('bring a process 1 of their own for a scenario’s script', () => {
    const fs = published();
    fs.writeFile('/qemu/bare-init.sh', 'script');
    prepareLabFiles(fs, '/lab', subject, { ...expected, guestScript: 'report x pass' }, '');
    expect(fs.lstat(`/lab/layers/host${BARE_INIT_PATH}`)?.mode).toBe(0o755);
    expect(text(fs.readFile('/lab/layers/host/etc/mkroot-self-check/scenario.sh'))).toBe('report x pass');
  });

  it('bring a scenario’s own files to the host layer, below directories like the base’s', () => {
    const fs = published();
    const files = { '/etc/mkroot/persistent': 'a list', '/etc/selinux/config': 'SELINUX=permissive' };
    prepareLabFiles(fs, '/lab', subject, { ...expected, files }, '');
    expect(text(fs.readFile('/lab/layers/host/etc/mkroot/persistent'))).toBe('a list');
    expect(text(fs.readFile('/lab/layers/host/etc/selinux/config'))).toBe('SELINUX=permissive');
    expect(fs.lstat('/lab/layers/host/etc')?.mode).toBe(0o751);
    expect(fs.lstat('/lab/layers/cluster/etc/selinux')).toBeUndefined();
  });

  it('have no layers where no self-check can run', () => {
    const fs = published();
    expect(prepareLabFiles(fs, '/lab', subject, undefined, '').exports).toEqual([]);
    expect(fs.lstat('/lab/layers')).toBeUndefined();
  });

  it('never carry a word into the script that is not a plain name', () => {
    const evil = { ...expected, modules: ["tg3'; reboot; '"] };
    expect(() => prepareLabFiles(published(), '/lab', subject, evil, '')).toThrow(/not a plain name/);
  });
});

describe('directories of labs', () => {
  const stat = (start: number) => `1 (a) b) S ${'0 '.repeat(18)}${start} 0\n`;

  function ports(): Ports {
    const fs = memoryFileSystem({
      '/proc/self': { link: '77' },
      '/proc/77/stat': stat(500),
      '/proc/78/stat': stat(900),
      '/tmp/mkroot-lab-running/owner': '78 900\n',
      '/tmp/mkroot-lab-killed/owner': '79 100\n',
      '/tmp/mkroot-lab-reused-id/owner': '78 300\n',
      '/tmp/mkroot-lab-just-made': null,
      '/tmp/somebody-else/owner': '79 100\n',
    });
    const clock = { now: () => new Date(), monotonicMs: () => 0, sleep: async () => {} };
    return { fs, clock, runner: new ScriptedRunner(), progress: new SilentProgress() };
  }

  it('are removed when their owner is gone, and left alone otherwise', () => {
    const { fs, ...rest } = ports();
    const mine = reserveLabDirectory({ fs, ...rest }, '/tmp');
    removeStaleLabs({ fs, ...rest }, '/tmp');
    expect(fs.readdir('/tmp').map((name) => `/tmp/${name}`)).toEqual(
      [mine, '/tmp/mkroot-lab-just-made', '/tmp/mkroot-lab-running', '/tmp/somebody-else'].sort(),
    );
  });
});
