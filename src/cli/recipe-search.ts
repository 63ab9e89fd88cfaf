import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { architectureOfHost } from '../recipe/debian-architecture.js';
import type { RecipeSearch } from '../recipe/load-recipe.js';

/** Where the commands look for recipes: ./recipes of the current directory first, then the ones that come with mkroot. */
export function recipeSearch(): RecipeSearch {
  const workingDirectory = process.cwd();
  return {
    workingDirectory,
    directories: [
      ...new Set([
        join(workingDirectory, 'recipes'),
        fileURLToPath(new URL('../../recipes', import.meta.url)),
      ]),
    ],
    hostArchitecture: architectureOfHost(process.arch),
  };
}
