import {
  type Alias,
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { composeYaml } from './compose-yaml.js';
import { type Position, pathText, type ValuePath } from './position.js';
import type { Problem } from './problem.js';

/** A YAML document as plain values, with the place of each. */
export interface ParsedYaml {
  readonly value: unknown;
  /** Places of all values by {@link pathText}. */
  positions(): ReadonlyMap<string, Position>;
  /** Place of the key `key` of the mapping at `path`, or of the nearest thing around it. */
  keyPosition(path: ValuePath, key: string): Position;
  /** Place of the value at `path`, or of the nearest thing around it. */
  position(path: ValuePath): Position;
  readonly problems: readonly Problem[];
  /** False when the text is not YAML, so that `value` says little; fields given twice do not count. */
  readonly wellFormed: boolean;
}

/** What is to know about a kind of document. */
export interface YamlReading {
  /**
   * Fields whose value is meant as it is spelt, although YAML sees a number: it reads `mode: 0644` as the decimal number
   * 644, `mac: 525400123456` and `nfsVersion: 4.1` as numbers, too. In a list, that goes for its items.
   */
  readonly textFields: readonly string[];
}

/** Words for yaml's error codes where its own message speaks of the parser rather than of the document. */
const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab is used for indentation; YAML takes spaces only',
};

interface Entry {
  readonly key: unknown;
  readonly value: ParsedNode | null;
}

/** Parses YAML 1.2. Never throws: everything that is wrong is in `problems`, duplicate keys too. */
export function parseYaml(text: string, file: string, { textFields }: YamlReading): ParsedYaml {
  const lineCounter = new LineCounter();
  const composed = composeYaml(text, lineCounter);
  const start: Position = { file, line: 1, column: 1 };
  const place = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const placeOf = (node: unknown): Position => place((node as Node | null)?.range?.[0] ?? 0);
  if ('tooDeep' in composed) {
    const message = 'this is nested too deeply';
    return {
      value: undefined,
      positions: () => new Map([['', start]]),
      position: () => start,
      keyPosition: () => start,
      problems: [{ position: place(composed.tooDeep), message }],
      wellFormed: false,
    };
  }
  const { document, second } = composed;
  const problems = document.errors.map((error) => ({
    position: place(error.pos[0]),
    message: WORDS[error.code] ?? `this is not YAML: ${error.message}`,
  }));
  if (second !== undefined) {
    problems.push({ position: place(second), message: 'a second document starts here; only one is read' });
  }

  let value: unknown;
  try {
    for (const { key, message } of prepare(document.contents, textFields)) {
      problems.push({ position: placeOf(key), message });
    }
    const loops = findLoops(document);
    for (const alias of loops) {
      problems.push({ position: placeOf(alias), message: 'this stands for something that it is a part of' });
    }
    if (loops.length === 0) value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.push({
      position: place(0),
      message: `this cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    });
  }

  // A mapping of ten thousand nodes is asked for each of them: it gets an index when it is asked first.
  const indexes = new WeakMap<YAMLMap, Map<string, Entry>>();
  const entriesOf = (map: YAMLMap): Map<string, Entry> => {
    const known = indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map(
      map.items.map(({ key, value: child }) => [keyName(key), { key, value: child as ParsedNode | null }]),
    );
    indexes.set(map, index);
    return index;
  };
  const at = (path: ValuePath): { node: ParsedNode | null; whole: boolean } => {
    let node = document.contents;
    for (const key of path) {
      // Aliases are not followed: they may form loops, and the place of the alias is the one the user looks for.
      const next =
        typeof key === 'number'
          ? isSeq(node)
            ? ((node.items[key] as ParsedNode | undefined) ?? null)
            : null
          : isMap(node)
            ? (entriesOf(node).get(key)?.value ?? null)
            : null;
      if (next === null) return { node, whole: false };
      node = next;
    }
    return { node, whole: true };
  };
  const position = (path: ValuePath): Position => (path.length === 0 ? start : placeOf(at(path).node));

  const positions = (): Map<string, Position> => {
    const found = new Map([['', start]]);
    const record = (node: ParsedNode | null, path: ValuePath): void => {
      if (node?.range) found.set(pathText(path), place(node.range[0]));
      if (isMap(node)) {
        for (const { key, value: child } of node.items) {
          record(child as ParsedNode | null, [...path, keyName(key)]);
        }
      }
      if (isSeq(node)) {
        node.items.forEach((item, index) => {
          record(item as ParsedNode, [...path, index]);
        });
      }
    };
    record(document.contents, []);
    return found;
  };

  return {
    value,
    positions,
    position,
    keyPosition: (path, key) => {
      const { node, whole } = at(path);
      const entry = whole && isMap(node) ? entriesOf(node).get(key) : undefined;
      return entry === undefined ? position(path) : placeOf(entry.key);
    },
    problems,
    wellFormed: value !== undefined && document.errors.length === 0 && second === undefined,
  };
}

function keyName(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Aliases of what is around them: as a value, that would have no end. */
function findLoops(document: Document.Parsed): Alias[] {
  const loops: Alias[] = [];
  visit(document, {
    Alias(_, alias, around) {
      // resolve() goes through the whole document, so it is asked only where a loop is possible.
      if (!around.some((node) => isNode(node) && anchorOf(node) === alias.source)) return;
      const meant = alias.resolve(document);
      if (meant !== undefined && around.includes(meant)) loops.push(alias);
    },
  });
  return loops;
}

function anchorOf(node: Node): string | undefined {
  return 'anchor' in node ? node.anchor : undefined;
}

/** Turns numbers that are meant as text into text, names of fields among them; returns the names that cannot be. */
function prepare(contents: Node | null, textFields: readonly string[]): { key: unknown; message: string }[] {
  const odd: { key: unknown; message: string }[] = [];
  visit(contents, {
    Map(_, { items }) {
      const names = new Set<string>();
      for (const { key, value } of items) {
        if (!isScalar(key)) {
          const message = 'the name of a field must be a plain word; is a text with : { } or [ ] unquoted?';
          odd.push({ key, message });
          continue;
        }
        asSpelt(key);
        const name = keyName(key);
        if (names.has(name)) odd.push({ key, message: 'this field is given twice' });
        // JavaScript's objects have that already, and zod leaves it out without a word.
        if (name === '__proto__') odd.push({ key, message: '"__proto__" cannot be a name' });
        names.add(name);
        if (!textFields.includes(name)) continue;
        for (const item of isSeq(value) ? value.items : [value]) if (isScalar(item)) asSpelt(item);
      }
    },
  });
  return odd;
}

function asSpelt(scalar: Scalar): void {
  if (typeof scalar.value !== 'number') return;
  scalar.value = (scalar.source ?? String(scalar.value)).replace(/^0o/, '0');
}
