import type { BytePath } from '../ports/byte-path.js';
import { isWildcard, literalPrefix, matchesFileName, matchesWildcard } from '../rootfs/wildcard.js';
import { childPath } from './layer-entry.js';
import type { LayerView } from './layer-view.js';

/**
 * Whether a pattern of overlay.yaml means a path. Wildcards stand for parts of one name; `**` as the last part for everything
 * below the directory before it.
 */
export function matchesPath(pattern: BytePath, path: BytePath): boolean {
  const wanted = partsOfPattern(pattern);
  const names = parts(path);
  if (wanted.at(-1) === '**') {
    return (
      names.length >= wanted.length && matchParts(wanted.slice(0, -1), names.slice(0, wanted.length - 1))
    );
  }
  return wanted.length === names.length && matchParts(wanted, names);
}

/**
 * Tells whether one of several patterns means a path that is written as paths of layers are. It is asked for every path of ten
 * thousand layers, and most are meant by none: those that begin otherwise are not taken apart.
 */
export function anyOf(patterns: readonly BytePath[]): (path: BytePath) => boolean {
  const names = new Set(patterns.filter((pattern) => !isWildcard(pattern)));
  const wildcards = patterns
    .filter(isWildcard)
    .map((pattern) => ({ pattern, prefix: literalPrefix(pattern) }));
  return (path) =>
    names.has(path) ||
    wildcards.some(({ pattern, prefix }) => path.startsWith(prefix) && matchesPath(pattern, path));
}

/** Every path of a tree that a pattern means, in byte order. A pattern without wildcards is a plain name. */
export function findPaths(pattern: BytePath, view: LayerView): BytePath[] {
  let found: BytePath[] = ['/'];
  for (const part of parts(pattern)) {
    found = found.flatMap((directory) => {
      if (isWildcard(part)) {
        return view
          .names(directory)
          .filter((name) => matchesFileName(part, name))
          .map((name) => childPath(directory, name));
      }
      const child = childPath(directory, part);
      return view.entry(child) === undefined ? [] : [child];
    });
  }
  return found;
}

function matchParts(wanted: readonly BytePath[], names: readonly BytePath[]): boolean {
  return wanted.every((part, index) => {
    const name = names[index]!;
    return isWildcard(part) ? matchesWildcard(part, name) : part === name;
  });
}

/** The same few patterns are asked for every path of every layer. */
const patterns = new Map<BytePath, readonly BytePath[]>();

function partsOfPattern(pattern: BytePath): readonly BytePath[] {
  const known = patterns.get(pattern) ?? parts(pattern);
  patterns.set(pattern, known);
  return known;
}

function parts(path: BytePath): BytePath[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
