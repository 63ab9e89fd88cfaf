import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { recipeSearch } from '../../cli/recipe-search.js';
import type { Recipe } from '../../recipe/recipe.js';

/** `mkroot recipe check`: decodes a recipe and prints what it comes to, or every problem it has. */
export default class RecipeCheck extends BaseCommand {
  static override summary = 'Find every mistake in a recipe, or show it with its defaults filled in';

  static override examples = [
    '<%= config.bin %> recipe check compute',
    '<%= config.bin %> recipe check ./my.yaml',
  ];

  static override args = {
    recipe: Args.string({ description: 'name of a recipe, or a file', required: true }),
  };

  static override flags = { site: BaseCommand.siteFlag };

  async run(): Promise<Recipe> {
    const { args, flags } = await this.parse(RecipeCheck);
    const [{ loadRecipe }, { stringify }] = await Promise.all([
      import('../../recipe/load-recipe.js'),
      import('yaml'),
    ]);
    const { fs } = this.ports();
    const { recipe } = loadRecipe(fs, args.recipe, recipeSearch(fs, flags.site));
    this.log(stringify(recipe, { lineWidth: 0 }).trimEnd());
    return recipe;
  }
}
