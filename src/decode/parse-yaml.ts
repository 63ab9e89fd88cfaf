import { type Alias, type Document, isNode, type Node, visit } from 'yaml';
import { composeYaml } from './compose-yaml.js';
import { readPlainYaml } from './plain-yaml.js';
import type { Position, ValuePath } from './position.js';
import type { Problem } from './problem.js';
import { type PlacedYaml, YamlPlaces } from './yaml-places.js';

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
  /**
   * Frees the memory of the document, which is many times that of its text. `value` is gone then; places can still be asked
   * for, at the price of taking the text apart again.
   */
  release(): void;
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

/**
 * Parses YAML 1.2. Never throws: everything that is wrong is in `problems`, duplicate keys too. What is plain and right is read
 * quickly; only the places of its values take the document apart, when they are asked for.
 */
export function parseYaml(text: string, file: string, { textFields }: YamlReading): ParsedYaml {
  const plain = readPlainYaml(text, textFields);
  if (plain !== undefined) {
    const places = new YamlPlaces(file, () => placed(composeYaml(text, textFields)));
    return parsed(places, { value: plain.value, problems: [], wellFormed: true });
  }
  const composed = composeYaml(text, textFields);
  let first: PlacedYaml | undefined = placed(composed);
  const places = new YamlPlaces(file, () => {
    const document = first ?? placed(composeYaml(text, textFields));
    first = undefined;
    return document;
  });
  return parsed(places, read(composed, places));
}

type Composed = ReturnType<typeof composeYaml>;

function placed(composed: Composed): PlacedYaml {
  return {
    lineCounter: composed.lineCounter,
    contents: 'tooDeep' in composed ? null : composed.document.contents,
  };
}

function parsed(
  places: YamlPlaces,
  reading: Pick<ParsedYaml, 'value' | 'problems' | 'wellFormed'>,
): ParsedYaml {
  const result = {
    ...reading,
    positions: () => places.all(),
    position: (path: ValuePath) => places.of(path),
    keyPosition: (path: ValuePath, key: string) => places.ofKey(path, key),
    release: () => {
      result.value = undefined;
      places.release();
    },
  };
  return result;
}

/** What a document says, and everything that is wrong with it. */
function read(composed: Composed, places: YamlPlaces): Pick<ParsedYaml, 'value' | 'problems' | 'wellFormed'> {
  if ('tooDeep' in composed) {
    return {
      value: undefined,
      problems: [{ position: places.at(composed.tooDeep), message: 'this is nested too deeply' }],
      wellFormed: false,
    };
  }
  const { document, second, unusableNames } = composed;
  const problems: Problem[] = [
    ...document.errors.map((error) => ({
      position: places.at(error.pos[0]),
      message: WORDS[error.code] ?? `this is not YAML: ${error.message}`,
    })),
    ...unusableNames.map(({ offset, message }) => ({ position: places.at(offset), message })),
  ];
  if (second !== undefined) {
    problems.push({
      position: places.at(second),
      message: 'a second document starts here; only one is read',
    });
  }
  let value: unknown;
  try {
    const loops = findLoops(document);
    for (const alias of loops) {
      const position = places.at(alias.range?.[0] ?? 0);
      problems.push({ position, message: 'this stands for something that it is a part of' });
    }
    if (loops.length === 0) value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const message = `this cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    problems.push({ position: places.at(0), message });
  }
  const wellFormed = value !== undefined && document.errors.length === 0 && second === undefined;
  return { value, problems, wellFormed };
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
