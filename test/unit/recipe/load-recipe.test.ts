import { describe, expect, test } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { listRecipes, loadRecipe, recipePath } from '../../../src/recipe/load-recipe.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const RECIPE = 'name: compute\ndistribution: debian\nsuite: trixie\noverlays: [skel]\n';
const fs = memoryFileSystem({
  '/work/recipes/compute.yaml': RECIPE,
  '/work/recipes/skel': null,
  '/work/recipes/README.md': 'no recipe',
  '/pkg/recipes/compute.yaml': 'name: hidden\n',
  '/pkg/recipes/minimal.yml': RECIPE.replace('compute', 'minimal').replace('overlays: [skel]\n', ''),
  '/work/other.yaml': RECIPE.replace('overlays: [skel]\n', ''),
  '/work/broken.yaml': new Uint8Array([0x6e, 0xff, 0xfe]),
});
const search = {
  workingDirectory: '/work',
  directories: ['/work/recipes', '/none', '/pkg/recipes'],
  hostArchitecture: 'amd64',
} as const;

function failure(name: string): MkrootError {
  try {
    loadRecipe(fs, name, search);
  } catch (error) {
    if (error instanceof MkrootError) return error;
    throw error;
  }
  throw new Error('no failure');
}

describe('loadRecipe', () => {
  test('a name is looked up here first, then in the package', () => {
    expect(loadRecipe(fs, 'compute', search).file).toBe('/work/recipes/compute.yaml');
    expect(loadRecipe(fs, 'minimal', search).file).toBe('/pkg/recipes/minimal.yml');
  });

  test('a path is taken as it is, relative to the current directory', () => {
    const loaded = loadRecipe(fs, 'recipes/compute.yaml', search);
    expect(loaded.file).toBe('/work/recipes/compute.yaml');
    expect(loaded.positions.get('suite')?.file).toBe('recipes/compute.yaml');
  });

  test('paths in a recipe start at its directory', () => {
    const loaded = loadRecipe(fs, 'compute', search);
    expect(recipePath(loaded, 'skel')).toBe('/work/recipes/skel');
    expect(recipePath(loaded, '/etc/key')).toBe('/etc/key');
  });

  test('an unknown name gets the nearest one and the list', () => {
    const error = failure('compte');
    expect(error.exitCode).toBe(ExitCode.NotFound);
    expect(error.message).toBe(
      'Cannot find recipe "compte": there is none of that name; did you mean "compute"?',
    );
    expect(error.details[0]).toBe('Recipes: compute, minimal');
  });

  test('a file that is not called like its recipe is refused: later commands would not find the image', () => {
    const { message, details, hint } = failure('./other.yaml');
    expect(message).toBe('Cannot use recipe "other.yaml": its name and the name of its file differ');
    expect(details).toEqual(['  other.yaml:1:7: name "compute", file "other.yaml"']);
    expect(hint).toBe('Write name: other, or rename the file to compute.yaml.');
  });

  test('a missing file and a file that is no text are refused by name', () => {
    expect(failure('./nope.yaml').message).toContain('there is no such file');
    expect(failure('broken.yaml').message).toContain('it is not UTF-8 text');
  });
});

test('listRecipes leaves out other files and missing directories', () => {
  expect(listRecipes(fs, search.directories)).toEqual([
    { name: 'compute', file: '/work/recipes/compute.yaml' },
    { name: 'minimal', file: '/pkg/recipes/minimal.yml' },
  ]);
});

test('listRecipes says which file of a directory counts for nothing, because another one has its name', () => {
  const both = memoryFileSystem({
    '/work/recipes/compute.yaml': RECIPE,
    '/work/recipes/compute.yml': RECIPE,
    '/pkg/recipes/compute.yml': RECIPE,
  });
  expect(listRecipes(both, search.directories)).toEqual([
    { name: 'compute', file: '/work/recipes/compute.yaml', passedOver: '/work/recipes/compute.yml' },
  ]);
});
