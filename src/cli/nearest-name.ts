import { distance } from 'fastest-levenshtein';

/** The name of as many words, every one of them near; undefined if there is none. */
export function nearestTo(typed: string, names: readonly string[]): string | undefined {
  const words = typed.toLowerCase().split(' ');
  return names
    .map((name) => ({ name, differing: differing(words, name.split(' ')) }))
    .sort((a, b) => a.differing - b.differing)
    .find((ranked) => Number.isFinite(ranked.differing))?.name;
}

/**
 * How many letters differ; infinite if too many do. Two that changed places count as two, and that is the commonest
 * mistake in words as short as these: so up to two in five.
 */
function differing(typed: readonly string[], words: readonly string[]): number {
  return words.reduce((sum, word, index) => {
    const letters = distance(typed[index] ?? '', word);
    return letters <= Math.ceil(word.length * 0.4) ? sum + letters : Number.POSITIVE_INFINITY;
  }, 0);
}
