import { z } from 'zod';
import type { JsonSchema } from '../decode/json-schema.js';
import { recipeSchema } from './recipe.js';

/** The JSON Schema of a recipe file, for editors; recipes/recipe.schema.json is this, and a test keeps it so. */
export function recipeJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(recipeSchema, { io: 'input' }) as JsonSchema;
  return { ...($schema === undefined ? {} : { $schema }), title: 'mkroot recipe', ...schema };
}
