import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNetDev, parseProcessStat } from '../../../src/vm/lab-counters.js';
import { bytesByPhase } from '../../../src/vm/phase-bytes.js';

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
   br0:    2708      34    0    0    0     0          0         0 34702072   14166    0    0    0     0       0          0
 node1: 1950020964   34744    0    0    0     0          0         0 24678398   11653    0    0    0     0       0          0
node10:1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0
`;

describe('counters of the kernel', () => {
  it('a tap transmits what the node receives; a name may touch its number', () => {
    const found = parseNetDev(NET_DEV);
    expect([...found.keys()]).toEqual(['br0', 'node1', 'node10']);
    expect(found.get('node1')).toEqual({
      bytesToNode: 24678398,
      framesToNode: 11653,
      bytesFromNode: 1950020964,
      framesFromNode: 34744,
    });
    expect(found.get('node10')).toMatchObject({ bytesFromNode: 1, bytesToNode: 3 });
  });

  it('processor time is user and system time; the name may have brackets and blanks', () => {
    const rest = 'S 1 77 77 0 -1 4194560 900 0 5 0 123 77 0 0 20 0 15 0 5000 1000000 4000';
    expect(parseProcessStat(`77 (ganesha.nfsd) ${rest}\n`)).toEqual({
      pid: 77,
      name: 'ganesha.nfsd',
      cpuSeconds: 2,
    });
    expect(parseProcessStat(`78 (a) (b c) ${rest}\n`)).toMatchObject({ name: 'a) (b c', cpuSeconds: 2 });
  });

  it('what is no such line is none, whatever it is', () => {
    expect(parseProcessStat('')).toBeUndefined();
    expect(parseProcessStat('77 (short) S 1 2\n')).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseNetDev(text);
        parseProcessStat(text);
      }),
    );
  });
});

describe('bytes by phase', () => {
  it('belong to the phase that was running when they came', () => {
    const marks = [
      { phase: 'firmware', bytesToNode: 0 },
      { phase: 'firmware', bytesToNode: 5 },
      { phase: 'loader', bytesToNode: 105 },
      { phase: 'kernel', bytesToNode: 1105 },
      { phase: 'system', bytesToNode: 1107 },
      { phase: 'system', bytesToNode: 2107 },
    ] as const;
    expect(bytesByPhase(marks)).toEqual([
      { phase: 'firmware', bytesToNode: 105 },
      { phase: 'loader', bytesToNode: 1000 },
      { phase: 'kernel', bytesToNode: 2 },
      { phase: 'system', bytesToNode: 1000 },
    ]);
    expect(bytesByPhase([])).toEqual([]);
  });
});
