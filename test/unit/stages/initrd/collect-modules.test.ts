import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../src/archive/tree.js';
import { openKernel } from '../../../../src/kmod/kernel.js';
import { Sysroot } from '../../../../src/rootfs/sysroot.js';
import { collectModules } from '../../../../src/stages/initrd/collect-modules.js';
import { kernelTree } from '../../../support/kernel-fixture.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';
import { SilentProgress } from '../../../support/silent-progress.js';

const reason = (option: string) => ({ kind: 'option', option }) as const;
const wanted = (option: string, value: string) => ({ value, reason: reason(`${option} ${value}`) });

/** What is collected from a kernel that has these modules besides those of every initramfs. */
async function collected(modules: readonly string[], wishes: Partial<Parameters<typeof collectModules>[3]>) {
  const all = ['af_packet', 'nfs', 'overlay', ...modules];
  const fs = memoryFileSystem(
    kernelTree(Object.fromEntries(all.map((path) => [`kernel/${path}.ko`, ['depends=']]))),
  );
  const ports = {
    fs,
    runner: new ScriptedRunner(),
    progress: new SilentProgress(),
    clock: { now: () => new Date(0), monotonicMs: () => 0, sleep: async () => {} },
  };
  const kernel = openKernel(new Sysroot(fs, '/root'), undefined);
  const none = { nics: [], drivers: [], transports: [], tops: [], strict: false };
  const { closure, nics } = await collectModules(new ArchiveTree(), ports, kernel, { ...none, ...wishes });
  const names = closure.modules.map(({ name }) => name);
  return { nics, modules: names.filter((name) => modules.includes(name)).sort(), closure: names.sort() };
}

describe('the modules of an initramfs', () => {
  const every = ['erofs', 'loop', 'squashfs', 'virtio_net', 'virtio_pci'];

  it('have the bus that a virtio card appears on, which no module depends on, where it is no part of the kernel', async () => {
    const nics = [wanted('--nic', 'virtio-net')];
    expect(await collected(every, { nics })).toMatchObject({
      nics: ['virtio_net'],
      modules: ['virtio_net', 'virtio_pci'],
    });
    expect((await collected(['virtio_net'], { nics })).modules).toEqual(['virtio_net']);
  });

  it('have the controllers of the bus that a network card on USB appears on', async () => {
    const usb = ['drivers/net/usb/r8152', 'drivers/usb/host/xhci-pci', 'drivers/usb/host/ehci-pci'];
    const { closure, nics } = await collected(usb, { nics: [wanted('--nic', 'r8152')] });
    expect(nics).toEqual(['r8152']);
    expect(closure).toEqual(['af_packet', 'ehci_pci', 'nfs', 'overlay', 'r8152', 'xhci_pci']);
    const none = await collected([...usb, 'drivers/net/ethernet/tg3'], { nics: [wanted('--nic', 'tg3')] });
    expect(none.closure).toEqual(['af_packet', 'nfs', 'overlay', 'tg3']);
  });

  it('mount the file systems of the transports, each once', async () => {
    const transports = ['nfs', 'squashfs-nfs', 'squashfs-http'].map((one) => wanted('--transport', one));
    expect((await collected(every, { transports })).modules).toEqual(['loop', 'squashfs']);
    const erofs = [wanted('--transport', 'erofs-http')];
    expect((await collected(every, { transports: erofs })).modules).toEqual(['erofs', 'loop']);
  });

  it('mount the writable tops: ext4, or what unionfs-fuse takes', async () => {
    const all = ['ext4', 'fuse', 'loop'];
    const tops = (...names: string[]) => ({ tops: names.map((name) => wanted('--top', name)) });
    expect((await collected(all, tops())).modules).toEqual([]);
    expect((await collected(all, tops('disk', 'partitions'))).modules).toEqual(['ext4', 'loop']);
    expect((await collected(all, tops('unionfs'))).modules).toEqual(['fuse']);
    expect((await collected(all, tops('unionfs', 'image'))).modules).toEqual(['ext4', 'fuse', 'loop']);
  });
});
