import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadOrder, type Ordered } from '../../../src/kmod/load-order.js';

const NAMES = [...'abcdefgh'];

/** Modules whose dependencies have no cycle, with any softdeps at all. */
const graph = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(7), fc.nat(7), fc.boolean()), { maxLength: 12 }),
  )
  .map(([hard, soft]) => {
    const modules = new Map<string, Ordered>();
    for (const [index, name] of NAMES.entries()) {
      const mine = soft.filter(([from]) => from === index);
      modules.set(name, {
        name,
        hard: hard
          .filter(([a, b]) => a !== b && Math.max(a, b) === index)
          .map(([a, b]) => NAMES[Math.min(a, b)]!),
        pre: mine.filter(([, , isPre]) => isPre).map(([, to]) => NAMES[to]!),
        post: mine.filter(([, , isPre]) => !isPre).map(([, to]) => NAMES[to]!),
      });
    }
    return modules;
  });

describe('loadOrder', () => {
  it('puts each module after what it depends on, whatever cycles the softdeps make, and forgets none', () => {
    fc.assert(
      fc.property(graph, fc.shuffledSubarray(NAMES, { minLength: 1 }), (modules, roots) => {
        const order = loadOrder(modules, roots);
        expect(new Set(order).size).toBe(order.length);
        for (const [index, name] of order.entries()) {
          const { hard, pre, post } = modules.get(name)!;
          for (const need of hard) expect(order.slice(0, index)).toContain(need);
          for (const softdep of [...pre, ...post]) expect(order).toContain(softdep);
        }
        for (const root of roots) expect(order).toContain(root);
      }),
      { numRuns: 2_000 },
    );
  });

  it('loads a softdep that needs the module itself after it, not before', () => {
    const modules = new Map<string, Ordered>([
      ['driver', { name: 'driver', hard: [], pre: ['plugin'], post: [] }],
      ['plugin', { name: 'plugin', hard: ['driver'], pre: [], post: [] }],
    ]);
    expect(loadOrder(modules, ['driver'])).toEqual(['driver', 'plugin']);
  });
});
