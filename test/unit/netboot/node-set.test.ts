import fc from 'fast-check';
import { expect, it } from 'vitest';
import { foldNodeSet } from '../../../src/netboot/node-set.js';

it.each([
  [['n003', 'n001', 'n002', 'n002'], 'n[001-003]'],
  [['n9', 'n10', 'n11', 'n13'], 'n[9-11,13]'],
  [['n09', 'n10', 'n100'], 'n[09-10],n100'],
  [['r1n1-ib', 'r1n2-ib', 'r2n1-ib', 'head'], 'head,r1n[1-2]-ib,r2n1-ib'],
  [[], ''],
])('%j is written as %s', (names, folded) => {
  expect(
    foldNodeSet(names)
      .split(/,(?![^[]*\])/)
      .sort(),
  ).toEqual(folded.split(/,(?![^[]*\])/).sort());
});

/** Expands what foldNodeSet writes, read from ClusterShell's documentation. */
function expand(set: string): string[] {
  return set.split(/,(?![^[]*\])/).flatMap((item) => {
    const match = /^(.*)\[(.*)\](.*)$/.exec(item);
    if (match === null) return item === '' ? [] : [item];
    return match[2]!.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-') as [string, string?];
      const width = first.startsWith('0') || first.length === last.length ? first.length : 0;
      const count = Number(last) - Number(first) + 1;
      return Array.from(
        { length: count },
        (_, index) => `${match[1]}${String(Number(first) + index).padStart(width, '0')}${match[3]}`,
      );
    });
  });
}

it('folding loses no name and invents none', () => {
  const name = fc
    .tuple(fc.constantFrom('n', 'node-', 'r1c'), fc.integer({ min: 0, max: 120 }), fc.constantFrom(0, 2, 3))
    .map(([prefix, number, width]) => `${prefix}${String(number).padStart(width, '0')}`);
  fc.assert(
    fc.property(fc.array(name), (names) => {
      expect(expand(foldNodeSet(names)).sort()).toEqual([...new Set(names)].sort());
    }),
  );
});
