import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandNodeSet } from '../../src/inventory/node-set.js';

/** What ClusterShell makes of a node set; undefined where it refuses it. */
function nodeset(text: string): string[] | undefined {
  try {
    const output = execFileSync('nodeset', ['-e', text], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output.trim().split(' ').sort();
  } catch {
    return undefined;
  }
}

/** A range with both ends of the same width. */
function ranged(first: number, last: number, width: number, step: number): string {
  const padded = (number: number) => String(number).padStart(Math.max(width, String(last).length), '0');
  return `${padded(first)}-${padded(last)}/${step}`;
}

describe('node sets, judged by nodeset of ClusterShell', () => {
  test('what we expand, it expands to the same names; what it refuses, we refuse', () => {
    const digits = fc.constantFrom('0', '1', '3', '7', '07', '09', '10', '12', '012', '100');
    const counted = fc.tuple(
      fc.nat(15),
      fc.nat(15),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
    );
    const range = fc.oneof(
      {
        weight: 6,
        arbitrary: counted.map(([first, more, width, step]) => ranged(first, first + more, width, step)),
      },
      digits,
      fc.tuple(digits, digits).map(([first, last]) => `${first}-${last}`),
      fc.tuple(digits, digits, fc.nat(4)).map(([first, last, step]) => `${first}-${last}/${step}`),
    );
    const brackets = fc.array(range, { minLength: 1, maxLength: 3 }).map((all) => `[${all.join(',')}]`);
    const operand = fc
      .tuple(fc.constantFrom('n', 'rack'), brackets, fc.option(fc.tuple(fc.constantFrom('n', '-'), brackets)))
      .map(([prefix, first, more]) => prefix + first + (more === null ? '' : more.join('')));
    const seen = { expanded: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(operand, { minLength: 1, maxLength: 2 }), (operands) => {
        const text = operands.join(',');
        const ours = expandNodeSet(text);
        // A name that comes twice is a slip in an inventory; ClusterShell has sets.
        if ('problem' in ours && ours.problem.endsWith('comes twice')) return;
        const theirs = nodeset(text);
        expect('names' in ours ? [...ours.names].sort() : undefined).toEqual(theirs);
        seen[theirs === undefined ? 'refused' : 'expanded'] += 1;
      }),
      { numRuns: 80 },
    );
    expect(Math.min(seen.expanded, seen.refused)).toBeGreaterThan(5);
  });
});
