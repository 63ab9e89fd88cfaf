import { distance } from 'fastest-levenshtein';

/**
 * The candidate that a mistyped name most likely means, or undefined if none is near: at most a third of its letters may
 * differ, and `-`, `_` and case never count (`ssh-keys` is `sshKeys`).
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const wanted = plain(name);
  const ranked = candidates
    .map((candidate) => ({ candidate, differing: distance(wanted, plain(candidate)) }))
    .sort((a, b) => a.differing - b.differing);
  const best = ranked[0];
  if (best === undefined) return undefined;
  return best.differing <= Math.max(1, Math.floor(Math.max(wanted.length, best.candidate.length) / 3))
    ? best.candidate
    : undefined;
}

/** `; did you mean "x"?`, or nothing if no candidate is near. */
export function suggestion(name: string, candidates: readonly string[]): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}
