import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';

/** A line of an index file that depmod(8) writes. */
export interface TextLine {
  readonly text: string;
  /** Offset of its first character in the file. */
  readonly start: number;
}

/**
 * The lines of an index file, without comments and empty ones, one pass, nothing kept.
 * @throws MkrootError that names file and line if the last line has no end: depmod ends each, so the file is cut off.
 */
export function* textLines(path: BytePath, text: string): Generator<TextLine> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    if (end < 0) throw badLine(path, text, start, 'the file is cut off in this line');
    if (end > start && text[start] !== '#') yield { text: text.slice(start, end), start };
    start = end + 1;
  }
}

/** The error for a line that cannot be understood. */
export function badLine(path: BytePath, text: string, start: number, what: string): MkrootError {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < start; at = text.indexOf('\n', at + 1)) line += 1;
  return new MkrootError(`Cannot read "${displayPath(path)}" line ${line}: ${what}`, {
    hint: 'Write it anew with `depmod -b ROOT RELEASE`, or remove the modules.* files that depmod wrote: mkroot does without.',
  });
}
