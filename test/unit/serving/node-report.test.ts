import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootedFacts,
  type NodeReport,
  parseNodeReport,
  REPORT_LIMIT,
} from '../../../src/serving/node-report.js';

const LINES = {
  'mkroot-report': '1',
  boot: '0b7f1c86-5a36-4f57-9a5c-4c1f0ce1b0a1',
  node: 'n1',
  mac: '52:54:00:00:00:01',
  ip: '10.1.1.1',
  image: 'compute',
  generation: '20261120T041500Z-1a2b3c4d',
  firmware: 'uefi',
  base: '10.1.0.1:/state/images/compute/generations/20261120T041500Z-1a2b3c4d/root NFS v3',
  layers:
    'host 10.1.0.1:/state/hosts/n1/versions/v1/layer, cluster 10.1.0.1:/state/layers/compute/versions/v2/layer',
  uptime: '12.34',
  stage: '60',
  name: 'layers',
  state: 'ok',
  detail: 'a=b; next: c',
};

function read(lines: Readonly<Record<string, string | undefined>>): NodeReport | undefined {
  const text = Object.entries(lines)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
  return parseNodeReport(Buffer.from(text, 'latin1'));
}

describe('a report', () => {
  it('is read in any order, with keys that nobody knows yet', () => {
    const { 'mkroot-report': _version, boot, ...rest } = LINES;
    const { uptime: _uptime, stage: _stage, name: _name, ...same } = rest;
    const expected = { boot, ...same, uptime: 12.34, stage: { number: 60, name: 'layers' } };
    expect(read(LINES)).toEqual(expected);
    expect(read(Object.fromEntries(Object.entries({ ...LINES, later: 'x y' }).reverse()))).toEqual(expected);
    expect(read({ ...LINES, state: 'up', stage: undefined, name: undefined })).not.toHaveProperty('stage');
  });

  it('may be of an InfiniBand device, whose GUID has eight bytes', () => {
    const mac = 'e4:1d:2d:03:00:12:ab:cd';
    expect(read({ ...LINES, mac })?.mac).toBe(mac);
    expect(read({ ...LINES, mac: mac.slice(3) })).toBeUndefined();
  });

  it.each([
    ['no version', { 'mkroot-report': undefined }],
    ['another version', { 'mkroot-report': '2' }],
    ['a stage without its name', { name: undefined }],
    ['a state that is none', { state: 'fine' }],
    ['the name of an inherited property as state', { state: 'constructor' }],
    ['no MAC', { mac: 'x' }],
    ['a name with a slash', { node: '../n1' }],
    ['a generation with a slash', { generation: 'a/b' }],
    ['an escape sequence', { detail: '\u001b[2J' }],
    ['a byte beyond ASCII', { detail: 'é' }],
    ['an uptime without end', { uptime: '9'.repeat(20) }],
    ['a line without =', { 'x\nnothing': 'y' }],
    ['the same key twice', { 'x\nnode': 'n2' }],
    ['more bytes than a report has', { detail: 'x'.repeat(REPORT_LIMIT) }],
  ])('with %s is none', (_, change) => {
    expect(read({ ...LINES, ...change })).toBeUndefined();
  });

  it('of random bytes, or with bytes changed, is none or printable, and never an error', () => {
    const whole = Buffer.from(
      Object.entries(LINES)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parseNodeReport(bytes) === undefined),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const report = parseNodeReport(bytes);
        if (report === undefined) return;
        accepted += 1;
        for (const value of Object.values(report)) {
          if (typeof value === 'string') expect(value).toMatch(/^[ -~]*$/);
        }
        expect(report.node).toMatch(/^[A-Za-z0-9.-]*$/);
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('what a node runs on', () => {
  it('is known once its base is mounted, in words that gc looks for', () => {
    expect(bootedFacts({ ...read(LINES)!, base: '' })).toBeUndefined();
    const words = bootedFacts(read(LINES)!)?.split(/[\s,:]/);
    expect(words).toContain('generation=20261120T041500Z-1a2b3c4d');
    expect(words).toContain('/state/hosts/n1/versions/v1/layer');
    expect(words).toContain('/state/layers/compute/versions/v2/layer');
  });
});
