import type { JsonSchema } from '../decode/json-schema.js';
import { schemaReference } from '../decode/schema-reference.js';
import { inventoryJsonSchema } from './inventory-json-schema.js';
import { SETTING_NAMES } from './inventory-schema.js';

const HEAD = `<!-- Generated from src/inventory/inventory-schema.ts by \`npm run docs\`; edit the descriptions there. -->

# Inventory reference

\`nodes.yaml\` is a YAML 1.2 file that says which nodes a cluster has, what they boot and who serves them. It lies in the site
directory, beside \`recipes/\` and \`overlays/\`; \`mkroot init DIR\` writes one with comments. How it is meant to be used is told in
[inventory.md](inventory.md). \`mkroot nodes check\` lists every mistake in one run.

Besides the fields of their own, \`cluster\`, \`groups.NAME\`, \`nodes.NAME\` and \`overrides.NAME\` take all [settings](#settings). \`NAME\`
stands for a name that you choose.

Editors with the YAML language server complete and check fields when the first line is
\`# yaml-language-server: $schema=./nodes.schema.json\`; \`mkroot nodes schema\` prints that file.
`;

const SETTINGS = `An override goes before a row of a CSV file, that before the entry in \`nodes\`, that before the group, and that before the
cluster. Lists are joined, the cluster's items first.
`;

/** docs/inventory-reference.md: every field, its type, default and meaning. A test keeps the file current. */
export function inventoryReference(): string {
  const schema = inventoryJsonSchema();
  const isSetting = (name: string) => SETTING_NAMES.includes(name);
  const settings = { properties: pick(schema.properties?.['cluster'], isSetting) };
  return [
    HEAD,
    schemaReference(withoutSettings(schema, isSetting)),
    schemaReference(settings, 'Settings').replace('\n', `\n\n${SETTINGS}`),
  ].join('\n');
}

/** The mappings that take settings, without these. */
function withoutSettings(schema: JsonSchema, isSetting: (name: string) => boolean): JsonSchema {
  const own = (one: JsonSchema): JsonSchema => ({
    ...one,
    properties: pick(one, (name) => !isSetting(name)),
  });
  const properties = Object.entries(schema.properties ?? {}).map(([name, one]): [string, JsonSchema] => {
    if (name === 'cluster') return [name, own(one)];
    if (!['groups', 'nodes', 'overrides'].includes(name) || !one.additionalProperties) return [name, one];
    return [name, { ...one, additionalProperties: own(one.additionalProperties) }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

function pick(schema: JsonSchema | undefined, wanted: (name: string) => boolean): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(schema?.properties ?? {}).filter(([name]) => wanted(name)));
}
