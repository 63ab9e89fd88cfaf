// Writes what is generated from the code: the reference pages in docs/ and the JSON Schemas.
// Run by `npm run docs` after a compile; the generated-files tests fail when one of them is out of date.
import { writeFileSync } from 'node:fs';
import { inventoryJsonSchema } from '../dist/inventory/inventory-json-schema.js';
import { inventoryReference } from '../dist/inventory/inventory-reference.js';
import { recipeJsonSchema } from '../dist/recipe/recipe-json-schema.js';
import { recipeReference } from '../dist/recipe/recipe-reference.js';

const root = new URL('../', import.meta.url);
const write = (path, text) => writeFileSync(new URL(path, root), text);
const json = (schema) => `${JSON.stringify(schema, null, 2)}\n`;

write('docs/recipe-reference.md', recipeReference());
write('recipes/recipe.schema.json', json(recipeJsonSchema()));
write('docs/inventory-reference.md', inventoryReference());
write('docs/nodes.schema.json', json(inventoryJsonSchema()));
