import { describe, expect, test } from 'vitest';
import { resolveNodes } from '../../../src/inventory/resolve-node.js';
import { CLUSTER, decode } from './inventory-fixture.js';

const BYTES = (number: number) => [number >> 8, number & 255];
const mac = (number: number) =>
  `52:54:00:00:${BYTES(number)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')}`;
const ip = (number: number) => `10.1.${BYTES(number + 0x1000).join('.')}`;

/** Every node with an entry of its own: the most text that there can be. */
function entries(count: number) {
  const nodes = Array.from(
    { length: count },
    (_, at) =>
      `  n${at}:\n    group: compute\n    ip: ${ip(at)}\n    mac: ${mac(at)}\n    variables: { rack: r${at % 40} }\n`,
  );
  return () => decode(`${CLUSTER}nodes:\n${nodes.join('')}`);
}

/** Names as a range, MAC addresses from a CSV file. */
function rows(count: number) {
  const csv = Array.from({ length: count }, (_, at) => `n${at},${mac(at)},r${at % 40}\n`).join('');
  const text = `${CLUSTER}nodes:\n  n[0-${count - 1}]:\n    group: compute\n    ip: ${ip(0)}\ncsv: nodes.csv\n`;
  return () => decode(text, { 'nodes.csv': `name,mac,variables.rack\n${csv}` });
}

/** Milliseconds of processor time, the lesser of two: other work on the machine only ever adds to it. */
function cost(action: () => unknown): number {
  return Math.min(
    ...[1, 2].map(() => {
      const start = process.cpuUsage();
      action();
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    }),
  );
}

describe('an inventory of 10,000 nodes', () => {
  test.each([
    ['with an entry each', entries],
    ['as a range and a CSV file', rows],
  ])(
    '%s decodes and resolves in time that grows with their number, within bounds',
    (_, make) => {
      const work = (count: number) => {
        const inventory = make(count);
        return () => expect(resolveNodes(inventory())).toHaveLength(count);
      };
      const before = process.memoryUsage().heapUsed;
      cost(work(1000));
      const small = cost(work(2000));
      const large = cost(work(10_000));
      // Five times as many: quadratic work would take 25 times as long.
      expect(large / small).toBeLessThan(12);
      // The figure to reach is 2 s on an idle machine; this one may have other things to do.
      expect(large).toBeLessThan(4000);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 2 ** 20);
    },
    120_000,
  );

  test('with a mistake in each tells all of them, without looking for the nearest of ten thousand names each time', () => {
    const nodes = Array.from({ length: 10_000 }, (_, at) => `  n${at}: { group: comptue }\n`).join('');
    const started = process.cpuUsage();
    expect(() =>
      decode(
        `${CLUSTER}nodes:\n${nodes}overrides:\n${nodes.replaceAll('n', 'm').replaceAll(' group: comptue ', '')}`,
      ),
    ).toThrow('30000 problems');
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(20_000);
  }, 120_000);
});
