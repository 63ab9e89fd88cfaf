import type { z } from 'zod';
import type { ValuePath } from './position.js';
import type { Problem } from './problem.js';
import { issuePath, type SchemaContext, schemaProblems, valueAt } from './schema-problems.js';

/** Removing a value can leave what is around it incomplete, which is then removed, too; documents are not deeper than this. */
const MOST_ROUNDS = 6;

/** What a schema makes of a document, and what it complains about. */
export interface DecodedDocument<T> {
  /**
   * The decoded document; what the problems are about is left out, so that the rest can be looked at for further problems.
   * Undefined when nothing is left.
   */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** Decodes as much of a document as fits its schema. Never throws. */
export function decodeDocument<S extends z.ZodType>(
  schema: S,
  context: SchemaContext,
): DecodedDocument<z.output<S>> {
  const first = schema.safeParse(context.yaml.value);
  if (first.success) return { value: first.data, problems: [] };
  const problems = schemaProblems(first.error.issues, context);
  const rest: unknown = structuredClone(context.yaml.value);
  let { issues }: { issues: readonly z.core.$ZodIssue[] } = first.error;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (!issues.flatMap((issue) => faultyValues(issue, rest)).every((path) => removeAt(rest, path))) break;
    const next = schema.safeParse(rest);
    if (next.success) return { value: next.data, problems };
    issues = next.error.issues;
  }
  return { value: undefined, problems };
}

function faultyValues(issue: z.core.$ZodIssue, document: unknown): ValuePath[] {
  const path = issuePath(issue);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key]);
  // Something that is missing: what should have it is of no use without it. An item would shift those behind it.
  const missing = issue.code !== 'invalid_key' && valueAt(document, path) === undefined;
  const item = path.findIndex((key) => typeof key === 'number');
  return [item !== -1 ? path.slice(0, item) : missing ? path.slice(0, -1) : path];
}

/** False for the document itself; true where there is nothing any more. */
function removeAt(document: unknown, path: ValuePath): boolean {
  const key = path.at(-1);
  if (key === undefined) return false;
  const parent = valueAt(document, path.slice(0, -1));
  if (typeof parent === 'object' && parent !== null) delete (parent as Record<string | number, unknown>)[key];
  return true;
}
