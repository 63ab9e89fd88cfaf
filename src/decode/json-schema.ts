/** The part of JSON Schema (draft 2020-12) that mkroot's files use. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** The schema of every value, for mappings from names that the user chooses; false where only `properties` are allowed. */
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The schema of the value at a path; undefined where there cannot be one. */
export function schemaAt(schema: JsonSchema, path: readonly (string | number)[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((at, key) => {
    if (at === undefined) return undefined;
    for (const one of [at, ...(at.anyOf ?? [])]) {
      if (typeof key === 'number' && one.items !== undefined) return one.items;
      if (Object.hasOwn(one.properties ?? {}, key)) return one.properties?.[key];
    }
    return at.additionalProperties === false ? undefined : at.additionalProperties;
  }, schema);
}
