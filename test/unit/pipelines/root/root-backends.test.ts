import { describe, expect, it } from 'vitest';
import { planRoot } from '../../../../src/pipelines/root/build-root.js';
import { BACKENDS, backendOf } from '../../../../src/pipelines/root/root-backends.js';
import { decodeRecipe } from '../../../../src/recipe/decode-recipe.js';
import { PACKAGE_SYSTEMS } from '../../../../src/recipe/package-systems.js';
import { recipeSchema } from '../../../../src/recipe/recipe.js';
import type { RootBackend } from '../../../../src/stages/root/root-backend.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

const DISTRIBUTIONS = recipeSchema.shape.distribution.options;

/** A recipe with something of everything. */
function recipe(distribution: string) {
  const own =
    distribution === 'debian'
      ? 'suite: sid'
      : 'rpm: { release: "9", repositories: [{ name: a, baseurl: ["http://a.test/"], keys: [k] }] }';
  const text = `name: node
distribution: ${distribution}
${own}
architecture: amd64
kernel: [{}, { image: bzImage, modules: mods }]
users: [{ name: ada }]
files: [{ content: x, destination: /etc/x }]
commands: ['true']
`;
  return decodeRecipe(text, { file: 'node.yaml', hostArchitecture: 'amd64', exists: () => true });
}

async function stagesOf(distribution: string): Promise<string[]> {
  const fs = memoryFileSystem({ '/r/k': 'key', '/r/bzImage': 'kernel', '/r/mods/lib/modules/1/a': '' });
  const tools = ['mmdebstrap', 'apt-get', 'dpkg', 'dnf', 'zypper', 'rpm'];
  const runner = new ScriptedRunner(
    Object.fromEntries(
      tools.flatMap((name) => [name, `/usr/bin/${name}`]).map((name) => [name, { stdout: '1.0\n' }]),
    ),
  );
  const clock = { now: () => new Date(0), monotonicMs: () => 0, sleep: async () => {} };
  const plan = await planRoot(
    { fs, runner, clock, progress: new SilentProgress() },
    {
      recipe: { ...recipe(distribution), file: '/r/node.yaml', directory: '/r' },
      ...{ state: '/state', hostArchitecture: 'amd64', mkroot: '0', pid: 1, command: 'test' },
    },
  );
  return plan.map(({ stage }) => stage);
}

describe('the table of backends', () => {
  it('has exactly one for every distribution that a recipe may name', () => {
    for (const distribution of DISTRIBUTIONS) {
      const found = Object.entries(BACKENDS).filter(
        ([, backendFor]) => backendFor(recipe(distribution).recipe) !== undefined,
      );
      expect([distribution, found.length]).toEqual([distribution, 1]);
    }
    expect(
      Object.values(PACKAGE_SYSTEMS)
        .flatMap(({ distributions }) => distributions)
        .sort(),
    ).toEqual([...DISTRIBUTIONS].sort());
  });

  it('finds one that is added', () => {
    const toy: RootBackend = { stages: () => [], installed: () => [] };
    const table = { ...BACKENDS, toy: () => toy };
    expect(backendOf(recipe('debian').recipe, table)).not.toBe(toy);
    expect(backendOf(recipe('debian').recipe, { toy: () => toy })).toBe(toy);
    expect(() => backendOf(recipe('debian').recipe, {})).toThrow('no backend makes roots of debian');
  });
});

describe('what a build does', () => {
  it.each([
    ['debian', ['bootstrap-debian', 'install-packages']],
    ['rocky', ['bootstrap-rpm']],
    ['opensuse', ['bootstrap-rpm']],
  ])(
    'for %s begins with the stages of its backend, and goes on as for all others',
    async (distribution, own) => {
      expect(await stagesOf(distribution)).toEqual([
        ...own,
        'add-kernels',
        'configure-system',
        'create-users',
        'add-files',
        'run-commands',
        'seal-root',
      ]);
    },
  );
});
