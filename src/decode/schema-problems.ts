import type { z } from 'zod';
import { type JsonSchema, schemaAt } from './json-schema.js';
import { suggestion } from './nearest-name.js';
import type { ParsedYaml } from './parse-yaml.js';
import { pathText, type ValuePath } from './position.js';
import type { Problem } from './problem.js';

/** The file whose problems are told. */
export interface SchemaContext {
  readonly yaml: ParsedYaml;
  /** Made only when something is wrong. */
  readonly schema: () => JsonSchema;
  /** What the whole document is called: `the recipe`. */
  readonly whole: string;
  /** A better hint than the nearest name for an unknown value, where there is one; starts with `; `. */
  readonly meant?: (path: ValuePath, value: unknown) => string | undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** YAML 1.1 had it, YAML 1.2 has not. */
const MERGE_KEY = '<<';
const NO_MERGE = 'merge keys (<<) are not supported; write the fields out';

/** What the schema complains about, in words: where, which value, which name was probably meant. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], context: SchemaContext): Problem[] {
  const { yaml } = context;
  return issues.flatMap((issue) => {
    const path = issuePath(issue);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        position: yaml.keyPosition(path, key),
        message: key === MERGE_KEY ? NO_MERGE : unknownField(context.schema(), path, key),
        rule: 'unknown-field',
      }));
    }
    if (issue.code === 'invalid_key') {
      const key = String(path.at(-1));
      const above = path.slice(0, -1);
      return issue.issues.map(({ message }) => ({
        position: yaml.keyPosition(above, key),
        message: key === MERGE_KEY ? NO_MERGE : `${pathText(above)} "${key}" ${message}`,
        rule: 'invalid-value',
      }));
    }
    const inner =
      issue.code === 'invalid_union' ? problemsInside(issue, valueAt(yaml.value, path)) : undefined;
    if (inner !== undefined) return schemaProblems(inner, context);
    return [
      {
        position: yaml.position(path),
        message: describe(issue, path, valueAt(yaml.value, path), context),
        rule: 'invalid-value',
      },
    ];
  });
}

/** A mapping or a list is meant to be the alternative that is one, too: what that has to say about it. */
function problemsInside(
  { path, errors }: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): z.core.$ZodIssue[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const meant = errors.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  return meant.length === 1
    ? meant[0]?.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
    : undefined;
}

/** The way to the value that an issue is about. */
export function issuePath(issue: z.core.$ZodIssue): ValuePath {
  return issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
}

/** The value at a path of a document; undefined where there is none. */
export function valueAt(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );
}

function unknownField(schema: JsonSchema, path: ValuePath, key: string): string {
  const at = schemaAt(schema, path);
  const mapping = [at, ...(at?.anyOf ?? [])].find((one) => one?.properties !== undefined);
  const known = Object.keys(mapping?.properties ?? {});
  const near = suggestion(key, known);
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`;
  return `unknown field "${key}"${where}${near === '' ? `; known are ${known.join(', ')}` : near}`;
}

function describe(issue: z.core.$ZodIssue, path: ValuePath, value: unknown, context: SchemaContext): string {
  const field = path.length === 0 ? context.whole : pathText(path);
  if (value === undefined) return `${field} is missing`;
  switch (issue.code) {
    case 'invalid_type':
      return path.length === 0 && value === null
        ? `${context.whole} is empty`
        : `${field} must be ${KINDS[issue.expected] ?? issue.expected}, not ${shown(value)}${value === null && KINDS[issue.expected] === 'a mapping' ? '; write {} for an empty one' : ''}`;
    case 'invalid_value': {
      const known = issue.values.map(String);
      const meant = context.meant?.(path, value) ?? suggestion(String(value), known);
      return `${field} ${shown(value)} is not known (${known.join(', ')})${meant}`;
    }
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `${field} ${shown(value)} must be ${issue.minimum} or more`
        : `${field} must not be empty`;
    case 'too_big':
      return `${field} ${shown(value)} must be ${issue.maximum} or less`;
    case 'invalid_union': {
      const [inner] = issue.errors.flat().filter(({ code }) => code !== 'invalid_type');
      if (inner !== undefined) {
        const below = [...path, ...issuePath(inner)];
        return describe(inner, below, valueAt(context.yaml.value, below), context);
      }
      const kinds = issue.errors.flat().flatMap((one) => (one.code === 'invalid_type' ? [one.expected] : []));
      const words = [...new Set(kinds)].map((kind) => KINDS[kind] ?? kind);
      return `${field} must be ${words.join(' or ') || 'something else'}, not ${shown(value)}`;
    }
    default:
      return `${field} ${shown(value)} ${issue.message}`;
  }
}

/** A value as the user wrote it, cut to a length that fits on a line. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}
