import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandNodeSet } from '../../../src/inventory/node-set.js';

describe('node sets', () => {
  // What `nodeset -e` of ClusterShell 1.9.1 prints.
  test.each([
    ['n[001-003]', 'n001 n002 n003'],
    ['n[1-10/3]', 'n1 n4 n7 n10'],
    ['n[0-3/2,7]', 'n0 n2 n7'],
    ['n[09-10]', 'n09 n10'],
    ['r[1-2]n[01-02]', 'r1n01 r1n02 r2n01 r2n02'],
    ['n1,n[2-3]', 'n1 n2 n3'],
    ['n[1-3]-ib', 'n1-ib n2-ib n3-ib'],
    ['n[1 ,2]', 'n1 n2'],
    ['n[5]', 'n5'],
  ])('%s', (text, names) => {
    const set = expandNodeSet(text);
    expect('names' in set ? set.names.join(' ') : undefined).toBe(names);
  });

  test.each([
    ['n[01-100]', '2 digits on one side and 3 on the other'],
    ['n[9-010]', '1 digits on one side and 3 on the other'],
    ['n[3-1]', 'counts down'],
    ['n[1-3/0]', 'has steps of 0'],
    ['n[]', '[] is not a range'],
    ['n[1-]', '[1-] is not a range'],
    ['n[a]', '[a] is not a range'],
    ['n[1-3', 'a bracket is not closed'],
    ['n1]', 'a bracket is closed that was not opened'],
    ['n[[1]]', 'a bracket is opened inside a bracket'],
    ['n1,,n2', 'a name is missing'],
    ['n[1,1]', 'n1 comes twice'],
    ['n[1-3]!n2', '"!" cannot be used here'],
    ['@compute', '"@" cannot be used here'],
    ['n[1-999999999999]', 'more than 100000 names'],
    ['a[1-1000]b[1-1000]c[1-1000]', 'more than 100000 names'],
  ])('%s is refused: %s', (text, why) => {
    const set = expandNodeSet(text);
    expect('problem' in set ? set.problem : set.names).toContain(why);
  });

  test('any text is names without repetition, or a problem; nothing hangs', () => {
    const text = fc.array(fc.constantFrom(...'n09-[],/!x 1'), { maxLength: 30 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, (sample) => {
        const set = expandNodeSet(sample);
        if ('problem' in set) return;
        expect(new Set(set.names).size).toBe(set.names.length);
        for (const name of set.names) expect(name).not.toMatch(/[[\],]/);
      }),
      { numRuns: 2000 },
    );
  });

  test('a range counts exactly from its first to its last number', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.integer({ min: 1, max: 50 }), (first, length, step) => {
        const last = first + length;
        const set = expandNodeSet(
          `n[${String(first).padStart(5, '0')}-${String(last).padStart(5, '0')}/${step}]`,
        );
        const expected = [];
        for (let at = first; at <= last; at += step) expected.push(`n${String(at).padStart(5, '0')}`);
        expect(set).toEqual({ names: expected });
      }),
    );
  });
});
