import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Site } from '../inventory/load-inventory.js';
import { toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { listRecipes, type RecipeSearch } from '../recipe/load-recipe.js';
import { recipeSearch } from './recipe-search.js';

const PACKAGE_RECIPES = fileURLToPath(new URL('../../recipes', import.meta.url));

/** The site that --site names, and the recipes that its nodes may boot: its own, then those that come with mkroot. */
export function openSite(fs: ReadFileSystem, directory: string): Site & { readonly recipes: RecipeSearch } {
  const search = recipeSearch(fs, directory);
  const absolute = resolve(directory);
  const directories = [join(absolute, 'recipes'), PACKAGE_RECIPES];
  return {
    directory: absolute,
    workingDirectory: search.workingDirectory,
    images: listRecipes(fs, directories).map(({ name }) => name),
    recipes: { ...search, directories },
  };
}

/** What a new site gets a copy of: the recipe of compute nodes, and the schema that editors check it with. */
export function siteSources(fs: ReadFileSystem): Record<string, Uint8Array> {
  return Object.fromEntries(
    ['compute.yaml', 'recipe.schema.json'].map((name) => [
      `recipes/${name}`,
      fs.readFile(toBytePath(join(PACKAGE_RECIPES, name))),
    ]),
  );
}
