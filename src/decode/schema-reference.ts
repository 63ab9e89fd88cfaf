import type { JsonSchema } from './json-schema.js';

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Every field of a schema, its type, default and meaning, as Markdown: a heading and a table per mapping. */
export function schemaReference(schema: JsonSchema, title = 'Top level'): string {
  return collect(schema, '', title).join('\n');
}

function collect(schema: JsonSchema, path: string, title: string): string[] {
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]): Field => ({
      path: path === '' ? name : `${path}.${name}`,
      schema: field,
      required: schema.required?.includes(name) ?? false,
    }),
  );
  return [
    `## ${title}\n`,
    '| Field | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...fields.map(
      (field) =>
        `| \`${field.path}\` | ${cell(typeOf(field.schema))} | ${cell(defaultOf(field))} | ${cell(field.schema.description ?? '')} |`,
    ),
    '',
    ...fields.flatMap(({ path: below, schema: field }) => {
      const { nested, suffix } = inside(field);
      return nested?.properties === undefined
        ? []
        : collect(nested, `${below}${suffix}`, `\`${below}${suffix}\``);
    }),
  ];
}

/** What is described in a table of its own: a mapping, the entries of a list, or the values of a mapping from names. */
function inside(field: JsonSchema): { nested: JsonSchema | undefined; suffix: string } {
  if (field.properties !== undefined) return { nested: field, suffix: '' };
  const mapping = field.anyOf?.find(({ properties }) => properties !== undefined);
  if (mapping !== undefined) return { nested: mapping, suffix: '' };
  if (field.items !== undefined) return { nested: field.items, suffix: '[]' };
  return { nested: field.additionalProperties || undefined, suffix: '.NAME' };
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.properties !== undefined) return 'mapping';
  if (schema.additionalProperties) {
    const value = typeOf(schema.additionalProperties);
    return `mapping of names to ${value === 'mapping' ? 'mappings' : value}`;
  }
  return [schema.type ?? 'anything'].flat().map(nameOf).join(' or ');
}

function nameOf(type: string): string {
  return type === 'string' ? 'text' : type;
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
