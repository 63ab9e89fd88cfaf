import { isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument, visit } from 'yaml';
import { type Position, type Problem, pathText, type ValuePath } from './position.js';

/** A YAML document as plain values, with the place of each. */
export interface ParsedYaml {
  readonly value: unknown;
  /** Places of values by {@link pathText}. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Place of the key `key` of the mapping at `path`, or of the nearest thing around it. */
  keyPosition(path: ValuePath, key: string): Position;
  /** Place of the value at `path`, or of the nearest thing around it. */
  position(path: ValuePath): Position;
  readonly problems: readonly Problem[];
  /** False when the text is not YAML, so that `value` says little; fields given twice do not count. */
  readonly wellFormed: boolean;
}

/** Words for yaml's error codes where its own message speaks of the parser rather than of the document. */
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this field is given twice',
  MULTIPLE_DOCS: 'a second document starts here; a recipe is one document',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML takes spaces only',
};

/** Parses YAML 1.2. Never throws: everything that is wrong is in `problems`, duplicate keys too. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const place = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = document.errors.map((error) => ({
    position: place(error.pos[0]),
    message: WORDS[error.code] ?? `this is not YAML: ${error.message}`,
  }));
  const positions = new Map<string, Position>([['', { file, line: 1, column: 1 }]]);
  const keys = new Map<string, Position>();
  const offsetOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

  // Aliases are not followed: they may form loops, and the place of the alias is the one the user looks for.
  const record = (node: ParsedNode | null, path: ValuePath): void => {
    if (node?.range) positions.set(pathText(path), place(node.range[0]));
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (!isScalar(key)) {
          problems.push({
            position: place(offsetOf(key)),
            message: 'the name of a field must be a plain word; is a text with : { } or [ ] unquoted?',
          });
        }
        const child = [...path, name];
        keys.set(pathText(child), place(offsetOf(key)));
        record(value as ParsedNode | null, child);
      }
    }
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        record(item as ParsedNode, [...path, index]);
      });
    }
  };

  let value: unknown;
  try {
    keepModesAsText(document.contents);
    record(document.contents, []);
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.push({
      position: place(0),
      message: `this cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  const position = (path: ValuePath): Position => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = positions.get(pathText(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return positions.get('')!;
  };
  return {
    value,
    positions,
    position,
    keyPosition: (path, key) => keys.get(pathText([...path, key])) ?? position(path),
    problems,
    wellFormed: value !== undefined && document.errors.every(({ code }) => code === 'DUPLICATE_KEY'),
  };
}

/** YAML reads `mode: 0644` as the decimal number 644 and `0o644` as 420; a mode means its digits, so they are kept. */
function keepModesAsText(contents: Node | null): void {
  visit(contents, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'mode' && isScalar(value) && typeof value.value === 'number') {
        value.value = (value.source ?? String(value.value)).replace(/^0o/, '0');
      }
    },
  });
}
