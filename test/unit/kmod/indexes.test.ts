import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import { lookUpAlias, parseAliases } from '../../../src/kmod/alias-table.js';
import { BuiltinModules } from '../../../src/kmod/builtin-modules.js';
import { ModulesDep } from '../../../src/kmod/modules-dep.js';
import { searchOrder } from '../../../src/kmod/search-order.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const PATH = '/lib/modules/6.1/modules.dep';

function modulesDep(text: string): ModulesDep {
  return new ModulesDep(
    { path: PATH, directory: '/usr/lib/modules/6.1', release: '6.1', order: searchOrder() },
    text,
  );
}

function builtins(files: Record<string, string>): BuiltinModules {
  const tree = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/root/m/${name}`, text]));
  return BuiltinModules.read(new Sysroot(memoryFileSystem(tree), '/root'), '/m');
}

function onlyOwnErrors(act: () => unknown, file: string): void {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(MkrootError);
    expect((error as MkrootError).message).toContain(file);
  }
}

describe('modules.dep', () => {
  it('finds a module by its name with _ for -, and its dependencies', () => {
    const index = modulesDep('kernel/a/bcm-phy-lib.ko.xz: kernel/a/libphy.ko.xz\nkernel/a/libphy.ko.xz:\n');
    expect(index.find('bcm_phy_lib')).toEqual({
      name: 'bcm_phy_lib',
      relative: 'kernel/a/bcm-phy-lib.ko.xz',
      path: '/usr/lib/modules/6.1/kernel/a/bcm-phy-lib.ko.xz',
      compression: 'xz',
    });
    expect(index.dependencies('bcm_phy_lib')).toEqual(['libphy']);
    expect(index.find('bcm-phy-lib')).toBeUndefined();
  });

  it('takes absolute paths, and the same module under /lib and /usr/lib, for one (case 14)', () => {
    const index = modulesDep(
      [
        '/lib/modules/6.1/kernel/a.ko: /lib/modules/6.1/kernel/b.ko',
        '/usr/lib/modules/6.1/kernel/a.ko: /usr/lib/modules/6.1/kernel/b.ko',
        '/lib/modules/6.1/kernel/b.ko:',
        '/usr/lib/modules/6.1/kernel/b.ko:',
        '',
      ].join('\n'),
    );
    expect([...index.names()]).toEqual(['a', 'b']);
    expect(index.find('a')?.path).toBe('/usr/lib/modules/6.1/kernel/a.ko');
    expect(index.dependencies('a')).toEqual(['b']);
  });

  it('prefers updates to kernel to extra where a module has several lines', () => {
    const lines = ['extra/x.ko:', 'kernel/x.ko:', 'updates/x.ko:', 'extra/y.ko:', 'kernel/y.ko:', ''];
    for (const text of [lines.join('\n'), `${[...lines].reverse().join('\n').trim()}\n`]) {
      expect([modulesDep(text).find('x')?.relative, modulesDep(text).find('y')?.relative]).toEqual([
        'updates/x.ko',
        'kernel/y.ko',
      ]);
    }
  });

  it('names file and line of what it cannot read', () => {
    expect(() => modulesDep('kernel/a.ko:\nkernel/b\n')).toThrow(/modules\.dep" line 2: /);
    expect(() => modulesDep('kernel/a.ko:\nkernel/b.ko: kern')).toThrow(/modules\.dep" line 2: .*cut off/);
    expect(() => modulesDep('# x\nkernel/a.ko: kernel/gone.ko\n').dependencies('a')).toThrow(
      /modules\.dep" line 2: .*"kernel\/gone\.ko"/,
    );
  });

  it('answers random text and bytes with its own error only', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('a.ko', 'b.ko', ':', ' ', '\n', '/', '\0', '#', '.xz'), { maxLength: 30 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (noise) =>
        onlyOwnErrors(() => {
          const index = modulesDep(noise);
          for (const name of index.names()) index.dependencies(name);
        }, PATH),
      ),
    );
  });
});

describe('modules.alias', () => {
  const table = (text: string) => [...parseAliases('/m/modules.alias', text)];

  it('finds modules by pattern, with - and _ the same outside of brackets', () => {
    const aliases = table(
      'alias fs-overlay overlay\nalias pci:v00008086d0000153Asv*sd*bc*sc*i* e1000e\nalias x-[0-9]y sub-one\nalias dmi*:pnA B:* dmi\n',
    );
    expect(lookUpAlias(aliases, 'fs_overlay')).toEqual(['overlay']);
    expect(lookUpAlias(aliases, 'pci:v00008086d0000153Asv00001028sd00000001bc02sc00i00')).toEqual(['e1000e']);
    expect(lookUpAlias(aliases, 'x_7y')).toEqual(['sub_one']);
    expect(lookUpAlias(aliases, 'x_-y')).toEqual([]);
    expect(lookUpAlias(aliases, 'dmi1:pnA B:z')).toEqual(['dmi']);
  });

  it('names file and line of what it cannot read, whatever the bytes', () => {
    expect(() => table('alias a b\nalias c\n')).toThrow(/modules\.alias" line 2: /);
    expect(() => table('alias a b\nalias c')).toThrow(/modules\.alias" line 2: .*cut off/);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (noise, name) =>
        onlyOwnErrors(() => lookUpAlias(table(`alias ${noise}`), name), 'modules.alias'),
      ),
    );
  });
});

describe('built-in modules', () => {
  it('are known from modules.builtin and from modules.builtin.modinfo, with what they say', () => {
    const known = builtins({
      'modules.builtin': 'kernel/net/packet/af_packet.ko\n',
      'modules.builtin.modinfo': 'r8169.firmware=rtl_nic/a.fw\0r8169.alias=pci:v1\0af_packet.license=GPL\0',
    });
    expect(known.names()).toEqual(['af_packet', 'r8169']);
    expect(known.infoOf('r8169').firmware).toEqual(['rtl_nic/a.fw']);
    expect([...known.aliases()]).toEqual([{ pattern: 'pci:v1', module: 'r8169' }]);
  });

  it('may be unknown altogether: neither file is there', () => {
    expect(builtins({}).names()).toEqual([]);
  });

  it('cut off or random files are refused by name', () => {
    expect(() => builtins({ 'modules.builtin': 'kernel/a.ko\nkern' })).toThrow(/modules\.builtin" line 2/);
    expect(() => builtins({ 'modules.builtin.modinfo': 'a.b=c\0a.d' })).toThrow(/modules\.builtin\.modinfo/);
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (noise) => {
        onlyOwnErrors(() => builtins({ 'modules.builtin': noise }), '/m/modules.builtin');
        onlyOwnErrors(() => builtins({ 'modules.builtin.modinfo': noise }), '/m/modules.builtin.modinfo');
      }),
      { numRuns: 50 },
    );
  });
});
