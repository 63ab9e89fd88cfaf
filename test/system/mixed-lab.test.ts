import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/images/manifest.js';
import type { BootReport } from '../../src/vm/boot-report.js';
import type { ClusterReport, NodeTestReport } from '../../src/vm/cluster-report.js';
import { buildState, hostMounts } from '../support/build-state.js';
import { takeImage } from '../support/built-images.js';
import { i386Recipe } from '../support/i386-recipe.js';
import { judgeRoot } from '../support/judge-roots.js';
import { severalKernels } from '../support/own-kernel.js';
import { type SystemRepository, systemRepository } from '../support/rpm/system-repository.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

/** Nothing in these virtual machines asks for them. */
const DRIVERS = ['dummy', 'nvme_tcp'];

const builds = buildState();
const site = mkdtempSync('/var/tmp/mkroot-test-mixed-site-');
const state = (...args: string[]) => [...args, '--state', builds.state];
let mountsBefore: string[];
let report: ClusterReport;

/** Takes an image of another test file of this run, or builds it: the test stands alone, too. */
async function image(
  name: string,
  nics: readonly string[],
  recipe: () => string | Promise<string>,
): Promise<void> {
  await takeImage(builds.state, name, async () => {
    await mkrootJson(...state('build', builds.recipe(name, await recipe())));
    await mkrootJson(...state('initrd', name, ...nics.flatMap((nic) => ['--nic', nic])));
  });
}

/** Release of the kernel that was built by hand, as far as the image knows. */
function treeKernel(): string {
  const generations = join(builds.state, 'images/several/generations');
  const [id = ''] = readdirSync(generations);
  const { kernels } = JSON.parse(readFileSync(join(generations, id, 'manifest.json'), 'utf8')) as Manifest;
  return kernels[1]?.release ?? '';
}

/** Fails on a node that runs another kernel, or whose initrd did not load the drivers of its group. */
function driversUnit(release: string): string {
  const conditions = [
    `test "$(uname -r)" = ${release}`,
    ...DRIVERS.map((name) => `grep -q "^${name} " /proc/modules`),
  ];
  return `[Unit]
Description=Kernel and drivers of the group
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '${conditions.join(' && ').replaceAll('$', '$$$$')}'
`;
}

beforeAll(async () => {
  mountsBefore = hostMounts();
  let repository: SystemRepository | undefined;
  await image('rpm-node', ['tg3'], async () => {
    repository = await systemRepository(builds.directory);
    return repository.recipe.replace(/^name:.*\n/, '');
  });
  await repository?.close();
  await image('i386', ['e1000'], i386Recipe);
  await image('several', [], () => severalKernels(builds.directory, judgeRoot('trixie')).recipe);
  mkdirSync(join(site, 'recipes'));
  for (const name of ['rpm-node', 'i386', 'several']) {
    // Only names are looked for: the images are built.
    writeFileSync(join(site, 'recipes', `${name}.yaml`), `name: ${name}\n`);
  }
  mkdirSync(join(site, 'overlays/cluster/etc'), { recursive: true });
  writeFileSync(join(site, 'overlays/cluster/etc/motd'), 'one cluster\n');
  const units = join(site, 'overlays/drivers/etc/systemd/system');
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  writeFileSync(join(units, 'drivers.service'), driversUnit(treeKernel()));
  symlinkSync('../drivers.service', join(units, 'multi-user.target.wants/drivers.service'));
  writeFileSync(
    join(site, 'nodes.yaml'),
    `cluster:
  overlays: [cluster]
  firmware: bios
  # Three emulated machines at once may be slow; that is no failure of a unit.
  kernelArguments: [systemd.default_timeout_start_sec=900]
  servers: { head: { address: 10.55.0.1, roles: [dhcp, tftp, http, nfs] } }
networks: { internal: { subnet: 10.55.0.0/24 } }
groups:
  rpm: { image: rpm-node }
  old: { image: i386, architecture: i386 }
  deb: { image: several, overlays: [drivers], kernel: '${treeKernel()}', drivers: [${DRIVERS.join(', ')}] }
nodes:
  r1: { group: rpm, ip: 10.55.0.11, mac: '52:54:00:55:00:11' }
  o1: { group: old, ip: 10.55.0.12, mac: '52:54:00:55:00:12' }
  d1: { group: deb, ip: 10.55.0.13, mac: '52:54:00:55:00:13' }
`,
  );
  const published = await runMkroot(state('publish', '--site', site, '--interface', 'br0'));
  if (published.exitCode !== 0) throw new Error(published.stderr);
  const run = await runMkroot(
    state(
      'qemu-test',
      '--nodes',
      '3',
      '--site',
      site,
      '--timeout',
      '1500',
      '--json',
      '--report',
      join(site, 'report'),
    ),
  );
  if (run.stdout === '') throw new Error(run.stderr);
  report = JSON.parse(run.stdout) as ClusterReport;
});

afterAll(() => {
  builds.remove();
  rmSync(site, { recursive: true, force: true });
});

const node = (name: string) => report.nodes.find((one) => one.node === name) as NodeTestReport;
const bootOf = (name: string) => node(name).boots[0] as BootReport;

describe('one inventory, published once, in one lab', () => {
  it.each([
    ['r1', 'rpm-node', 'rpm packages by dnf, x86-64'],
    ['o1', 'i386', 'Debian for i386'],
    ['d1', 'several', 'Debian for x86-64'],
  ])('boots %s (%s: %s) to multi-user without a failed unit, and to power-off', (name, image) => {
    const boot = bootOf(name);
    expect(boot.failure).toBeUndefined();
    expect(node(name).result).toBe('pass');
    expect(boot.image).toContain(`${image} `);
    expect(boot.milestones.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['tftp-loader', 'kernel', 'multi-user']),
    );
    expect(boot.milestones.at(-1)?.id).toBe('power-off');
    expect(boot.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(boot.checks.map(({ name: check }) => check)).toEqual(
      expect.arrayContaining(['no-failed-units', 'root-is-overlay']),
    );
  });

  it('boots the kernel that was built by hand where the inventory says so, from an initrd with the drivers of that group', () => {
    const started = bootOf('d1').milestones.find(({ id }) => id === 'init-10-start');
    expect(started?.detail).toContain(`kernel ${treeKernel()}`);
    expect(readFileSync(join(builds.state, 'netboot/tftp/ipxe/01-52-54-00-55-00-13.ipxe'), 'utf8')).toMatch(
      /images\/several\/\S+\/initrd-[0-9a-f]{16}\.img/,
    );
  });

  it('had all three at once, and left no mount behind', () => {
    expect(report.result).toBe('pass');
    expect(report.nodes.map(({ node: name }) => name).sort()).toEqual(['d1', 'o1', 'r1']);
    expect(hostMounts()).toEqual(mountsBefore);
  });
});
