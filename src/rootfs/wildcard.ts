import type { BytePath } from '../ports/byte-path.js';

/** Characters that make a word a pattern; a backslash takes the meaning from the next one. */
const SPECIAL = /[*?[\\]/;

/** True if the word is a pattern rather than a plain name. */
export function isWildcard(word: BytePath): boolean {
  return SPECIAL.test(word);
}

/** The part of a pattern before its first special character. */
export function literalPrefix(pattern: BytePath): BytePath {
  const at = pattern.search(SPECIAL);
  return at < 0 ? pattern : pattern.slice(0, at);
}

/** glob(7) matching of one path component: like {@link matchesWildcard}, but a leading dot must be matched by a dot. */
export function matchesFileName(pattern: BytePath, name: BytePath): boolean {
  return (!name.startsWith('.') || pattern.startsWith('.')) && matchesWildcard(pattern, name);
}

/**
 * fnmatch(3) without flags: `*`, `?`, `[a-f]`, `[!x]`, `\\`; '/' and '.' are nothing special. Regular expressions made from
 * such patterns can take exponential time; this takes at most pattern length times text length, because patterns come out of
 * foreign roots.
 */
export function matchesWildcard(pattern: BytePath, name: BytePath): boolean {
  let at = 0;
  let position = 0;
  let retry: { pattern: number; name: number } | undefined;
  while (at < name.length) {
    const step = position < pattern.length ? matchOne(pattern, position, name[at]!) : undefined;
    if (pattern[position] === '*') {
      retry = { pattern: position + 1, name: at };
      position += 1;
    } else if (step?.matches) {
      position = step.next;
      at += 1;
    } else if (retry !== undefined) {
      retry.name += 1;
      at = retry.name;
      position = retry.pattern;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(position));
}

interface Step {
  readonly matches: boolean;
  /** Where the pattern goes on. */
  readonly next: number;
}

function matchOne(pattern: BytePath, position: number, char: string): Step {
  const symbol = pattern[position]!;
  if (symbol === '?') return { matches: true, next: position + 1 };
  if (symbol === '\\' && position + 1 < pattern.length)
    return { matches: pattern[position + 1] === char, next: position + 2 };
  if (symbol === '[') return matchSet(pattern, position, char);
  return { matches: symbol === char, next: position + 1 };
}

function matchSet(pattern: BytePath, start: number, char: string): Step {
  const negated = /[!^]/.test(pattern[start + 1] ?? '');
  const first = start + (negated ? 2 : 1);
  const end = pattern.indexOf(']', first + 1); // a ']' in first place stands for itself
  if (end < 0) return { matches: char === '[', next: start + 1 };
  let inside = false;
  for (let at = first; at < end; at += 1) {
    const isRange = pattern[at + 1] === '-' && at + 2 < end;
    const last = isRange ? pattern[at + 2]! : pattern[at]!;
    if (pattern[at]! <= char && char <= last) inside = true;
    if (isRange) at += 2;
  }
  return { matches: inside !== negated, next: end + 1 };
}
