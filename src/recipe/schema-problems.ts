import type { z } from 'zod';
import { architectureOfMachine } from './debian-architecture.js';
import { suggestion } from './nearest-name.js';
import type { ParsedYaml } from './parse-yaml.js';
import { type Problem, pathText, type ValuePath } from './position.js';
import { recipeJsonSchema, schemaAt } from './recipe-json-schema.js';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

/** What the schema complains about, in words: where, which value, which name was probably meant. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], yaml: ParsedYaml): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        position: yaml.keyPosition(path, key),
        message: unknownField(path, key),
      }));
    }
    return [{ position: yaml.position(path), message: describe(issue, path, valueAt(yaml.value, path)) }];
  });
}

function unknownField(path: ValuePath, key: string): string {
  const known = Object.keys(schemaAt(recipeJsonSchema(), path)?.properties ?? {});
  const near = suggestion(key, known);
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`;
  return `unknown field "${key}"${where}${near === '' ? `; known are ${known.join(', ')}` : near}`;
}

function describe(issue: z.core.$ZodIssue, path: ValuePath, value: unknown): string {
  const field = path.length === 0 ? 'the recipe' : pathText(path);
  if (value === undefined) return `${field} is missing`;
  switch (issue.code) {
    case 'invalid_type':
      return path.length === 0 && value === null
        ? 'the recipe is empty'
        : `${field} must be ${KINDS[issue.expected] ?? issue.expected}, not ${shown(value)}`;
    case 'invalid_value': {
      const known = issue.values.map(String);
      const debianName = path[0] === 'architecture' ? architectureOfMachine(String(value)) : undefined;
      const meant =
        debianName === undefined ? suggestion(String(value), known) : `; Debian calls it "${debianName}"`;
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
      return inner === undefined
        ? `${field} must be a name or a number, not ${shown(value)}`
        : describe({ ...inner, path: issue.path } as z.core.$ZodIssue, path, value);
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

function valueAt(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[key] : undefined,
    value,
  );
}
