import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { debianFirmwarePackage, FirmwareSearch } from '../../../src/kmod/firmware.js';
import { Sysroot } from '../../../src/rootfs/sysroot.js';
import { closureIn, kernelTree } from '../../support/kernel-fixture.js';
import { type MemoryTree, memoryFileSystem } from '../../support/memory-file-system.js';

const FW = '/root/usr/lib/firmware';
/** `printf 'module bytes\n' | zstd` */
const ZSTD = Buffer.from('KLUv/QRYaQAAbW9kdWxlIGJ5dGVzCqNDT44=', 'base64');

function find(tree: MemoryTree, name: string) {
  const sysroot = new Sysroot(memoryFileSystem({ '/root/lib': { link: 'usr/lib' }, ...tree }), '/root');
  return new FirmwareSearch(sysroot, '6.1').find(name);
}

const paths = (tree: MemoryTree, name: string) =>
  find(tree, name).map(({ path }) => path.replace(/.*firmware\//, ''));

describe('firmware (case 13)', () => {
  it('is searched like the kernel does: directories first, then the next form of packing', () => {
    const places = ['a.fw.xz', 'a.fw.zst', 'a.fw', '6.1/a.fw', 'updates/a.fw', 'updates/6.1/a.fw'];
    const tree: Record<string, string> = {};
    for (const place of places) {
      tree[`${FW}/${place}`] = place;
      expect(paths(tree, 'a.fw')).toEqual([place]);
    }
    expect(paths({ [`${FW}/updates/6.1/a.fw.xz`]: '', [`${FW}/a.fw`]: '' }, 'a.fw')).toEqual(['a.fw']);
  });

  it('is found by glob, in packed form too, each name once', () => {
    const tree = {
      [`${FW}/x/a1.bin`]: '',
      [`${FW}/x/a2.bin.xz`]: '',
      [`${FW}/x/b.bin`]: '',
      [`${FW}/updates/x/a1.bin`]: '',
    };
    expect(find(tree, 'x/a*.bin').map(({ name, compression }) => [name, compression])).toEqual([
      ['x/a1.bin', 'none'],
      ['x/a2.bin', 'xz'],
    ]);
    expect(paths(tree, 'x/a1.*')).toEqual(['updates/x/a1.bin']);
    expect(find(tree, '*/b.bin').map(({ name }) => name)).toEqual(['x/b.bin']);
  });

  it('is found through links to directories and to files, which stay inside the root', () => {
    const tree = {
      [`${FW}/real/a.bin`]: '',
      [`${FW}/alias`]: { link: '/lib/firmware/real' },
      [`${FW}/b.bin`]: { link: 'alias/a.bin' },
    };
    expect(find(tree, 'alias/a.bin')).toMatchObject([
      { path: '/usr/lib/firmware/real/a.bin', target: '/lib/firmware/alias/a.bin' },
    ]);
    expect(find(tree, 'b.bin')).toMatchObject([{ path: '/usr/lib/firmware/real/a.bin' }]);
    expect(find(tree, 'ali*/a.bin')).toHaveLength(1);
  });

  it('is never looked for outside of its directories', () => {
    const tree = { [`${FW}/a.fw`]: '', '/root/usr/lib/secret': '' };
    expect(find(tree, '../secret')).toEqual([]);
    expect(find(tree, '../s*')).toEqual([]);
  });

  it('comes unpacked and says whose it is; a built-in driver may need some too', async () => {
    const tree = {
      ...kernelTree(
        { 'kernel/a.ko': ['depends=', 'firmware=a.fw'] },
        { 'modules.builtin.modinfo': 'b.firmware=b.fw\0' },
      ),
      [`${FW}/a.fw.zst`]: ZSTD,
      [`${FW}/b.fw`]: 'plain',
    };
    const { firmware, warnings } = await closureIn(tree, ['a', 'b']);
    expect(
      firmware.map(({ target, cause, data }) => [target, cause, data && Buffer.from(data).toString()]),
    ).toEqual([
      ['/lib/firmware/a.fw', { kind: 'firmware', of: 'a' }, 'module bytes\n'],
      ['/lib/firmware/b.fw', { kind: 'firmware', of: 'b' }, undefined],
    ]);
    expect(warnings).toEqual([]);
  });

  it('that is absent is a warning that names the Debian package, and an error under strict', async () => {
    const tree = kernelTree({ 'kernel/drivers/net/ethernet/bnx2.ko': ['depends=', 'firmware=bnx2/x.fw'] });
    expect((await closureIn(tree, ['bnx2'])).warnings).toEqual([
      expect.stringMatching(/bnx2\/x\.fw.*firmware-bnx2/),
    ]);
    await expect(closureIn(tree, ['bnx2'], { strict: true })).rejects.toMatchObject({
      exitCode: ExitCode.NotFound,
      details: [expect.stringContaining('firmware-bnx2')],
    });
  });

  it.each([
    ['tigon/tg3.bin', 'firmware-misc-nonfree'],
    ['rtl_nic/rtl8168g-2.fw', 'firmware-realtek'],
    ['bnx2x/bnx2x-e1-7.13.21.0.fw', 'firmware-bnx2x'],
  ])('%s is in the Debian package %s', (name, expected) => {
    expect(debianFirmwarePackage(name)).toBe(expected);
  });
});
