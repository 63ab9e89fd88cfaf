import {
  CHOMPING_MODE,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
} from 'js-yaml';

type YamlEvent = ReturnType<typeof parseEvents>[number];
type ScalarEvent = Extract<YamlEvent, { type: typeof EVENT_ID.SCALAR }>;

/** Collections within collections. */
const DEEPEST = 100;

/** YAML 1.2, 7.4.2: characters of a name without `? ` before it, which js-yaml does not count. */
const LONGEST_NAME = 1024;

/**
 * What libraries disagree about: tabs, byte order marks, lone carriage returns, backslashes behind quotes and at ends of lines, blocks
 * of text with the depth of their indentation, ends of documents.
 */
const UNUSUAL = /[\t\ufeff]|\r(?!\n)|['"]\\|\\\r?$|[|>][-+]?\d|^ *\.\.\.|^ +---|\n---/m;

/** The words that YAML 1.2's core schema reads as something else than text or a number. */
const WORDS = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);

/**
 * Reads a document of plain YAML 1.2. It does not know where anything stands and what is wrong, which takes five times as long to
 * find out: every command reads an inventory, and few of them ever ask.
 * @param textFields Fields whose value, or items, stay as they are spelt where YAML sees numbers. Names of fields always do.
 * @returns undefined for what is wrong in any way, or not plain: directives, tags, anchors, several documents, names of fields
 * that are no words, a document that is neither mapping nor list.
 */
export function readPlainYaml(
  text: string,
  textFields: readonly string[],
): { readonly value: unknown } | undefined {
  if (UNUSUAL.test(text)) return undefined;
  let events: YamlEvent[];
  try {
    events = parseEvents(text, { maxDepth: DEEPEST });
  } catch {
    return undefined;
  }
  const reader = new PlainReader(text, new Set(textFields));
  return events.every((event) => reader.take(event)) && reader.documents === 1
    ? { value: reader.value }
    : undefined;
}

/** A collection that is being read; `name` is that of the field whose value comes next. */
type Collection =
  | { readonly items: unknown[]; readonly asSpelt: boolean }
  | { readonly fields: Record<string, unknown>; name: string | undefined };

class PlainReader {
  value: unknown;
  documents = 0;
  readonly #open: Collection[] = [];

  constructor(
    readonly text: string,
    readonly textFields: ReadonlySet<string>,
  ) {}

  /** False if the document is not plain. */
  take(event: YamlEvent): boolean {
    if (event.type === EVENT_ID.POP) {
      this.#open.pop();
      return true;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      this.documents += 1;
      return event.directives.length === 0;
    }
    if (event.type === EVENT_ID.ALIAS || event.anchorStart !== -1 || event.tagStart !== -1) return false;
    const around = this.#open.at(-1);
    if (around !== undefined && 'fields' in around && around.name === undefined) {
      return event.type === EVENT_ID.SCALAR && this.#name(event, around);
    }
    const asSpelt = around !== undefined && this.#isAsSpelt(around);
    if (event.type === EVENT_ID.SCALAR) {
      if (around === undefined) return false;
      const value = this.#scalar(event, asSpelt);
      return value !== undefined && this.#put(value, around);
    }
    const opened: Collection =
      event.type === EVENT_ID.MAPPING
        ? { fields: {}, name: undefined }
        : // Of lists within lists nobody says how they are meant.
          { items: [], asSpelt: asSpelt && around !== undefined && 'fields' in around };
    this.#put('fields' in opened ? opened.fields : opened.items, around);
    this.#open.push(opened);
    return true;
  }

  #isAsSpelt(around: Collection): boolean {
    return 'items' in around ? around.asSpelt : around.name !== undefined && this.textFields.has(around.name);
  }

  #name(event: ScalarEvent, mapping: { readonly fields: object; name: string | undefined }): boolean {
    const name = this.#scalar(event, true);
    // JavaScript's objects have a __proto__ already.
    if (typeof name !== 'string' || name === '__proto__' || Object.hasOwn(mapping.fields, name)) return false;
    if (name.length > LONGEST_NAME) return false;
    mapping.name = name;
    return true;
  }

  #put(value: unknown, around: Collection | undefined): true {
    if (around === undefined) this.value = value;
    else if ('items' in around) around.items.push(value);
    else if (around.name !== undefined) {
      around.fields[around.name] = value;
      around.name = undefined;
    }
    return true;
  }

  /** Undefined for what libraries disagree about: white space that is kept at the end, numbers without end. */
  #scalar(event: ScalarEvent, asSpelt: boolean): string | number | boolean | null | undefined {
    const text = getScalarValue(this.text, event);
    if (event.style !== SCALAR_STYLE.PLAIN) return event.chomping === CHOMPING_MODE.KEEP ? undefined : text;
    const word = WORDS.get(text);
    if (word !== undefined) return word;
    if (!/^[-+.\d]/.test(text)) return text;
    const integer = intCoreTag.resolve(text, false, '');
    const number = integer === NOT_RESOLVED ? floatCoreTag.resolve(text, false, '') : integer;
    if (number === NOT_RESOLVED)
      return Math.abs(Number(text)) === Number.POSITIVE_INFINITY ? undefined : text;
    return asSpelt ? text.replace(/^0o/, '0') : number;
  }
}
