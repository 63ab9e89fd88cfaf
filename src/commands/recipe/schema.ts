import { BaseCommand } from '../../cli/base-command.js';
import type { JsonSchema } from '../../decode/json-schema.js';

/** `mkroot recipe schema`: the JSON Schema of recipes, for editors. */
export default class RecipeSchema extends BaseCommand {
  static override summary = 'Print the JSON Schema of recipes, for editors';

  async run(): Promise<JsonSchema> {
    await this.parse(RecipeSchema);
    const { recipeJsonSchema } = await import('../../recipe/recipe-json-schema.js');
    const schema = recipeJsonSchema();
    this.log(JSON.stringify(schema, null, 2));
    return schema;
  }
}
