import type { BytePath } from '../../ports/byte-path.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { BuildEnvironment } from './build-environment.js';

/** What a package system installs for a recipe. */
export interface RecipePackages {
  /** As the recipe names them, each once: packages first, then those that bring kernels. */
  readonly names: readonly string[];
  /** Package files of the host with kernels of the user's own. */
  readonly files: readonly BytePath[];
}

/** Packages and kernels of a recipe; kernels that are in no package are left out. */
export function recipePackages(
  recipe: Recipe,
  environment: Pick<BuildEnvironment, 'resolve'>,
): RecipePackages {
  const { packages, kernels } = recipe;
  return {
    names: [
      ...new Set([...packages, ...kernels.flatMap((one) => (one.kind === 'package' ? [one.package] : []))]),
    ],
    files: kernels.flatMap((one) => (one.kind === 'file' ? [environment.resolve(one.file)] : [])),
  };
}
