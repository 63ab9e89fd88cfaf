import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isModulePath, moduleName, normalizeAlias, unpackedName } from '../../../src/kmod/module-name.js';
import { matchesWildcard } from '../../../src/rootfs/wildcard.js';

describe('module names', () => {
  it('are the file name up to the first dot, with _ for -', () => {
    expect(moduleName('kernel/a-b/bcm-phy-lib.ko.xz')).toBe('bcm_phy_lib');
    expect(moduleName('x.y.ko')).toBe('x');
  });

  it('know packed modules from other files', () => {
    const paths = ['a.ko', 'a.ko.gz', 'a.ko.xz', 'a.ko.zst', 'a.ko.bz2', 'a.konsole', 'a.xz'];
    expect(paths.filter(isModulePath)).toEqual(['a.ko', 'a.ko.gz', 'a.ko.xz', 'a.ko.zst']);
    expect(unpackedName('a/b.ko.zst')).toBe('a/b.ko');
  });

  it('keep the range inside brackets of an alias', () => {
    expect(normalizeAlias('of-x[0-9]-y')).toBe('of_x[0-9]_y');
  });
});

describe('matchesWildcard', () => {
  it.each([
    ['bnx2*', 'bnx2x', true],
    ['*', '', true],
    ['a*b*c', 'a/x/b/y/c', true],
    ['a*b*c', 'acb', false],
    ['?', '', false],
    ['[a-c]?', 'bz', true],
    ['[!a-c]', 'b', false],
    ['[]x]', ']', true],
    ['a[', 'a[', true],
  ])('%s on %j is %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  it('agrees with a regular expression on random patterns of literals, * and ?', () => {
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (glob, word) => {
        const regular = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesWildcard(glob, word)).toBe(regular.test(word));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes no time worth mentioning for a pattern that makes regular expressions hang', () => {
    const started = performance.now();
    expect(matchesWildcard(`${'*a'.repeat(500)}b`, 'a'.repeat(2_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
