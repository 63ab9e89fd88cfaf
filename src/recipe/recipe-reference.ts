import { schemaReference } from '../decode/schema-reference.js';
import { recipeJsonSchema } from './recipe-json-schema.js';

const HEAD = `<!-- Generated from src/recipe/recipe.ts by \`npm run docs\`; edit the descriptions there. -->

# Recipe reference

A recipe is a YAML 1.2 file that says what a root image is made of. \`mkroot build NAME\` looks for \`recipes/NAME.yaml\` in
the current directory, then among the recipes that come with mkroot; \`mkroot build ./my.yaml\` takes that file.
\`mkroot recipe check FILE\` lists every mistake in one run.

Paths of the host are relative to the recipe's directory. Editors with the YAML language server complete and check fields
when the first line is \`# yaml-language-server: $schema=./recipe.schema.json\`.
`;

/** docs/recipe-reference.md: every field, its type, default and meaning. A test keeps the file current. */
export function recipeReference(): string {
  return `${HEAD}\n${schemaReference(recipeJsonSchema())}`;
}
