import { isMap, isScalar, isSeq, type LineCounter, type Node, type ParsedNode, type YAMLMap } from 'yaml';
import { type Position, pathText, type ValuePath } from './position.js';

interface Entry {
  readonly key: unknown;
  readonly value: ParsedNode | null;
}

/** A YAML document with the place of everything in it. */
export interface PlacedYaml {
  readonly lineCounter: LineCounter;
  readonly contents: ParsedNode | null;
}

/** Where the values of a YAML document stand. */
export class YamlPlaces {
  #document: PlacedYaml | undefined;
  /** A mapping of ten thousand nodes is asked for each of them: it gets an index when it is asked first. */
  #indexes = new WeakMap<YAMLMap, Map<string, Entry>>();

  /** @param compose takes the document apart when a place is asked for. */
  constructor(
    readonly file: string,
    readonly compose: () => PlacedYaml,
  ) {}

  /** Forgets the document until a place is asked for again. */
  release(): void {
    this.#document = undefined;
    this.#indexes = new WeakMap();
  }

  /** The place at an offset of the text. */
  at(offset: number): Position {
    const { line, col } = this.#placed().lineCounter.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** The place of the value at `path`, or of the nearest thing around it. */
  of(path: ValuePath): Position {
    return path.length === 0 ? this.at(0) : this.#placeOf(this.#find(path).node);
  }

  /** The place of the key `key` of the mapping at `path`, or of the nearest thing around it. */
  ofKey(path: ValuePath, key: string): Position {
    const { node, whole } = this.#find(path);
    const entry = whole && isMap(node) ? this.#entriesOf(node).get(key) : undefined;
    return entry === undefined ? this.of(path) : this.#placeOf(entry.key);
  }

  /** The places of all values by {@link pathText}. */
  all(): Map<string, Position> {
    const found = new Map([['', this.at(0)]]);
    const record = (node: ParsedNode | null, path: ValuePath): void => {
      if (node?.range) found.set(pathText(path), this.at(node.range[0]));
      if (isMap(node)) {
        for (const { key, value } of node.items) record(value as ParsedNode | null, [...path, keyName(key)]);
      }
      if (isSeq(node)) {
        node.items.forEach((item, index) => {
          record(item as ParsedNode, [...path, index]);
        });
      }
    };
    record(this.#placed().contents, []);
    return found;
  }

  #placed(): PlacedYaml {
    this.#document ??= this.compose();
    return this.#document;
  }

  #placeOf(node: unknown): Position {
    return this.at((node as Node | null)?.range?.[0] ?? 0);
  }

  #find(path: ValuePath): { node: ParsedNode | null; whole: boolean } {
    let node = this.#placed().contents;
    for (const key of path) {
      const next = this.#child(node, key);
      if (next === null) return { node, whole: false };
      node = next;
    }
    return { node, whole: true };
  }

  /** Aliases are not followed: the place of the alias is the one that is looked for. */
  #child(node: ParsedNode | null, key: string | number): ParsedNode | null {
    if (typeof key === 'number') {
      return isSeq(node) ? ((node.items[key] as ParsedNode | undefined) ?? null) : null;
    }
    return isMap(node) ? (this.#entriesOf(node).get(key)?.value ?? null) : null;
  }

  #entriesOf(map: YAMLMap): Map<string, Entry> {
    const known = this.#indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map(
      map.items.map(({ key, value }) => [keyName(key), { key, value: value as ParsedNode | null }]),
    );
    this.#indexes.set(map, index);
    return index;
  }
}

function keyName(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}
