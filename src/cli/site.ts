import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Site } from '../inventory/load-inventory.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { listRecipes, type RecipeSearch } from '../recipe/load-recipe.js';
import { recipeSearch } from './recipe-search.js';

/** The site that --site names, and the recipes that its nodes may boot: its own, then those that come with mkroot. */
export function openSite(fs: ReadFileSystem, directory: string): Site & { readonly recipes: RecipeSearch } {
  const search = recipeSearch();
  const absolute = resolve(directory);
  const directories = [join(absolute, 'recipes'), fileURLToPath(new URL('../../recipes', import.meta.url))];
  return {
    directory: absolute,
    workingDirectory: search.workingDirectory,
    images: listRecipes(fs, directories).map(({ name }) => name),
    recipes: { ...search, directories },
  };
}
