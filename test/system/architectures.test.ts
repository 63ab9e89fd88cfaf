import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sidecar } from '../../src/archive/sidecar.js';
import type { Manifest } from '../../src/images/manifest.js';
import type { InitrdResult } from '../../src/pipelines/initrd/make-initrd.js';
import type { BootReport } from '../../src/vm/boot-report.js';
import { buildState, hostMounts } from '../support/build-state.js';
import { offerImage } from '../support/built-images.js';
import { runningArm64 } from '../support/foreign-programs.js';
import { i386Recipe, LEAST_PACKAGES } from '../support/i386-recipe.js';
import { runMkroot } from '../support/run-mkroot.js';

interface BuildJson {
  readonly root: string;
  readonly directory: string;
}

/** Its libraries are compared with what its own dynamic loader finds. */
const PROGRAM = '/usr/lib/systemd/systemd';

const RECIPES = {
  i386: i386Recipe(),
  arm64: [
    'architecture: arm64',
    'distribution: debian',
    'suite: trixie',
    // Half the size, and unpacking is what takes long where each instruction is translated.
    'kernel: { package: linux-image-cloud-arm64 }',
    LEAST_PACKAGES,
  ].join('\n'),
};

const builds = buildState();
afterAll(() => builds.remove());

async function json<T>(args: readonly string[], wrapper: readonly string[] = []): Promise<T> {
  const run = await runMkroot([...args, '--state', builds.state, '--json'], wrapper);
  if (run.stdout === '') throw new Error(run.stderr);
  return JSON.parse(run.stdout) as T;
}

describe.each([
  { architecture: 'i386', nic: 'e1000', loader: '/lib/ld-linux.so.2', wrapper: [], firmware: true },
  {
    architecture: 'arm64',
    nic: 'virtio_net',
    loader: '/lib/ld-linux-aarch64.so.1',
    wrapper: runningArm64(),
    firmware: false,
  },
] as const)('$architecture', ({ architecture, nic, loader, wrapper, firmware }) => {
  let build: BuildJson;
  let initrd: InitrdResult;
  let sidecar: Sidecar;
  let boot: BootReport;
  let mountsBefore: string[];

  beforeAll(async () => {
    mountsBefore = hostMounts();
    await offerImage(builds.state, architecture, async () => {
      build = await json<BuildJson>(['build', builds.recipe(architecture, RECIPES[architecture])], wrapper);
      // Without the wrapper: programs of arm64 cannot run here.
      initrd = await json<InitrdResult>(['initrd', architecture, '--nic', nic, '--program', PROGRAM]);
    });
    sidecar = JSON.parse(readFileSync(`${initrd.path}.json`, 'utf8')) as Sidecar;
    boot = await json<BootReport>(['qemu-test', architecture, '--timeout', '1500']);
  });

  it('is what the root is made of', () => {
    const manifest = JSON.parse(readFileSync(`${build.directory}/manifest.json`, 'utf8')) as Manifest;
    expect(manifest.architecture).toBe(architecture);
    expect([...new Set(manifest.packages.map((one) => one.architecture))].sort()).toEqual(
      ['all', architecture].sort(),
    );
    expect(hostMounts()).toEqual(mountsBefore);
  });

  it('is what the initrd is made of, with every library that the loader of the root lists', () => {
    expect(initrd.architecture).toBe(architecture);
    const [program = '', ...rest] = [...wrapper, 'chroot', build.root, loader, '--list', PROGRAM];
    const listed = [...execFileSync(program, rest, { encoding: 'latin1' }).matchAll(/ => \/\S*\/(\S+) \(/g)];
    expect(listed.length).toBeGreaterThan(5);
    const names = new Set(sidecar.entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
    expect(listed.map(([, name]) => name!).filter((name) => !names.has(name))).toEqual([]);
  });

  it('has every module in the initrd that modprobe would load for the network card', () => {
    const argv = ['--dirname', build.root, '--set-version', initrd.kernel, '--show-depends', nic];
    const wanted = [...execFileSync('modprobe', argv, { encoding: 'latin1' }).matchAll(/\/([^/\s]+)\.ko/g)];
    expect(wanted.length).toBeGreaterThan(0);
    const present = new Set(sidecar.modules.map((name) => name.replaceAll('-', '_')));
    expect(wanted.map(([, name]) => name!.replaceAll('-', '_')).filter((name) => !present.has(name))).toEqual(
      [],
    );
  });

  it('boots to multi-user without a failed unit and powers off, by its firmware where there is one', () => {
    expect(boot.failure).toBeUndefined();
    expect(boot.result).toBe('pass');
    expect(boot.milestones.map(({ id }) => id).at(-1)).toBe('power-off');
    expect(boot.milestones.some(({ id }) => id === 'tftp-kernel')).toBe(firmware);
    expect(boot.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(boot.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['no-failed-units', 'root-is-overlay', `module-${nic}`]),
    );
  });
});
