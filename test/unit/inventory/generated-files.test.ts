import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../../src/decode/json-schema.js';
import { inventoryJsonSchema } from '../../../src/inventory/inventory-json-schema.js';
import { inventoryReference } from '../../../src/inventory/inventory-reference.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('files generated from the schema of nodes.yaml (npm run docs)', () => {
  test('docs/inventory-reference.md is current', () => {
    expect(read('docs/inventory-reference.md')).toBe(inventoryReference());
  });

  test('docs/nodes.schema.json is current', () => {
    expect(JSON.parse(read('docs/nodes.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(inventoryJsonSchema())),
    );
  });

  test('every field has a description', () => {
    const bare: string[] = [];
    const visit = (schema: JsonSchema, path: string) => {
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        if (field.description === undefined) bare.push(`${path}${name}`);
        visit(field, `${path}${name}.`);
      }
      if (schema.items !== undefined) visit(schema.items, `${path}[].`);
      if (schema.additionalProperties) visit(schema.additionalProperties, `${path}NAME.`);
    };
    visit(inventoryJsonSchema(), '');
    expect(bare).toEqual([]);
  });
});
