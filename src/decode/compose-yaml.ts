import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml';

/** Collections within collections. The composer and everything after it call themselves once for each. */
const DEEPEST = 100;

/** The first document of a text, what is wrong with it, and where more begins than can be read. */
export interface ComposedYaml {
  readonly document: Document.Parsed;
  /** Offset of a second document. */
  readonly second?: number;
}

/**
 * yaml's parseDocument, but for documents that anybody may have written: nesting that would exhaust the stack, which ends
 * Node at once, is found while the text is taken apart, which needs no stack.
 * @returns The offset at which the nesting gets too deep, or the document.
 */
export function composeYaml(
  text: string,
  lineCounter: LineCounter,
): ComposedYaml | { readonly tooDeep: number } {
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
  if (tooDeep !== undefined) return { tooDeep };
  const [document, second] = found;
  return { document: document!, ...(second === undefined ? {} : { second: second.range[0] }) };
}
