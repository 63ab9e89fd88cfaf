import { describe, expect, test } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import { decodeRecipe } from '../../../src/recipe/decode-recipe.js';

const RPM = `rpm: { release: "9", repositories: [{ name: a, baseurl: ["http://a.test/"], keys: [k] }] }\n`;

function problems(text: string): string[] {
  try {
    decodeRecipe(text, { file: 'r.yaml', hostArchitecture: 'amd64', exists: () => true });
  } catch (error) {
    if (error instanceof MkrootError) return error.details.map((line) => line.trim());
    throw error;
  }
  return [];
}

describe('a recipe of rpm packages', () => {
  test('is decoded with what is left out by default, and without what only Debian has', () => {
    const { recipe } = decodeRecipe(`name: a\ndistribution: almalinux\n${RPM}`, {
      file: 'r.yaml',
      hostArchitecture: 'amd64',
      exists: () => true,
    });
    expect(recipe).toMatchObject({
      distribution: 'almalinux',
      kernels: [{ kind: 'package', package: 'kernel' }],
      rpm: {
        weakDependencies: false,
        documentation: false,
        selinux: 'disabled',
        excludes: [],
        modules: [],
        groups: [],
      },
    });
    expect(recipe).not.toHaveProperty('components');
  });

  test.each([
    [
      'needs its rpm part',
      'name: a\ndistribution: rocky\n',
      'r.yaml:2:15: rpm is missing; distribution "rocky" needs it',
    ],
    [
      'has no suite',
      `name: a\ndistribution: rocky\nsuite: sid\n${RPM}`,
      'r.yaml:3:8: suite is nothing that distribution "rocky" has',
    ],
    [
      'takes no option for a package',
      `name: a\ndistribution: rocky\n${RPM}packages: [--nogpgcheck]\n`,
      'packages[0] "--nogpgcheck" is not a package',
    ],
    [
      'takes no package file, whose contents would be in no key',
      `name: a\ndistribution: rocky\n${RPM}packages: [/root/a.rpm]\n`,
      'packages[0] "/root/a.rpm" is not a package, group or file that dnf can install',
    ],
    [
      'has no module streams for zypper',
      `name: a\ndistribution: opensuse\n${RPM.replace('{ release', '{ modules: ["a:1"], release')}`,
      'r.yaml:3:17: rpm.modules is nothing that distribution "opensuse" has',
    ],
    [
      'excludes nothing from one repository for zypper',
      `name: a\ndistribution: opensuse\n${RPM.replace('keys: [k]', 'keys: [k], excludes: [b]')}`,
      'rpm.repositories[0].excludes is nothing that distribution "opensuse" has',
    ],
    [
      'has keys for each repository',
      `name: a\ndistribution: rocky\nrpm: { release: "9", repositories: [{ name: a, baseurl: ["http://a.test/"] }] }\n`,
      'rpm.repositories[0].keys is missing',
    ],
    [
      'says once where a repository is',
      `name: a\ndistribution: rocky\nrpm: { release: "9", repositories: [{ name: a, keys: [k] }] }\n`,
      'needs one of "baseurl", "metalink" and "mirrorlist"',
    ],
    [
      'names its release in quotes',
      `name: a\ndistribution: rocky\n${RPM.replace('"9"', '9')}`,
      'rpm.release must be a text, not 9',
    ],
    ['is of a known distribution', `name: a\ndistribution: roky\n${RPM}`, 'did you mean "rocky"?'],
  ])('%s', (_, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });

  test('whose key is not there is told so; a key on the web is not looked for', () => {
    const text = `name: a\ndistribution: rocky\n${RPM.replace('[k]', '[k, "https://k.test/key"]')}`;
    try {
      decodeRecipe(text, { file: 'r.yaml', hostArchitecture: 'amd64', exists: () => false });
      expect.unreachable();
    } catch (error) {
      expect((error as MkrootError).details.map((line) => line.trim())).toEqual([
        'r.yaml:3:84: rpm.repositories[0].keys[0] "k" does not exist (relative paths start at the recipe)',
      ]);
    }
  });
});

describe('a recipe of Debian', () => {
  test.each([
    [
      'needs a suite',
      'name: a\ndistribution: debian\n',
      'r.yaml:2:15: suite is missing; distribution "debian" needs it',
    ],
    [
      'has no rpm part',
      `name: a\ndistribution: debian\nsuite: sid\n${RPM}`,
      'rpm is nothing that distribution "debian" has',
    ],
    [
      'has names of Debian packages',
      'name: a\ndistribution: debian\nsuite: sid\npackages: [Foo]\n',
      'r.yaml:4:12: packages[0] "Foo" is not a Debian package name',
    ],
    [
      'has a Debian kernel',
      'name: a\ndistribution: debian\nsuite: sid\nkernel: { package: "K ernel" }\n',
      'kernel.package "K ernel" is not a Debian package name',
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });
});
