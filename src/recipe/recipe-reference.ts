import { type JsonSchema, recipeJsonSchema } from './recipe-json-schema.js';

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

const HEAD = `<!-- Generated from src/recipe/recipe.ts by \`npm run docs\`; edit the descriptions there. -->

# Recipe reference

A recipe is a YAML 1.2 file that says what a root image is made of. \`mkroot build NAME\` looks for \`recipes/NAME.yaml\` in
the current directory, then among the recipes that come with mkroot; \`mkroot build ./my.yaml\` takes that file.
\`mkroot recipe check FILE\` lists every mistake in one run.

Paths of the host are relative to the recipe's directory. Editors with the YAML language server complete and check fields
when the first line is \`# yaml-language-server: $schema=./recipe.schema.json\`.
`;

/** docs/recipe-reference.md: every field, its type, default and meaning, as a table per mapping. A test keeps the file current. */
export function recipeReference(): string {
  const tables = collect(recipeJsonSchema(), '');
  return [HEAD, ...tables].join('\n');
}

function collect(schema: JsonSchema, path: string): string[] {
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]): Field => ({
      path: path === '' ? name : `${path}.${name}`,
      schema: field,
      required: schema.required?.includes(name) ?? false,
    }),
  );
  return [
    `## ${path === '' ? 'Top level' : `\`${path}\``}\n`,
    '| Field | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...fields.map(
      (field) =>
        `| \`${field.path}\` | ${cell(typeOf(field.schema))} | ${cell(defaultOf(field))} | ${cell(field.schema.description ?? '')} |`,
    ),
    '',
    ...fields.flatMap(({ path: below, schema: field }) => {
      const nested = field.properties === undefined ? field.items : field;
      if (nested?.properties === undefined) return [];
      return collect(nested, field.items === undefined ? below : `${below}[]`);
    }),
  ];
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.properties !== undefined) return 'mapping';
  return schema.type === 'string' ? 'text' : (schema.type ?? 'anything');
}

function defaultOf({ schema, required }: Field): string {
  if (required) return '**required**';
  if (schema.default === undefined) return '';
  const value = JSON.stringify(schema.default);
  return value === '{}' ? '' : `\`${value.replace(/^"|"$/g, '')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
