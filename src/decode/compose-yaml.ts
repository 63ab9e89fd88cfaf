import {
  Composer,
  type Document,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  visit,
} from 'yaml';

/** Collections within collections. The composer and everything after it call themselves once for each. */
const DEEPEST = 100;

/** The first document of a text, what is wrong with it, and where more begins than can be read. */
export interface ComposedYaml {
  readonly lineCounter: LineCounter;
  readonly document: Document.Parsed;
  /** Offset of a second document. */
  readonly second?: number;
  /** Names of fields that cannot be used, by their offset. */
  readonly unusableNames: readonly UnusableName[];
}

interface UnusableName {
  readonly offset: number;
  readonly message: string;
}

/**
 * yaml's parseDocument, but for documents that anybody may have written: nesting that would exhaust the stack, which ends
 * Node at once, is found while the text is taken apart, which needs no stack.
 * @param textFields Fields whose value, or items, stay as they are spelt where YAML sees numbers. Names of fields always do.
 * @returns The offset at which the nesting gets too deep, or the document.
 */
export function composeYaml(
  text: string,
  textFields: readonly string[],
): ComposedYaml | { readonly lineCounter: LineCounter; readonly tooDeep: number } {
  const lineCounter = new LineCounter();
  const parser = new Parser(lineCounter.addNewLine);
  let tooDeep: number | undefined;
  function* tokens() {
    lineCounter.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (parser.stack.length > DEEPEST) {
        tooDeep = parser.offset;
        return;
      }
    }
    yield* parser.end();
  }
  // yaml compares each key with all others of its mapping, which takes seconds for ten thousand nodes.
  const composer = new Composer({ lineCounter, prettyErrors: false, logLevel: 'error', uniqueKeys: false });
  const found: Document.Parsed[] = [];
  for (const document of composer.compose(tokens(), true, text.length)) {
    found.push(document as Document.Parsed);
    if (found.length === 2) break;
  }
  if (tooDeep !== undefined) return { lineCounter, tooDeep };
  const [document, second] = found;
  return {
    lineCounter,
    document: document!,
    unusableNames: settleNumbers(document!.contents, textFields),
    ...(second === undefined ? {} : { second: second.range[0] }),
  };
}

/** Turns numbers that are meant as text into text, names of fields among them; returns the names that cannot be used. */
function settleNumbers(contents: Node | null, textFields: readonly string[]): UnusableName[] {
  const unusable: UnusableName[] = [];
  const refuse = (key: unknown, message: string) =>
    unusable.push({ offset: (key as Node | null)?.range?.[0] ?? 0, message });
  visit(contents, {
    Map(_, { items }) {
      const names = new Set<string>();
      for (const { key, value } of items) {
        if (!isScalar(key)) {
          const message = 'the name of a field must be a plain word; is a text with : { } or [ ] unquoted?';
          refuse(key, message);
          continue;
        }
        asSpelt(key);
        const name = String(key.value);
        if (names.has(name)) refuse(key, 'this field is given twice');
        // JavaScript's objects have that already, and zod leaves it out without a word.
        if (name === '__proto__') refuse(key, '"__proto__" cannot be a name');
        names.add(name);
        if (!textFields.includes(name)) continue;
        for (const item of isSeq(value) ? value.items : [value]) if (isScalar(item)) asSpelt(item);
      }
    },
  });
  return unusable;
}

function asSpelt(scalar: Scalar): void {
  if (typeof scalar.value !== 'number') return;
  scalar.value = (scalar.source ?? String(scalar.value)).replace(/^0o/, '0');
}
