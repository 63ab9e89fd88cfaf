import { z } from 'zod';
import type { JsonSchema } from '../decode/json-schema.js';
import { type ParsedYaml, parseYaml } from '../decode/parse-yaml.js';
import type { Position } from '../decode/position.js';
import type { Problem } from '../decode/problem.js';
import { schemaProblems } from '../decode/schema-problems.js';
import { LAYER_RULES, type LayerRuleId } from './layer-rules.js';

/** File in an overlay's top with what its files cannot say themselves; it is not part of the layer. */
export const SETTINGS_FILE = 'overlay.yaml';

/** How many different results an overlay has: one, one per group, one per node. */
export const SCOPES = ['cluster', 'group', 'node'] as const;

const pattern = z
  .string()
  .regex(/^\/./, 'is not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

/** useradd(8), or a number. */
const account = z
  .union([
    z.string().regex(/^([a-z_][a-z0-9_-]{0,31}|\d{1,10})$/, 'is not a user or group name, or a number'),
    z.int().min(0).max(4_294_967_294),
  ])
  .transform(String);

const attributesSchema = z
  .strictObject({
    path: pattern.describe(
      'Path inside the root; * ? [ ] stand for parts of one name, ** as the last part for everything below.',
    ),
    mode: z
      .string()
      .regex(/^0?[0-7]{3,4}$/, 'is not a mode in octal digits, such as 0644 or 4755')
      .transform((digits) => Number.parseInt(digits, 8))
      .optional()
      .describe('Permissions in octal, such as 0640.'),
    owner: account.optional().describe('User that owns it: a name that the image knows, or a number.'),
    group: account.optional().describe('Group that owns it: a name that the image knows, or a number.'),
  })
  .refine(({ mode, owner, group }) => mode !== undefined || owner !== undefined || group !== undefined, {
    message: 'needs "mode", "owner" or "group"',
  });

const allowanceSchema = z.strictObject({
  rule: z.enum(Object.keys(LAYER_RULES) as [LayerRuleId, ...LayerRuleId[]]).describe('Id of the rule.'),
  path: pattern.optional().describe('Only here; everywhere in the overlay by default. Wildcards as above.'),
  reason: z.string().min(1).describe('Why it is meant so, for those who come after you.'),
});

const settingsSchema = z
  .strictObject({
    scope: z
      .enum(SCOPES)
      .default('group')
      .describe(
        'What templates are rendered for: the cluster, each group, or each node. Those of nodes become part of the host layer.',
      ),
    attributes: z
      .array(attributesSchema)
      .default([])
      .describe('Owner and mode, where they are not those of the files. Later ones go before earlier ones.'),
    delete: z
      .array(pattern)
      .default([])
      .describe('Paths of the layers below that nodes do not see; * ? [ ] as above.'),
    allow: z
      .array(allowanceSchema)
      .default([])
      .describe('Findings of the linter in this overlay that are meant so.'),
    serial: z.int().min(0).optional().describe('Counted up by every `mkroot enter` that changes something.'),
  })
  .describe('Settings of an overlay');

/** What stands in overlay.yaml, defaults filled in. */
export type OverlaySettings = z.output<typeof settingsSchema>;

/** One entry of {@link OverlaySettings.attributes}. */
export type OverlayAttributes = OverlaySettings['attributes'][number];

/** One entry of {@link OverlaySettings.allow}. */
export type Allowance = OverlaySettings['allow'][number];

/** Decoded settings and where they stand. */
export interface DecodedSettings {
  readonly settings: OverlaySettings;
  /** Place of a value, such as attributes[0].owner. */
  position(path: readonly (string | number)[]): Position;
}

/**
 * Decodes the text of an overlay.yaml.
 * @param file its name as the user knows it.
 * @returns the settings, or everything that is wrong.
 */
export function decodeOverlaySettings(
  text: string,
  file: string,
): DecodedSettings | { readonly problems: readonly Problem[] } {
  if (/^(\s*(#.*)?\n?)*$/.test(text))
    return { settings: settingsSchema.parse({}), position: () => start(file) };
  const yaml = parseYaml(text, file, { textFields: ['mode'] });
  const decoded = settingsSchema.safeParse(yaml.value);
  if (decoded.success && yaml.problems.length === 0) return settled(decoded.data, yaml);
  return {
    problems: [
      ...yaml.problems,
      ...(decoded.success || !yaml.wellFormed
        ? []
        : schemaProblems(decoded.error.issues, { yaml, schema: settingsJsonSchema, whole: 'the overlay' })),
    ],
  };
}

/** Settings of an overlay without overlay.yaml. */
export function defaultOverlaySettings(file: string): DecodedSettings {
  return { settings: settingsSchema.parse({}), position: () => start(file) };
}

/** JSON Schema of overlay.yaml, for messages and documents. */
export function settingsJsonSchema(): JsonSchema {
  return z.toJSONSchema(settingsSchema, { io: 'input' }) as JsonSchema;
}

function settled(settings: OverlaySettings, yaml: ParsedYaml): DecodedSettings {
  return { settings, position: (path) => yaml.position(path) };
}

function start(file: string): Position {
  return { file, line: 1, column: 1 };
}
