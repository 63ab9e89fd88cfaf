import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { matchesFileName } from '../../../src/rootfs/wildcard.js';

describe('matchesFileName', () => {
  it.each([
    ['*.conf', 'a.conf', true],
    ['*.conf', '.conf', false],
    ['.*', '.conf', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[]x]', ']', true],
    ['[ab', '[ab', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a*b*c', 'aXbXbXc', true],
    ['', '', true],
    ['*', '', true],
  ])('%s against %s: %s', (pattern, name, expected) => {
    expect(matchesFileName(pattern, name)).toBe(expected);
  });

  it('agrees with picomatch on stars and question marks', () => {
    const text = (chars: string) =>
      fc.string({ unit: fc.constantFrom(...chars), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text('ab?*'), text('ab'), (pattern, name) => {
        const judge = picomatch.isMatch(name, pattern, { nobrace: true, noext: true, noglobstar: true });
        expect(matchesFileName(pattern, name)).toBe(judge);
      }),
      { numRuns: 1000 },
    );
  });

  it('needs no exponential time', () => {
    const started = performance.now();
    expect(matchesFileName('*a'.repeat(60), `${'a'.repeat(250)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
