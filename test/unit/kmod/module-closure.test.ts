import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { describeCause } from '../../../src/kmod/module-cause.js';
import { transportModules } from '../../../src/kmod/transport-modules.js';
import { closureIn, kernelTree, loaded, MODULES, shipped } from '../../support/kernel-fixture.js';
import { moduleFixture } from '../../support/module-fixture.js';

const NET = 'kernel/drivers/net';

describe('two modules of one name (case 11)', () => {
  const modules = {
    'kernel/net/wifi.ko': ['depends=mac', 'vermagic=in-tree'],
    'kernel/net/mac.ko': ['depends=', 'vermagic=in-tree'],
    'kernel/net/lib.ko': ['depends='],
    'updates/dkms/wifi.ko': ['depends=mac', 'vermagic=out-of-tree'],
    'updates/dkms/mac.ko': ['depends=lib', 'vermagic=out-of-tree'],
    'extra/lib.ko': ['depends=', 'vermagic=extra'],
  };
  const dep = [
    'kernel/net/wifi.ko: kernel/net/mac.ko',
    'kernel/net/mac.ko:',
    'kernel/net/lib.ko:',
    'updates/dkms/wifi.ko: updates/dkms/mac.ko kernel/net/lib.ko',
    'updates/dkms/mac.ko: kernel/net/lib.ko',
    '',
  ].join('\n');

  it.each([
    ['without modules.dep', {}],
    ['with modules.dep', { 'modules.dep': dep }],
  ])('%s the winner is chosen before its dependencies are followed', async (_label, others) => {
    const closure = await closureIn(kernelTree(modules, others), ['wifi']);
    expect(closure.modules.map(({ path }) => path.slice(MODULES.length - '/root'.length + 1))).toEqual([
      'kernel/net/lib.ko',
      'updates/dkms/mac.ko',
      'updates/dkms/wifi.ko',
    ]);
  });

  it("obeys the root's own depmod.d", async () => {
    const tree = {
      ...kernelTree(modules),
      '/root/etc/depmod.d/site.conf': 'search extra built-in updates\noverride wifi * updates/dkms\n',
    };
    const closure = await closureIn(tree, ['wifi', 'lib']);
    expect(closure.modules.map(({ target }) => target.replace(/.*test\//, ''))).toEqual([
      'kernel/net/mac.ko',
      'updates/dkms/wifi.ko',
      'extra/lib.ko',
    ]);
  });
});

describe('softdep, weakdep and names (case 12)', () => {
  it('a softdep cycle ends, and every module comes after what it depends on', async () => {
    const tree = kernelTree({
      'kernel/a.ko': ['depends=', 'softdep=pre: b'],
      'kernel/b.ko': ['depends=a', 'softdep=pre: c post: a'],
      'kernel/c.ko': ['depends=', 'softdep=pre: a post: b'],
    });
    for (const first of ['a', 'b', 'c']) {
      const order = loaded(await closureIn(tree, [first]));
      expect([...order].sort()).toEqual(['a', 'b', 'c']);
      expect(order.indexOf('a')).toBeLessThan(order.indexOf('b'));
    }
  });

  it('pre comes before, post after, - and _ are the same, by alias too', async () => {
    const tree = kernelTree({
      'kernel/net/main-driver.ko': ['depends=', 'softdep=pre: crc32c post: late_one'],
      'kernel/net/late-one.ko': ['depends='],
      'kernel/crypto/crc32c-generic.ko': ['depends=', 'alias=crypto-crc32c', 'alias=crc32c'],
    });
    const closure = await closureIn(tree, ['main_driver']);
    expect(loaded(closure)).toEqual(['crc32c_generic', 'main_driver', 'late_one']);
    expect(closure.modules.map(({ cause }) => describeCause(cause))).toEqual([
      'softdep of main_driver',
      'requested by --driver main_driver',
      'softdep of main_driver',
    ]);
  });

  it('a softdep to what is built in needs nothing, one to what is nowhere is a warning', async () => {
    const tree = kernelTree(
      { 'kernel/a.ko': ['depends=', 'softdep=pre: crc32c_generic crypto-sha256 nowhere'] },
      {
        'modules.builtin': 'kernel/crypto/crc32c_generic.ko\n',
        'modules.builtin.modinfo': 'sha256_generic.alias=crypto-sha256\0',
      },
    );
    const closure = await closureIn(tree, ['a']);
    expect(loaded(closure)).toEqual(['a']);
    expect(closure.builtins.map(({ name, cause }) => `${name}: ${describeCause(cause)}`)).toEqual([
      'crc32c_generic: softdep of a',
      'sha256_generic: softdep of a',
    ]);
    expect(closure.warnings).toEqual([expect.stringContaining('softdep nowhere of a')]);
  });

  it('a driver of two halves has both, of which its module names one: mlx4_core asks for mlx4_en when it has seen the ports', async () => {
    const both = {
      [`${NET}/ethernet/mellanox/mlx4/mlx4_core.ko`]: ['depends='],
      [`${NET}/ethernet/mellanox/mlx4/mlx4_en.ko`]: ['depends=mlx4_core'],
    };
    const closure = await closureIn(kernelTree(both), ['mlx4_core']);
    expect([loaded(closure), shipped(closure)]).toEqual([['mlx4_core'], ['mlx4_en']]);
    const alone = await closureIn(kernelTree({ 'kernel/mlx4_core.ko': ['depends='] }), ['mlx4_core']);
    expect([shipped(alone), alone.warnings]).toEqual([[], []]);
  });

  it('a weakdep is there with its dependencies, but not loaded', async () => {
    const tree = kernelTree({
      'kernel/a.ko': ['depends=', 'weakdep=maybe'],
      'kernel/maybe.ko': ['depends=lib'],
      'kernel/lib.ko': ['depends='],
    });
    const closure = await closureIn(tree, ['a']);
    expect([loaded(closure), shipped(closure)]).toEqual([['a'], ['lib', 'maybe']]);
    expect(closure.modules.map(({ cause }) => describeCause(cause))).toEqual([
      'requested by --driver a',
      'dependency of maybe',
      'weakdep of a',
    ]);
  });
});

describe('without modules.dep (case 14)', () => {
  it('dependencies of a module that does not name them come from its undefined symbols', async () => {
    const tree = {
      ...kernelTree({ 'kernel/other.ko': ['depends='] }),
      [`${MODULES}/kernel/old.ko`]: moduleFixture({
        modinfo: ['license=GPL'],
        needs: ['phy_start', 'printk'],
      }),
      [`${MODULES}/kernel/phy.ko`]: moduleFixture({ modinfo: ['license=GPL'], exports: ['phy_start'] }),
    };
    expect(loaded(await closureIn(tree, ['old']))).toEqual(['phy', 'old']);
  });

  it('a dependency that is nowhere is an error that names both', async () => {
    const tree = kernelTree({ 'kernel/a.ko': ['depends=gone'] });
    await expect(closureIn(tree, ['a'])).rejects.toMatchObject({
      exitCode: ExitCode.NotFound,
      message: expect.stringMatching(/"gone": .*kernel\/a\.ko depends on it/),
    });
  });

  it('a dependency cycle ends', async () => {
    const tree = kernelTree({ 'kernel/a.ko': ['depends=b'], 'kernel/b.ko': ['depends=a'] });
    expect(loaded(await closureIn(tree, ['a'])).sort()).toEqual(['a', 'b']);
  });
});

describe('modules.dep', () => {
  it('that names a file which is not there is an error that names it', async () => {
    const tree = kernelTree({}, { 'modules.dep': 'kernel/a.ko:\n' });
    await expect(closureIn(tree, ['a'])).rejects.toThrow(/kernel\/a\.ko": modules\.dep names it/);
  });

  it('may be older than the packing of the modules', async () => {
    const tree = kernelTree({ 'kernel/a.ko': ['depends='] }, { 'modules.dep': 'kernel/a.ko.xz:\n' });
    expect((await closureIn(tree, ['a'])).modules).toMatchObject([{ compression: 'none' }]);
  });

  it('counts where it lists more than the modules themselves say', async () => {
    const tree = kernelTree(
      { 'kernel/a.ko': ['depends='], 'kernel/b.ko': ['depends='] },
      { 'modules.dep': 'kernel/a.ko: kernel/b.ko\nkernel/b.ko:\n' },
    );
    const { modules } = await closureIn(tree, ['a']);
    expect(modules.map(({ name, cause }) => [name, describeCause(cause)])).toEqual([
      ['b', 'dependency of a'],
      ['a', 'requested by --driver a'],
    ]);
  });
});

describe('PHY and MDIO modules', () => {
  const phys = {
    [`${NET}/phy/libphy.ko`]: ['depends='],
    [`${NET}/phy/broadcom.ko`]: ['depends=libphy,bcm-phy-lib'],
    [`${NET}/phy/bcm-phy-lib.ko`]: ['depends=libphy'],
    [`${NET}/phy/realtek.ko`]: ['depends=libphy'],
    [`${NET}/phy/marvell.ko`]: ['depends=libphy'],
  };

  it('of the driver come along, for the kernel to ask for', async () => {
    const tree = kernelTree({ ...phys, [`${NET}/ethernet/broadcom/tg3.ko`]: ['depends=libphy'] });
    const closure = await closureIn(tree, ['tg3']);
    expect([loaded(closure), shipped(closure)]).toEqual([
      ['libphy', 'tg3'],
      ['bcm_phy_lib', 'broadcom'],
    ]);
    expect(describeCause(closure.modules.at(-1)!.cause)).toBe('PHY family of tg3');
  });

  it('of a driver that the table does not know are the common ones, if it uses the PHY library at all', async () => {
    const tree = kernelTree({
      ...phys,
      [`${NET}/ethernet/new/newnic.ko`]: ['depends=newlib'],
      [`${NET}/ethernet/new/newlib.ko`]: ['depends=libphy'],
      [`${NET}/ethernet/new/simple.ko`]: ['depends='],
    });
    expect(shipped(await closureIn(tree, ['newnic']))).toEqual(
      expect.arrayContaining(['broadcom', 'marvell', 'realtek']),
    );
    expect(shipped(await closureIn(tree, ['simple']))).toEqual([]);
  });
});

describe('transports', () => {
  it('nfs asks for the versions of the protocol that the kernel only loads at mount time', () => {
    expect(transportModules('nfs').map(({ name }) => name)).toEqual(['nfs', 'nfsv3', 'nfsv4']);
    expect(transportModules('squashfs').map(({ name }) => name)).toEqual(['loop', 'squashfs']);
    expect(transportModules('overlay').map(({ name }) => name)).toEqual(['overlay']);
    expect(transportModules('dhcp').map(({ name }) => name)).toEqual(['af_packet']);
  });
});
