import { BaseCommand } from '../../cli/base-command.js';
import { recipeSearch } from '../../cli/recipe-search.js';
import type { ListedRecipe } from '../../recipe/load-recipe.js';

/** `mkroot recipe list`: which recipes can be named. */
export default class RecipeList extends BaseCommand {
  static override summary = 'List the recipes that can be named, and the file of each';

  static override flags = { site: BaseCommand.siteFlag };

  async run(): Promise<ListedRecipe[]> {
    const { flags } = await this.parse(RecipeList);
    const { listRecipes } = await import('../../recipe/load-recipe.js');
    const { fs, progress } = this.ports();
    const recipes = listRecipes(fs, recipeSearch(fs, flags.site).directories);
    const width = Math.max(0, ...recipes.map(({ name }) => name.length));
    for (const { name, file } of recipes) this.log(`${name.padEnd(width)}  ${file}`);
    for (const { file, passedOver } of recipes) {
      if (passedOver !== undefined) progress.note(`${passedOver} is passed over: ${file} has the same name`);
    }
    return recipes;
  }
}
