import type { Json } from './canonical-json.js';
import type { StageInputs } from './stage-key.js';

/**
 * What tells two declarations of the same stage apart, one line each, field by field: `packages: + htop`,
 * `hostname: "a" -> "b"`, `file /srv/motd: changed`. Empty if nothing does.
 */
export function inputDifferences(before: StageInputs, after: StageInputs): string[] {
  return [
    ...(before.version === after.version
      ? []
      : [`the stage's code: version ${before.version} -> ${after.version}`]),
    ...(before.input === after.input ? [] : ['the result of the stage before']),
    ...records('tool', before.tools, after.tools, (from, to) => `${from} -> ${to}`),
    ...values('', before.options, after.options),
    ...records('file', before.files, after.files, () => 'changed'),
  ];
}

function records(
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  changed: (from: string, to: string) => string,
): string[] {
  return sortedNames(before, after).flatMap((name) => {
    const from = before[name];
    const to = after[name];
    if (from === to) return [];
    if (from === undefined) return [`${what} ${name}: new`];
    return [`${what} ${name}: ${to === undefined ? 'gone' : changed(from, to)}`];
  });
}

function values(path: string, before: Json | undefined, after: Json | undefined): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isObject(before) && isObject(after)) {
    return sortedNames(before, after).flatMap((name) =>
      values(path === '' ? name : `${path}.${name}`, before[name], after[name]),
    );
  }
  if (isList(before) && isList(after)) return lists(path, before, after);
  return [`${path}: ${short(before)} -> ${short(after)}`];
}

/** Lists compare as sets, because a new first package should not read as if all others had changed. */
function lists(path: string, before: readonly Json[], after: readonly Json[]): string[] {
  const had = new Set(before.map((item) => JSON.stringify(item)));
  const has = new Set(after.map((item) => JSON.stringify(item)));
  const added = after.filter((item) => !had.has(JSON.stringify(item))).map((item) => `+ ${short(item)}`);
  const removed = before.filter((item) => !has.has(JSON.stringify(item))).map((item) => `- ${short(item)}`);
  if (added.length + removed.length === 0) return [`${path}: another order`];
  return [`${path}: ${[...added, ...removed].join(', ')}`];
}

function short(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function sortedNames(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort((x, y) => (x < y ? -1 : 1));
}
