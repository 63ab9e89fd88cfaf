import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import { bytesSource } from '../../../src/kmod/elf-sections.js';
import { parseSoftdep, readModuleInfo } from '../../../src/kmod/modinfo.js';
import { exportedSymbols, undefinedSymbols } from '../../../src/kmod/module-symbols.js';
import { moduleFixture } from '../../support/module-fixture.js';

const MODINFO = [
  'alias=pci:v000014E4d00001657sv*sd*bc*sc*i*',
  'alias=tigon-three',
  'firmware=tigon/tg3.bin',
  'softdep=pre: crc32c crypto-md5 post: late',
  'softdep=pre: second',
  'weakdep=maybe perhaps',
  'depends=libphy,ptp-core',
  'name=tg3',
  'vermagic=6.1.0 SMP',
];

/** Does the reader accept the bytes, or refuse them as it should? */
function readOrRefuse(data: Uint8Array): void {
  for (const read of [readModuleInfo, undefinedSymbols, exportedSymbols]) {
    try {
      read(bytesSource('/some/module.ko', data));
    } catch (error) {
      expect(error).toBeInstanceOf(MkrootError);
      expect((error as MkrootError).message).toContain('/some/module.ko');
    }
  }
}

describe('readModuleInfo', () => {
  it.each([
    { bits: 64, bigEndian: false },
    { bits: 64, bigEndian: true },
    { bits: 32, bigEndian: false },
    { bits: 32, bigEndian: true },
  ] as const)('reads every field of a $bits-bit module (big-endian: $bigEndian)', (format) => {
    expect(readModuleInfo(bytesSource('x', moduleFixture({ modinfo: MODINFO, ...format })))).toEqual({
      name: 'tg3',
      vermagic: '6.1.0 SMP',
      depends: ['libphy', 'ptp_core'],
      aliases: ['pci:v000014E4d00001657sv*sd*bc*sc*i*', 'tigon-three'],
      softdep: { pre: ['crc32c', 'crypto-md5', 'second'], post: ['late'] },
      weakdeps: ['maybe', 'perhaps'],
      firmware: ['tigon/tg3.bin'],
    });
  });

  it('tells "depends on nothing" from "does not say"', () => {
    const depends = (modinfo: string[]) =>
      readModuleInfo(bytesSource('x', moduleFixture({ modinfo }))).depends;
    expect(depends(['depends='])).toEqual([]);
    expect(depends(['license=GPL'])).toBeUndefined();
  });

  it('refuses an ELF object that is no module', () => {
    const library = moduleFixture({});
    library.write('.gnu.linkonce.somethingelse', library.indexOf('.gnu.linkonce.this_module'));
    expect(() => readModuleInfo(bytesSource('/lib/x.so', library))).toThrow(
      /"\/lib\/x\.so".*no kernel module/,
    );
  });

  it('refuses a module cut off at any length, naming the file', () => {
    const whole = moduleFixture({ modinfo: MODINFO, needs: ['a', 'b'], exports: ['c'] });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => readModuleInfo(bytesSource('/m/cut.ko', whole.subarray(0, length)))).toThrow(
        /^Cannot read kernel module "\/m\/cut\.ko": /,
      );
    }
  });

  it('answers random bytes, and a module with random bytes in it, with its own error only', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), readOrRefuse));
    const whole = moduleFixture({ modinfo: MODINFO, needs: ['a', 'b'], exports: ['c'] });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, noise) => {
        const data = Buffer.from(whole);
        data.set(noise.slice(0, data.length - at), at);
        readOrRefuse(data);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('symbols', () => {
  it.each([32, 64] as const)('lists what a %i-bit module needs and what it offers', (bits) => {
    const source = bytesSource(
      'x',
      moduleFixture({ bits, needs: ['phy_start', 'printk'], exports: ['ptp_open'] }),
    );
    expect(undefinedSymbols(source)).toEqual(['phy_start', 'printk']);
    expect(exportedSymbols(source)).toEqual(['ptp_open']);
  });
});

describe('parseSoftdep', () => {
  it('ignores words before pre: and post:, as kmod does', () => {
    expect(parseSoftdep('gcm pre: a\tb post: c')).toEqual({ pre: ['a', 'b'], post: ['c'] });
  });
});
