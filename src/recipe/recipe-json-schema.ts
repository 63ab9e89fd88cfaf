import { z } from 'zod';
import { recipeSchema } from './recipe.js';

/** The part of JSON Schema (draft 2020-12) that recipes use. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The JSON Schema of a recipe file, for editors; recipes/recipe.schema.json is this, and a test keeps it so. */
export function recipeJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(recipeSchema, { io: 'input' }) as JsonSchema;
  return { ...($schema === undefined ? {} : { $schema }), title: 'mkroot recipe', ...schema };
}

/** The schema of the value at a path; undefined where a recipe cannot have one. */
export function schemaAt(schema: JsonSchema, path: readonly (string | number)[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (at, key) =>
      typeof key === 'number'
        ? at?.items
        : Object.hasOwn(at?.properties ?? {}, key)
          ? at?.properties?.[key]
          : undefined,
    schema,
  );
}
