// Writes what is generated from the code: docs/recipe-reference.md and recipes/recipe.schema.json.
// Run by `npm run docs` after a compile; test/unit/recipe/generated-files.test.ts fails when they are out of date.
import { writeFileSync } from 'node:fs';
import { recipeJsonSchema } from '../dist/recipe/recipe-json-schema.js';
import { recipeReference } from '../dist/recipe/recipe-reference.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/recipe-reference.md', root), recipeReference());
writeFileSync(
  new URL('recipes/recipe.schema.json', root),
  `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`,
);
