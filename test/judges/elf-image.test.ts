import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ElfClosure, resolveElfClosure } from '../../src/elf/elf-closure.js';
import { DiskFileSystem } from '../../src/host/disk-file-system.js';
import { Sysroot } from '../../src/rootfs/sysroot.js';
import { judgeRoot } from '../support/judge-roots.js';

const ROOTS = { trixie: () => judgeRoot('trixie'), bookworm: () => judgeRoot('bookworm') };
const PROGRAMS = [
  ['/sbin/modprobe', '--version'],
  ['/bin/udevadm', '--version'],
  ['/bin/mount', '--version'],
  ['/usr/lib/systemd/systemd', '--version'],
  ['/usr/bin/deb-systemd-invoke', '--help'],
  ['/bin/busybox', 'true'],
] as const;

let work = '';

beforeEach(() => {
  work = mkdtempSync(`${tmpdir()}/mkroot-elf-image-`);
});

afterEach(() => {
  rmSync(work, { recursive: true, force: true });
});

function closureOf(root: string, programs: readonly string[]): ElfClosure {
  const sysroot = new Sysroot(new DiskFileSystem(), root);
  return resolveElfClosure(
    sysroot,
    programs.map((path) => ({ path, label: 'judge' })),
  );
}

/** A directory that holds the closure and nothing else. */
function writeImage(closure: ElfClosure, image: string): void {
  const link = (path: string, target: string) => {
    mkdirSync(dirname(`${image}${path}`), { recursive: true });
    if (!lstatSync(`${image}${path}`, { throwIfNoEntry: false })) symlinkSync(target, `${image}${path}`);
  };
  for (const { path, hostPath } of closure.files) {
    mkdirSync(dirname(`${image}${path}`), { recursive: true });
    copyFileSync(hostPath, `${image}${path}`);
  }
  for (const { links } of closure.files) for (const { path, target } of links) link(path, target);
  for (const { path, target } of closure.placements) link(path, target);
}

/** Whether the program's loader came as far as the program itself: 127 is its code for a missing library. */
function run(image: string, argv: readonly string[]) {
  const { status, stderr } = spawnSync('chroot', [image, ...argv], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  return { started: status !== null && status < 126, status, stderr };
}

describe.each(Object.keys(ROOTS) as (keyof typeof ROOTS)[])('an image of closures from %s', (name) => {
  it('holds all that its programs need to start, in a chroot without anything else', () => {
    writeImage(
      closureOf(
        ROOTS[name](),
        PROGRAMS.map(([path]) => path),
      ),
      `${work}/image`,
    );
    expect(existsSync(`${work}/image/etc/ld.so.cache`)).toBe(false);
    for (const argv of PROGRAMS)
      expect(run(`${work}/image`, argv)).toMatchObject({
        started: true,
        stderr: expect.not.stringContaining('shared libraries'),
      });
  });

  it('finds a library of an ld.so.conf directory by the link that was added, and not without it (case 8)', () => {
    const root = `${work}/root`;
    writeImage(closureOf(ROOTS[name](), ['/bin/mount']), root);
    const library =
      closureOf(root, ['/bin/mount']).files.find(({ path }) => path.includes('/libmount.so.1.'))?.path ?? '';
    mkdirSync(`${root}/opt/vendor/lib`, { recursive: true });
    renameSync(`${root}${library}`, `${root}/opt/vendor/lib/libmount.so.1`);
    rmSync(`${root}${dirname(library)}/libmount.so.1`);
    mkdirSync(`${root}/etc`);
    writeFileSync(`${root}/etc/ld.so.conf`, '\t/opt/vendor/lib\n');

    const closure = closureOf(root, ['/bin/mount']);
    expect(closure.placements).toMatchObject([{ target: '/opt/vendor/lib/libmount.so.1' }]);
    writeImage(closure, `${work}/image`);
    expect(run(`${work}/image`, ['/bin/mount', '--version'])).toMatchObject({ started: true });
    rmSync(`${work}/image${closure.placements[0]?.path}`);
    expect(run(`${work}/image`, ['/bin/mount', '--version'])).toMatchObject({ started: false, status: 127 });
  });
});
