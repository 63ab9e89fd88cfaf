import { describe, expect, it } from 'vitest';
import { decodeRecipe } from '../../../../src/recipe/decode-recipe.js';
import type { RpmRecipe } from '../../../../src/recipe/recipe.js';
import {
  zyppConfiguration,
  zypperActivity,
  zypperArgvs,
  zypperBackend,
  zypperHint,
  zypperRepositories,
} from '../../../../src/stages/root/zypper-backend.js';

const TEXT = `name: node
distribution: opensuse
architecture: arm64
rpm:
  release: "15.6"
  repositories:
    - { name: oss, baseurl: ["http://a.test/x", "http://b.test/x"], keys: [k.asc] }
    - { name: more, mirrorlist: "http://m.test/", keys: ["https://k.test/key"], priority: 10 }
  groups: [minimal_base]
  excludes: [plymouth]
packages: [systemd, bash=5.1-3, /usr/bin/ip]
`;

function decode(text: string): RpmRecipe {
  const { recipe } = decodeRecipe(text, { file: 'r.yaml', hostArchitecture: 'amd64', exists: () => true });
  if (!('rpm' in recipe)) throw new Error('not a recipe of rpm packages');
  return recipe;
}

const recipe = decode(TEXT);
const paths = { root: '/s/tree', configuration: '/s/conf', cache: '/s/cache' };

describe('the argvs of zypper', () => {
  const packages = { names: ['systemd', 'kernel-default'], files: [] };

  it('fetch indexes, then install packages, patterns and what is left out at once', () => {
    const [refresh, install] = zypperArgvs(recipe, packages, paths);
    const common = [
      'zypper',
      '--non-interactive',
      '--config=/s/conf/zypper.conf',
      '--root=/s/tree',
      '--reposd-dir=/s/conf/repos',
      '--cache-dir=/s/cache/metadata',
      '--pkg-cache-dir=/s/cache/packages',
      '--releasever=15.6',
    ];
    expect(refresh).toEqual([...common, 'refresh']);
    expect(install).toEqual([
      ...common,
      'install',
      '--auto-agree-with-licenses',
      '--download-in-advance',
      '--no-recommends',
      '--',
      'systemd',
      'kernel-default',
      'pattern:minimal_base',
      '!plymouth',
    ]);
  });

  it('take a package file of the recipe unsigned, and nothing else', () => {
    const install = (files: string[]) => zypperArgvs(recipe, { names: ['a'], files }, paths).at(-1);
    expect(install(['/r/own.rpm'])).toEqual(expect.arrayContaining(['--allow-unsigned-rpm', '/r/own.rpm']));
    expect(install([])).not.toContain('--allow-unsigned-rpm');
  });
});

describe('the configuration of zypper', () => {
  it('checks the signature of every package and keeps what it downloads', () => {
    expect(zypperRepositories(recipe)).toBe(
      [
        '[oss]\nname=oss\nbaseurl=http://a.test/x\n        http://b.test/x\nenabled=1\nautorefresh=1\ntype=rpm-md\nrepo_gpgcheck=0\npkg_gpgcheck=1\nkeeppackages=1\n',
        '[more]\nname=more\nmirrorlist=http://m.test/\nenabled=1\nautorefresh=1\ntype=rpm-md\nrepo_gpgcheck=0\npkg_gpgcheck=1\nkeeppackages=1\npriority=10\n',
      ].join('\n'),
    );
  });

  it('has the architecture of the recipe, and no recommendations and documentation unless they are wanted', () => {
    expect(zyppConfiguration(recipe)).toBe(
      '[main]\narch = aarch64\nsolver.onlyRequires = true\nrpm.install.excludedocs = yes\n',
    );
    const generous = decode(
      TEXT.replace('  groups:', '  weakDependencies: true\n  documentation: true\n  groups:'),
    );
    expect(zyppConfiguration(generous)).toContain('onlyRequires = false\nrpm.install.excludedocs = no');
  });
});

describe('the backend', () => {
  it('is for openSUSE, whose kernel is kernel-default', () => {
    expect(zypperBackend(recipe)).toBeDefined();
    expect(
      zypperBackend(decode(TEXT.replace('opensuse', 'rocky').replace('bash=5.1-3, ', ''))),
    ).toBeUndefined();
    expect(recipe.kernels).toEqual([{ kind: 'package', package: 'kernel-default' }]);
  });
});

describe('the output of zypper', () => {
  it.each([
    [
      '(84/86) Installing: dbus-1.14.10-1~deb12u1.x86_64 [......done]',
      'installing dbus-1.14.10-1~deb12u1.x86_64 (84/86)',
    ],
    [
      'Retrieving package libc6-2.36-9.x86_64 (9/86),   4.2 MiB ( 12.0 MiB unpacked)',
      'downloading libc6-2.36-9.x86_64 (9/86)',
    ],
    ['Resolving package dependencies...', undefined],
  ])('%s is %s', (line, activity) => {
    expect(zypperActivity(line)).toBe(activity);
  });

  it.each([
    ['dbus-1 (test): Signature verification failed [4-Signatures public key is not available]', /which key/],
    ['Download (curl) error for http://127.0.0.1:1/repodata/repomd.xml:', /out of reach/],
    ['Problem: nothing provides libx needed by a-1-1.noarch', /Leave one of the packages out/],
    ["No provider of 'nopkg' found.", /Check names/],
    ['something else', undefined],
  ])('%s has a hint', (line, hint) => {
    if (hint === undefined) expect(zypperHint([line])).toBeUndefined();
    else expect(zypperHint(['before', line])).toMatch(hint);
  });
});
