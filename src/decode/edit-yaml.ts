import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type ParsedNode, parseDocument, type YAMLMap } from 'yaml';
import { ExitCode, MkrootError } from '../errors.js';
import { editLines } from './line-ends.js';
import { pathText } from './position.js';

/**
 * Sets one value in the text of a YAML document and leaves every other character as it is: comments, order, spacing.
 * Mappings on the way that are not there are added.
 * @param keys Keys of mappings.
 * @throws MkrootError (InvalidInput) where the document is written in a way that only a person should change: anchors and
 * aliases, lists on the way, text that is no YAML.
 */
export function setInYaml(text: string, keys: readonly [string, ...string[]], value: unknown): string {
  return editLines(text, (lines) => setInLines(lines, keys, value));
}

function setInLines(text: string, keys: readonly [string, ...string[]], value: unknown): string {
  const refuse = (why: string) =>
    new MkrootError(`Cannot set "${pathText(keys)}": ${why}`, {
      exitCode: ExitCode.InvalidInput,
      hint: 'Change the file by hand.',
    });
  const document = parseDocument(text, { logLevel: 'error' });
  if (document.errors.length > 0) throw refuse('the file is not YAML');
  let node: ParsedNode | null = document.contents;
  let colon = 0;
  let depth = 0;
  while (isMap(node) && depth < keys.length) {
    const pair = node.items.find(({ key }) => keyText(key, text) === keys[depth]);
    if (pair === undefined) break;
    node = pair.value as ParsedNode | null;
    colon = text.indexOf(':', pair.key.range[1]) + 1;
    depth += 1;
  }
  const rest = keys.slice(depth);
  const edited = edit(text, node, colon, rest, value);
  if (edited === undefined) throw refuse(`${pathText(keys.slice(0, depth))} is neither a mapping nor empty`);
  // Whatever the layout of the text: the outcome has to be the old document with this one difference.
  const wanted = withValue(document.toJS() ?? {}, keys, value);
  const outcome = parseDocument(edited, { logLevel: 'error' });
  if (outcome.errors.length > 0 || !isDeepStrictEqual(outcome.toJS(), wanted)) {
    throw refuse('its surroundings are written in an unusual way');
  }
  return edited;
}

/**
 * Replaces one item of a list in the text of a YAML document, and nothing else there.
 * @throws MkrootError (InvalidInput) where there is no plain value at that place.
 */
export function replaceItemInYaml(
  text: string,
  keys: readonly [string, ...string[]],
  index: number,
  value: string,
): string {
  const document = parseDocument(text, { logLevel: 'error' });
  const path = [...keys, index];
  const item = document.getIn(path, true);
  const [start, end] = isScalar(item) ? (item.range ?? []) : [];
  if (start !== undefined && end !== undefined) {
    const edited = text.slice(0, start) + flow(value) + text.slice(end);
    const outcome = parseDocument(edited, { logLevel: 'error' });
    document.setIn(path, value);
    if (outcome.errors.length === 0 && isDeepStrictEqual(outcome.toJS(), document.toJS())) return edited;
  }
  throw new MkrootError(`Cannot set "${pathText(path)}": it is written in an unusual way`, {
    exitCode: ExitCode.InvalidInput,
    hint: 'Change the file by hand.',
  });
}

/**
 * Removes one entry of a mapping, on lines of its own, from the text of a YAML document: its lines with their comments. Where it is
 * the only one, the mapping is `{}` then.
 * @throws MkrootError (InvalidInput) where it is written in a way that only a person should change.
 */
export function removeFromYaml(text: string, keys: readonly [string, ...string[]]): string {
  return editLines(text, (lines) => removeLines(lines, keys));
}

function removeLines(text: string, keys: readonly [string, ...string[]]): string {
  const document = parseDocument(text, { logLevel: 'error' });
  const edited = withoutEntry(text, document.contents, keys);
  const outcome = edited === undefined ? undefined : parseDocument(edited, { logLevel: 'error' });
  document.deleteIn(keys);
  if (
    edited !== undefined &&
    outcome?.errors.length === 0 &&
    isDeepStrictEqual(outcome.toJS(), document.toJS())
  ) {
    return edited;
  }
  throw new MkrootError(`Cannot remove "${pathText(keys)}": it is written in an unusual way`, {
    exitCode: ExitCode.InvalidInput,
    hint: 'Change the file by hand.',
  });
}

function withoutEntry(text: string, root: ParsedNode | null, keys: readonly string[]): string | undefined {
  let node = root;
  let colon = 0;
  for (const [depth, wanted] of keys.entries()) {
    if (!isMap(node) || node.flow === true) return undefined;
    const pair = node.items.find(({ key }) => keyText(key, text) === wanted);
    if (pair === undefined) return undefined;
    if (depth < keys.length - 1) {
      colon = text.indexOf(':', pair.key.range[1]) + 1;
      node = pair.value as ParsedNode | null;
      continue;
    }
    const [keyStart, keyEnd] = pair.key.range;
    const start = keyStart - columnOf(text, keyStart);
    if (text.slice(start, keyStart).trim() !== '') return undefined;
    const value = pair.value as ParsedNode | null;
    const last = isMap(value) && value.flow !== true ? lastOffset(value) : value?.range[1];
    const rest = text.slice(endOfLine(text, last ?? keyEnd));
    const before = text.slice(0, start);
    return node.items.length > 1 || depth === 0
      ? before + rest
      : `${before.slice(0, colon)} {}${before.slice(colon)}${rest}`;
  }
  return undefined;
}

function edit(
  text: string,
  node: ParsedNode | null,
  colon: number,
  rest: readonly string[],
  value: unknown,
): string | undefined {
  const splice = (from: number, to: number, insertion: string) =>
    text.slice(0, from) + insertion + text.slice(to);
  if (node === null) {
    return rest.length === 0 ? undefined : `${endWithNewline(text)}${blockEntry(rest, value, 0)}`;
  }
  const [start, end] = node.range;
  // Nothing after the colon: a comment may follow, so the place is right behind it.
  const fill = (insertion: string) =>
    start === end ? splice(colon, colon, ` ${insertion}`) : splice(start, end, insertion);
  if (rest.length === 0) return isScalar(node) ? fill(flow(value)) : undefined;
  if (isScalar(node) && node.value === null) return fill(`{ ${flowEntry(rest, value)} }`);
  if (!isMap(node)) return undefined;
  const last = node.items.at(-1);
  if (node.flow === true) {
    const close = end - 1;
    const entry = flowEntry(rest, value);
    if (last === undefined) return splice(start, end, `{ ${entry} }`);
    const before = text.slice(0, close).trimEnd();
    const comma = before.endsWith(',') ? '' : ',';
    return `${before}${comma} ${entry}${text.slice(before.length, close) || ' '}${text.slice(close)}`;
  }
  const indent = columnOf(text, start);
  // Comments at the end of the file are about fields that may come there.
  if (indent === 0) return `${endWithNewline(text)}${blockEntry(rest, value, 0)}`;
  const lineEnd = endOfLine(text, lastOffset(node) ?? end);
  return splice(
    lineEnd,
    lineEnd,
    `${text[lineEnd - 1] === '\n' ? '' : '\n'}${blockEntry(rest, value, indent)}`,
  );
}

/** Where the last value of a block mapping ends, without the comments that follow it. */
function lastOffset(map: YAMLMap): number | undefined {
  const pair = map.items.at(-1);
  const value = pair?.value as ParsedNode | null | undefined;
  if (isMap(value) && value.flow !== true) return lastOffset(value);
  return value?.range[1] ?? (pair?.key as ParsedNode | undefined)?.range[1];
}

function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function endWithNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** At the top level a new mapping gets a line per entry, as people write it; below that it is short enough for one line. */
function blockEntry([key = '', ...rest]: readonly string[], value: unknown, indent: number): string {
  const blanks = ' '.repeat(indent);
  if (rest.length === 0) return `${blanks}${plainKey(key)}: ${flow(value)}\n`;
  if (indent === 0) return `${plainKey(key)}:\n${blockEntry(rest, value, 2)}`;
  return `${blanks}${plainKey(key)}: { ${flowEntry(rest, value)} }\n`;
}

function flowEntry([key = '', ...rest]: readonly string[], value: unknown): string {
  const quoted = plainInFlow(key) ? key : JSON.stringify(key);
  return `${quoted}: ${rest.length === 0 ? flow(value) : `{ ${flowEntry(rest, value)} }`}`;
}

/** In a block, brackets and commas inside a key need no quotes: `n[1-4,7]:`. */
function plainKey(key: string): string {
  return plainInFlow(key.replace(/[[\],]/g, '-')) && /^[A-Za-z]/.test(key) ? key : flow(key);
}

function plainInFlow(text: string): boolean {
  return /^[A-Za-z][\w./@+-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text);
}

/** A value on one line; JSON is YAML. */
function flow(value: unknown): string {
  return typeof value === 'string' && plainInFlow(value) ? value : JSON.stringify(value);
}

/** As it is spelt where it is a number, so that `007` is found. */
function keyText(key: unknown, text: string): string | undefined {
  if (!isScalar(key)) return undefined;
  const [from = 0, to = 0] = key.range ?? [];
  return typeof key.value === 'string' ? key.value : text.slice(from, to);
}

function withValue(document: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const mapping = (typeof document === 'object' && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  // YAML's own name of a key that is spelt as a number.
  const name = Object.hasOwn(mapping, key) ? key : /^[0-9]+$/.test(key) ? String(Number(key)) : key;
  const at = Object.hasOwn(mapping, name) ? name : key;
  return { ...mapping, [at]: withValue(mapping[at], rest, value) };
}
