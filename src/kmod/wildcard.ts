/** Characters that make a word a pattern. */
const SPECIAL = /[*?[]/;

/** True if the word is a pattern rather than a plain name. */
export function isWildcard(word: string): boolean {
  return SPECIAL.test(word);
}

/** The part of a pattern before its first special character. */
export function literalPrefix(pattern: string): string {
  const at = pattern.search(SPECIAL);
  return at < 0 ? pattern : pattern.slice(0, at);
}

/**
 * fnmatch(3) without flags, which is what kmod matches aliases with: `*`, `?`, `[a-f]`, `[!x]`; '/' is nothing special.
 * Takes time proportional to the product of both lengths at most: patterns come from files that may hold anything.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let starText = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at;
      starText = from;
      at += 1;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text[from]!) : undefined;
    if (next !== undefined) {
      at = next;
      from += 1;
    } else if (star >= 0) {
      at = star + 1;
      starText += 1;
      from = starText;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** Where the pattern goes on if its element at `at` matches the character. */
function matchOne(pattern: string, at: number, char: string): number | undefined {
  const element = pattern[at];
  if (element === '?') return at + 1;
  if (element !== '[') return element === char ? at + 1 : undefined;
  const negated = pattern[at + 1] === '!' || pattern[at + 1] === '^';
  const first = at + (negated ? 2 : 1);
  const end = pattern.indexOf(']', first + 1);
  if (end < 0) return char === '[' ? at + 1 : undefined; // an unfinished bracket stands for itself
  let inside = false;
  for (let i = first; i < end; i += 1) {
    if (pattern[i + 1] === '-' && i + 2 < end) {
      inside ||= pattern[i]! <= char && char <= pattern[i + 2]!;
      i += 2;
    } else {
      inside ||= pattern[i] === char;
    }
  }
  return inside === negated ? undefined : end + 1;
}
