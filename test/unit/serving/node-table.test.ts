import { describe, expect, it } from 'vitest';
import { boardText, statusText } from '../../../src/pipelines/serve/status-text.js';
import type { NodePhase, NodeState } from '../../../src/serving/node-board.js';
import { type NodeRow, newsLines, nodeTable } from '../../../src/serving/node-table.js';

const G1 = '20261101T000000Z-11111111';
const G2 = '20261110T000000Z-22222222';
const now = new Date('2026-11-20T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();

function row(name: string, phase: NodePhase, more: Partial<NodeState> = {}): NodeRow {
  return {
    known: {
      name,
      group: name.startsWith('s') ? 'storage' : 'compute',
      address: '10.1.1.1',
      image: 'compute',
      generation: G2,
    },
    state: { node: name, phase, detail: '', since: phase === 'unseen' ? '' : ago(75), ...more },
  };
}

const ROWS: readonly NodeRow[] = [
  row('n001', 'up', {
    since: ago(3 * 3600),
    firmware: 'bios',
    lease: '10.1.0.11',
    booted: { image: 'compute', generation: G2 },
  }),
  row('n002', 'up', {
    since: ago(3 * 86_400),
    firmware: 'uefi',
    lease: '10.1.0.12',
    booted: { image: 'compute', generation: G1 },
  }),
  row('n003', 'failed', {
    stage: { number: 50, name: 'base' },
    detail: '10.1.0.1:/state/images Connection refused; next: reboot in 34 s',
    firmware: 'bios',
    lease: '10.1.0.13',
    booted: { image: 'compute', generation: G2 },
  }),
  row('n004', 'kernel', { kernel: 'TFTP', firmware: 'bios', lease: '10.1.0.14', detail: `compute/${G2}` }),
  row('n005', 'init', { stage: { number: 70, name: 'overlay' }, firmware: 'bios', lease: '10.1.0.15' }),
  row('s01', 'unseen'),
];
const STRANGER = { mac: '02:00:00:00:00:09', ip: '10.1.250.3', name: 'ubuntu', seen: ago(9) };

describe('the table of nodes', () => {
  it('in 120 columns', () => {
    expect(boardText(ROWS, [STRANGER], { columns: 120, lines: 24, now })).toEqual([
      '6 nodes: 2 up, 2 booting, 1 failed, 1 not seen',
      'NODE  GROUP    STATE           SINCE  FW    LEASE      BOOTED',
      `n001  compute  up              3 h    bios  10.1.0.11  compute ${G2}`,
      `n002  compute  up              3 d    uefi  10.1.0.12  compute ${G1}, not what is published`,
      `n003  compute  FAILED 50 base  75 s   bios  10.1.0.13  compute ${G2}`,
      'n004  compute  kernel          75 s   bios  10.1.0.14',
      'n005  compute  70 overlay      75 s   bios  10.1.0.15',
      's01   storage  -',
      '',
      'n003: FAILED 50 base: 10.1.0.1:/state/images Connection refused; next: reboot in 34 s',
      'unknown: 02:00:00:00:00:09 10.1.250.3 "ubuntu", 9 s ago',
    ]);
  });

  it.each([80, 60, 40, 20])('in %i columns no line is longer, and the first columns stay', (columns) => {
    const lines = boardText(ROWS, [STRANGER], { columns, lines: 24, now });
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines[1]).toMatch(/^NODE +GROUP/);
    if (columns === 80)
      expect(lines[2]).toBe(
        `n001  compute  up              3 h    bios  10.1.0.11  compute 20261110T000000Z…`,
      );
  });

  it('of 4,000 nodes on 24 lines shows those that need somebody, and counts the others', () => {
    const many = Array.from({ length: 4000 }, (_, index) =>
      row(
        `n${String(index).padStart(4, '0')}`,
        index === 3217 ? 'failed' : index > 3990 ? 'kernel' : 'up',
        index === 3217 ? { stage: { number: 50, name: 'base' }, detail: 'x; next: reboot in 3 s' } : {},
      ),
    );
    const lines = boardText(many, [], { columns: 80, lines: 24, now });
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines[0]).toBe('4000 nodes: 3990 up, 9 booting, 1 failed');
    expect(lines[2]).toMatch(/^n3217 +compute +FAILED 50 base/);
    expect(lines.slice(3, 12).every((line) => line.includes('kernel'))).toBe(true);
    expect(lines).toContainEqual(expect.stringMatching(/^and \d+ more, less urgent$/));
    expect(lines.at(-1)).toMatch(/^n3217: FAILED 50 base: x/);
  });

  it('cuts nothing off a failure: its reason stands at the end', () => {
    const lines = boardText(ROWS, [], { columns: 60, now });
    const at = lines.findIndex((line) => line.startsWith('n003: '));
    expect(lines.slice(at)).toEqual([
      'n003: FAILED 50 base: 10.1.0.1:/state/images Connection',
      '    refused; next: reboot in 34 s',
    ]);
  });

  it('has the last events below it, whole and broken between words, the oldest left out where there is no room', () => {
    const ready =
      '19:35:48 ready: DHCP and TFTP on br0, NFS by ganesha, HTTP at http://10.1.0.1:8080/, reports at 10.1.0.1:7752';
    expect(newsLines(['19:35:47 dnsmasq: ready', ready], { columns: 80, lines: 24 })).toEqual([
      '19:35:47 dnsmasq: ready',
      '19:35:48 ready: DHCP and TFTP on br0, NFS by ganesha, HTTP at',
      '    http://10.1.0.1:8080/, reports at 10.1.0.1:7752',
    ]);
    const many = Array.from({ length: 5 }, () => ready);
    expect(newsLines(many, { columns: 80, lines: 24 })).toHaveLength(8);
    expect(newsLines(many, { columns: 80, lines: 6 })).toHaveLength(2);
    expect(newsLines(['x'.repeat(200)], { columns: 80, lines: 24 }).every((line) => line.length <= 80)).toBe(
      true,
    );
  });

  it('says when nobody serves, and of when it is', () => {
    const status = { serving: false, at: '2026-11-20T11:59:00.000Z', rows: ROWS.slice(0, 1), unknown: [] };
    expect(statusText(status, { columns: 100, now })[0]).toBe(
      'Nobody serves: this is what was known at 2026-11-20 11:59:00 UTC',
    );
    expect(statusText({ ...status, at: undefined }, { columns: 100, now })[0]).toBe(
      'Nobody serves, and nobody has: mkroot serve',
    );
    expect(statusText({ ...status, serving: true }, { columns: 100, now })[0]).toBe('1 node: 1 up');
  });

  it('of no node at all is no error', () => {
    expect(nodeTable([], { columns: 80, now })).toEqual([
      '0 nodes',
      'NODE  GROUP  STATE  SINCE  FW  LEASE  BOOTED',
    ]);
  });
});
