import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { DiskFileSystem } from '../../../../src/host/disk-file-system.js';
import { toBytePath } from '../../../../src/ports/byte-path.js';
import { decodeRecipe } from '../../../../src/recipe/decode-recipe.js';
import { loadRecipe } from '../../../../src/recipe/load-recipe.js';
import type { RpmRecipe } from '../../../../src/recipe/recipe.js';
import {
  type DnfProgram,
  dnfArgvs,
  dnfConfiguration,
  findDnf,
  repositoryFile,
  requireDnf,
} from '../../../../src/stages/root/dnf.js';
import { usualRpmDatabase } from '../../../../src/stages/root/rpm-database.js';
import { rpmMacros } from '../../../../src/stages/root/rpm-macros.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

const TEXT = `name: node
distribution: rocky
architecture: arm64
rpm:
  release: "9"
  repositories:
    - { name: base, metalink: "https://m.test/?r=$releasever", keys: [k e.asc, "https://k.test/key"], priority: 10 }
    - { name: more, baseurl: ["http://a.test/x", "http://b.test/x"], keys: [k.asc], excludes: [kernel*] }
  modules: ["nodejs:20"]
  groups: [core]
  excludes: [plymouth, "*-firmware"]
packages: [systemd, bash-5.1.8-9.el9, /usr/bin/ip]
`;
const recipe = decode(TEXT);
const paths = { installRoot: '/s/tree', configuration: '/s/conf', cache: '/s/cache' };
const resolve = (path: string) => toBytePath(`/recipes/${path}`);

function decode(text: string): RpmRecipe {
  const decoded = decodeRecipe(text, {
    file: 'r.yaml',
    hostArchitecture: 'amd64',
    exists: () => true,
  }).recipe;
  if (decoded.distribution === 'debian') throw new Error('not a recipe of rpm packages');
  return decoded;
}

describe('the argv of dnf', () => {
  it('installs packages, kernel and groups in one transaction, after the module streams', () => {
    const [modules, install] = dnfArgvs(recipe, [...recipe.packages, 'kernel', '/h/own.rpm'], 'dnf', paths);
    expect(modules!.slice(-3)).toEqual(['module', 'enable', 'nodejs:20']);
    expect(install).toEqual([
      'dnf',
      '--assumeyes',
      '--refresh',
      '--installroot=/s/tree',
      '--releasever=9',
      '--config=/s/conf/dnf.conf',
      '--setopt=reposdir=/s/conf/repos',
      '--setopt=varsdir=/s/conf/vars',
      '--forcearch=aarch64',
      '--setopt=cachedir=/s/cache',
      'install',
      'systemd',
      'bash-5.1.8-9.el9',
      '/usr/bin/ip',
      'kernel',
      '/h/own.rpm',
      '@core',
    ]);
  });

  it('tells dnf 5 about its cache by the name that it uses when it runs as root', () => {
    expect(dnfArgvs(recipe, ['kernel'], 'dnf5', paths).at(-1)).toContain('--setopt=system_cachedir=/s/cache');
  });
});

describe('the configuration of dnf', () => {
  it('checks signatures, keeps downloads, and leaves out plugins, weak dependencies and documentation', () => {
    expect(dnfConfiguration(recipe)).toBe(
      '[main]\ngpgcheck=1\nlocalpkg_gpgcheck=1\nkeepcache=1\nplugins=0\ninstall_weak_deps=0\ntsflags=nodocs\nexcludepkgs=plymouth *-firmware\n',
    );
    const generous = decode(
      TEXT.replace('  groups:', '  weakDependencies: true\n  documentation: true\n  groups:'),
    );
    expect(dnfConfiguration(generous)).toContain('install_weak_deps=1');
    expect(dnfConfiguration(generous)).not.toContain('nodocs');
  });

  it('takes a package file of the recipe unsigned: it is known by its digest', () => {
    const own = decode(`${TEXT}kernel: { file: own.rpm }\n`);
    expect(dnfConfiguration(own)).toContain('\ngpgcheck=1\nlocalpkg_gpgcheck=0\n');
  });

  it('has the repositories of the recipe with their keys as URLs', () => {
    expect(repositoryFile(recipe, resolve)).toBe(
      [
        '[base]\nname=base\nmetalink=https://m.test/?r=$releasever\ngpgkey=file:///recipes/k%20e.asc https://k.test/key\nenabled=1\npriority=10\n',
        '[more]\nname=more\nbaseurl=http://a.test/x http://b.test/x\ngpgkey=file:///recipes/k.asc\nenabled=1\nexcludepkgs=kernel*\n',
      ].join('\n'),
    );
  });

  it('tells rpm where the database belongs, and to keep off the mounts of the build', () => {
    expect(rpmMacros('/var/lib/rpm')).toMatch(
      /^%_dbpath \/var\/lib\/rpm\n%_netsharedpath \/proc:\/sys:\/dev\n/,
    );
  });
});

describe('the usual place of the rpm database', () => {
  it.each([
    ['rocky', '9', '/var/lib/rpm'],
    ['rhel-like', '8.10', '/var/lib/rpm'],
    ['almalinux', '10', '/usr/lib/sysimage/rpm'],
    ['fedora', '42', '/usr/lib/sysimage/rpm'],
    ['fedora', 'rawhide', '/usr/lib/sysimage/rpm'],
  ])('of %s %s is %s', (distribution, release, place) => {
    const text = TEXT.replace('rocky', distribution).replace('release: "9"', `release: "${release}"`);
    expect(usualRpmDatabase(decode(text))).toBe(place);
  });
});

describe('the program', () => {
  it.each([
    [['yum', 'dnf', 'dnf5'], 'dnf5'],
    [['yum', 'dnf'], 'dnf'],
    [['yum'], 'yum'],
    [[], undefined],
  ])('of %j is %s', (installed, program) => {
    const script = Object.fromEntries(installed.map((name) => [name, {}]));
    expect(findDnf(new ScriptedRunner(script))).toBe(program);
  });

  it.each<[DnfProgram | undefined, string]>([
    [undefined, 'Cannot run "dnf": it is not installed'],
    ['dnf', 'Cannot run "rpm": it is not installed'],
  ])('%s without rpm is refused with what to install', (program, message) => {
    expect(() => requireDnf(new ScriptedRunner({ dnf: {} }), program)).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.MissingTool,
        message: expect.stringContaining(message),
        hint: expect.stringContaining('apt install dnf rpm'),
      }),
    );
  });
});

describe('recipes of rpm distributions that come with mkroot', () => {
  const directory = new URL('../../../../recipes', import.meta.url).pathname;
  const load = (name: string) => {
    const { recipe: loaded } = loadRecipe(new DiskFileSystem(), name, {
      workingDirectory: directory,
      directories: [directory],
      hostArchitecture: 'amd64',
    });
    if (loaded.distribution === 'debian') throw new Error('not a recipe of rpm packages');
    return loaded;
  };

  it.each([
    ['rocky9', '9', ['baseos', 'appstream']],
    ['almalinux10', '10', ['baseos', 'appstream']],
    ['fedora', '44', ['fedora', 'updates']],
  ])('%s asks dnf for release %s from its own repositories', (name, release, repositories) => {
    const loaded = load(name);
    const argv = dnfArgvs(loaded, loaded.packages, 'dnf', paths).at(-1)!;
    expect(argv).toEqual(
      expect.arrayContaining([`--releasever=${release}`, '--forcearch=x86_64', 'install', 'systemd']),
    );
    expect(loaded.rpm.repositories.map((one) => one.name)).toEqual(repositories);
    const file = repositoryFile(loaded, resolve);
    for (const { keys } of loaded.rpm.repositories) expect(keys.join(' ')).toMatch(/^https:\/\/\S+$/);
    expect(file).not.toContain('baseurl');
  });

  it('the kernel is their package of that name, with the modules that drive network cards', () => {
    expect(load('rocky9').kernels).toEqual([{ kind: 'package', package: 'kernel' }]);
  });
});
