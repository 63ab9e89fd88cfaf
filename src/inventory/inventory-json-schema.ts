import { z } from 'zod';
import type { JsonSchema } from '../decode/json-schema.js';
import { inventorySchema } from './inventory-schema.js';

/** The JSON Schema of nodes.yaml, for editors; docs/nodes.schema.json is this, and a test keeps it so. */
export function inventoryJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(inventorySchema, { io: 'input' }) as JsonSchema;
  return { ...($schema === undefined ? {} : { $schema }), title: 'mkroot inventory', ...schema };
}
