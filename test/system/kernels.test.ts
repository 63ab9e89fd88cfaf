import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sidecar } from '../../src/archive/sidecar.js';
import { ExitCode } from '../../src/errors.js';
import type { Manifest } from '../../src/images/manifest.js';
import type { InitrdResult } from '../../src/pipelines/initrd/make-initrd.js';
import { type BuildState, buildState } from '../support/build-state.js';
import { offerImage } from '../support/built-images.js';
import { judgeRoot } from '../support/judge-roots.js';
import { OWN_BUILTINS, OWN_RELEASE, SYSTEM, severalKernels } from '../support/own-kernel.js';
import { mkrootJson, runMkroot } from '../support/run-mkroot.js';

interface BuildJson {
  readonly directory: string;
  readonly root: string;
}

let builds: BuildState;
let built: BuildJson;
let manifest: Manifest;
let initrds: InitrdResult & { readonly further: readonly InitrdResult[] };
/** Release of the kernel that is in no package. */
let release: string;

const state = (...args: string[]) => [...args, '--state', builds.state];
const releases = () => manifest.kernels.map((kernel) => kernel.release);
const sidecarOf = (initrd: string) => JSON.parse(readFileSync(`${initrd}.json`, 'utf8')) as Sidecar;

beforeAll(async () => {
  builds = buildState();
  const several = severalKernels(builds.directory, judgeRoot('trixie'));
  ({ release } = several);
  const recipe = builds.recipe('several', several.recipe);
  await offerImage(builds.state, 'several', async () => {
    built = await mkrootJson<BuildJson>(...state('build', recipe));
    initrds = await mkrootJson(...state('initrd', 'several'));
  });
  manifest = JSON.parse(readFileSync(join(built.directory, 'manifest.json'), 'utf8')) as Manifest;
});

afterAll(() => builds?.remove());

describe('an image with three kernels', () => {
  it('has those of packages and those of trees, with modules that modprobe finds, and no link into a build tree', () => {
    expect(releases()).toEqual([expect.stringContaining('-cloud-amd64'), release, OWN_RELEASE]);
    expect(readlinkSync(join(builds.directory, 'build/modules/lib/modules', release, 'build'))).toContain(
      'builder',
    );
    expect(existsSync(join(built.root, 'usr/lib/modules', release, 'build'))).toBe(false);
    const found = execFileSync(
      'modprobe',
      ['--dirname', built.root, '--set-version', release, '--show-depends', 'e1000'],
      { encoding: 'utf8' },
    );
    expect(found).toContain('/e1000.ko');
    expect(
      execFileSync('stat', ['-c', '%a %U', join(built.root, 'boot', `vmlinuz-${release}`)], {
        encoding: 'utf8',
      }),
    ).toBe('644 root\n');
  });

  it('gets an initrd for each, in one go, and says which drivers one of them lacks', async () => {
    expect([initrds, ...initrds.further].map(({ kernel }) => kernel)).toEqual(releases());
    const place = join(builds.state, 'images/several/initrds', manifest.generation);
    expect([initrds, ...initrds.further].map(({ path }) => path)).toEqual([
      join(place, 'initrd.img'),
      join(place, release, 'initrd.img'),
      join(place, OWN_RELEASE, 'initrd.img'),
    ]);
    const one = await mkrootJson<InitrdResult>(...state('initrd', 'several', '--kernel', release));
    expect(one.path).toBe(join(place, release, 'initrd.img'));
    expect(one.sha256).toBe(initrds.further[0]?.sha256);
  });

  it('with NFS, overlayfs and drivers built in needs no module, and with them as modules needs each', () => {
    const [, ownInitrd] = initrds.further;
    expect(ownInitrd?.modules).toEqual([]);
    const builtins = OWN_BUILTINS.map((path) => path.replace(/.*\/(\w+)\.ko\n/, '$1'));
    expect([...(ownInitrd?.builtins ?? [])].sort()).toEqual(builtins.sort());
    expect(
      sidecarOf(ownInitrd!.path)
        .entries.map(({ path }) => path)
        .join(),
    ).not.toMatch(/\.ko\b/);
    expect(initrds.further[0]?.modules).toEqual(expect.arrayContaining(['nfs', 'nfsv3', 'overlay', 'e1000']));
  });
});

describe('nodes with kernels and drivers of their own', () => {
  /** Not in any initrd of the image: one with dependencies, one of another subsystem. */
  const DRIVERS = ['mlx4_en', 'nvme_tcp'];
  const site = () => join(builds.directory, 'site');
  const tftp = (path: string) => join(builds.state, 'netboot/tftp', path);
  const publish = () => runMkroot(['publish', '--site', site(), ...state()]);
  const inventory = (special: string) =>
    writeFileSync(
      join(site(), 'nodes.yaml'),
      `cluster: { image: several, servers: { head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] } } }
networks: { internal: { subnet: 10.1.0.0/16 } }
groups:
  plain: {}
  older: { kernel: '${release}' }
  special: { ${special} }
nodes:
  a: { group: plain, ip: 10.1.1.1, mac: '52:54:00:00:00:01' }
  b: { group: older, ip: 10.1.1.2, mac: '52:54:00:00:00:02' }
  c: { group: special, ip: 10.1.1.3, mac: '52:54:00:00:00:03' }
`,
    );
  /** Kernel and initrd in the boot file of a node, and where the links lead. */
  const bootOf = (number: number) => {
    const text = readFileSync(tftp(`pxelinux.cfg/01-52-54-00-00-00-0${number}`), 'utf8');
    const [, kernel = ''] = /^ *KERNEL (\S+)$/m.exec(text) ?? [];
    const [, initrd = ''] = /^ *INITRD (\S+)$/m.exec(text) ?? [];
    return { kernel: readlinkSync(tftp(kernel)), initrd: readlinkSync(tftp(initrd)) };
  };
  const modulesBelow = (directory: string, driver: string) => {
    const output = execFileSync(
      'modprobe',
      ['--dirname', directory, '--set-version', release, '--show-depends', driver],
      { encoding: 'utf8' },
    );
    return [...output.matchAll(/^insmod \S*\/([^/\s.]+)\.ko/gm)].map(([, name = '']) =>
      name.replaceAll('-', '_'),
    );
  };

  /** modprobe reads binary indexes only; what mkroot writes is for busybox, which reads text. */
  const unpack = async (initrd: string, directory: string) => {
    await mkrootJson('inspect', initrd, '--extract', directory);
    execFileSync('depmod', ['-b', directory, release]);
  };

  beforeAll(async () => {
    mkdirSync(join(site(), 'recipes'), { recursive: true });
    symlinkSync(join(builds.directory, 'several.yaml'), join(site(), 'recipes/several.yaml'));
    inventory(`kernel: '${release.replace(/-.*/, '')}-amd64', drivers: [${DRIVERS.join(', ')}, virtio_net]`);
    const { exitCode, stderr } = await publish();
    expect(exitCode, stderr).toBe(0);
  });

  it('are told the kernel and the initrd that the inventory gives them', () => {
    expect(bootOf(1).kernel).toBe(join(built.directory, 'vmlinuz'));
    expect(bootOf(1).initrd).toBe(initrds.path);
    expect(bootOf(2)).toEqual({
      kernel: join(built.root, 'boot', `vmlinuz-${release}`),
      initrd: initrds.further[0]?.path,
    });
    expect(bootOf(3).kernel).toBe(bootOf(2).kernel);
    expect(bootOf(3).initrd).toMatch(/\/initrd-[0-9a-f]{16}\.img$/);
  });

  it('have every module in their initrd that modprobe needs for the drivers', async () => {
    const directory = join(builds.directory, 'unpacked');
    await unpack(bootOf(3).initrd, directory);
    for (const driver of [...DRIVERS, 'virtio_net', 'e1000', 'nfs', 'overlay']) {
      const wanted = modulesBelow(built.root, driver);
      expect(wanted.length).toBeGreaterThan(0);
      expect([driver, modulesBelow(directory, driver)]).toEqual([driver, wanted]);
      const listed = execFileSync('find', [directory, '-name', '*.ko', '-printf', '%f\n'], {
        encoding: 'utf8',
      });
      const present = new Set(listed.split('\n').map((name) => name.replace('.ko', '').replaceAll('-', '_')));
      expect(wanted.filter((name) => !present.has(name))).toEqual([]);
    }
    const settings = readFileSync(join(directory, 'etc/mkroot/initrd.conf'), 'utf8');
    expect(settings).toMatch(new RegExp(`^MKROOT_MODULES='af_packet .*${DRIVERS.join(' ')}'$`, 'm'));
    const base = join(builds.directory, 'base');
    await unpack(bootOf(2).initrd, base);
    expect(modulesBelow(base, 'nfs')).toEqual(modulesBelow(directory, 'nfs'));
    expect(() => modulesBelow(base, 'nvme_tcp')).toThrow(/not found/);
    rmSync(directory, { recursive: true });
  });

  it('can be asked why a driver needs no file', async () => {
    const [, own] = initrds.further;
    const { exitCode, stderr } = await runMkroot(['why', own!.path, 'nfs.ko']);
    expect(exitCode).toBe(ExitCode.NotFound);
    expect(stderr).toContain(`it is built into kernel ${OWN_RELEASE}`);
  });

  it('can be asked why: `mkroot why` names the line of thought to nodes.yaml, `nodes show` the place', async () => {
    const why = await runMkroot(['why', bootOf(3).initrd, 'mlx4_core.ko']);
    expect(why.stdout, why.stderr).toContain('drivers of nodes.yaml: mlx4_en');
    const { stdout } = await runMkroot(['nodes', 'show', 'b', '--site', site()]);
    expect(stdout).toMatch(
      new RegExp(`kernel +${release.replaceAll(/[.+]/g, '\\$&')} +group older \\(\\S*nodes\\.yaml:5:`),
    );
  });

  it('and a kernel that no generation has are refused, with those that it has; nodes boot as before', async () => {
    const before = bootOf(3);
    inventory("kernel: '4.19.*'");
    const { exitCode, stderr } = await publish();
    expect(exitCode).toBe(ExitCode.NotFound);
    expect(stderr).toContain(`has no such kernel, it has ${releases().join(', ')}`);
    expect(stderr).toContain('is set for c');
    expect(bootOf(3)).toEqual(before);
  });
});

describe('a self-built kernel that cannot be', () => {
  const refused = async (kernel: string) => {
    const recipe = builds.recipe('several', `${SYSTEM}kernel: ${kernel}\n`);
    const { exitCode, stderr } = await runMkroot(state('build', recipe));
    expect(exitCode, stderr).toBe(ExitCode.InvalidInput);
    return stderr;
  };

  it('with modules of another build is refused with both releases', async () => {
    expect(await refused('{ image: own/arch/x86/boot/bzImage, modules: build/modules }')).toContain(
      `it is a kernel ${OWN_RELEASE}, and the modules are for ${release}`,
    );
  });

  it('whose image no boot loader can start is refused with the name of the right one', async () => {
    writeFileSync(
      join(builds.directory, 'vmlinux'),
      Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(9000)]),
    );
    const stderr = await refused('{ image: vmlinux, modules: build/modules }');
    expect(stderr).toContain('it is no Linux kernel that a boot loader of a PC can start');
    expect(stderr).toContain('bzImage');
  });

  it('that a recipe names wrongly is refused by file and line', async () => {
    const stderr = await refused('[{ image: nothing, modules: build/modules }, { file: none.deb }]');
    expect(stderr).toMatch(/several\.yaml:7:\d+: kernel\[0\]\.image "nothing" does not exist/);
    expect(stderr).toMatch(/several\.yaml:7:\d+: kernel\[1\]\.file "none\.deb" does not exist/);
  });
});
