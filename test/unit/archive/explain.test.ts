import { describe, expect, it } from 'vitest';
import {
  explainEntry,
  explainSidecar,
  renderChain,
  renderExplanation,
} from '../../../src/archive/explain.js';
import type { Reason } from '../../../src/archive/reason.js';
import { parseSidecar, SIDECAR_FORMAT, type Sidecar } from '../../../src/archive/sidecar.js';

const entry = (path: string, size: number, ...reasons: Reason[]) =>
  ({ path, kind: 'file', mode: '0644', size, reasons }) as const;

const sidecar: Sidecar = {
  format: SIDECAR_FORMAT,
  mkroot: '0.0.0',
  kernel: '6.1.0-1-amd64',
  architecture: 'amd64',
  compression: { format: 'none' },
  sizes: { packed: 0, unpacked: 0 },
  sha256: '',
  modules: ['libphy', 'tg3'],
  builtins: [],
  nics: ['tg3'],
  warnings: [],
  entries: [
    {
      path: 'lib',
      kind: 'directory',
      mode: '0755',
      size: 0,
      reasons: [{ kind: 'parent', of: 'lib/m/tg3.ko' }],
    },
    entry('lib/firmware/tigon/tg3.bin', 50, { kind: 'firmware', of: 'tg3' }),
    entry('lib/m/bcm-phy-lib.ko', 30, { kind: 'module-dependency', of: 'broadcom' }),
    entry('lib/m/broadcom.ko', 20, { kind: 'phy', of: 'tg3' }),
    entry(
      'lib/m/libphy.ko',
      400,
      { kind: 'module-dependency', of: 'tg3' },
      { kind: 'module-dependency', of: 'broadcom' },
    ),
    entry('lib/m/tg3.ko', 1000, { kind: 'option', option: '--nic tg3' }),
    entry('loop/a', 1, { kind: 'link', of: 'loop/b' }),
    entry('loop/b', 1, { kind: 'link', of: 'loop/a' }),
  ],
};

describe('explainEntry', () => {
  it('follows reasons from a firmware file through its module to the option', () => {
    const [chain] = explainEntry(sidecar, 'lib/firmware/tigon/tg3.bin');
    expect(renderChain(chain!)).toBe(
      [
        'lib/firmware/tigon/tg3.bin (50 B)',
        '  because: firmware of module tg3',
        '    because: option --nic tg3',
      ].join('\n'),
    );
  });

  it('finds a module whose file is spelled with "-" by its name with "_"', () => {
    const [chain] = explainEntry(sidecar, 'lib/m/bcm-phy-lib.ko');
    expect(chain!.map(({ entry: { path } }) => path)).toEqual([
      'lib/m/bcm-phy-lib.ko',
      'lib/m/broadcom.ko',
      'lib/m/tg3.ko',
    ]);
  });

  it('gives a chain for every reason', () => {
    expect(explainEntry(sidecar, 'lib/m/libphy.ko')).toHaveLength(2);
  });

  it('ends in a circle of reasons', () => {
    expect(explainEntry(sidecar, 'loop/a')[0]!.length).toBeLessThanOrEqual(3);
  });
});

describe('explainSidecar', () => {
  it('sums the sizes of a branch and puts the largest first', () => {
    const [first] = explainSidecar(sidecar);
    expect(first!.reason).toEqual({ kind: 'option', option: '--nic tg3' });
    expect(first!.totalSize).toBe(50 + 30 + 20 + 400 + 1000);
    expect(renderExplanation([first!])).toMatchInlineSnapshot(`
      "    1.5 kB  option --nic tg3
          1.5 kB    lib/m/tg3.ko
           400 B      lib/m/libphy.ko  (dependency of module tg3)
            50 B      lib/firmware/tigon/tg3.bin  (firmware of module tg3)
            50 B      lib/m/broadcom.ko  (PHY or MDIO driver that module tg3 may ask for)
            30 B        lib/m/bcm-phy-lib.ko  (dependency of module broadcom)"
    `);
  });
});

describe('explainSidecar on a circle of reasons', () => {
  it('shows every entry once', () => {
    expect(renderExplanation(explainSidecar(sidecar)).match(/B {4,}loop\/[ab]/g)).toHaveLength(2);
  });
});

describe('parseSidecar', () => {
  it.each([['{'], ['null'], ['{"format":99}'], ['{"format":1}'], ['{"format":1,"entries":[{}]}']])(
    'refuses %s with the path in the message',
    (text) => {
      expect(() => parseSidecar(text, 'x.img.json')).toThrow(/Cannot read the sidecar "x.img.json"/);
    },
  );
});
