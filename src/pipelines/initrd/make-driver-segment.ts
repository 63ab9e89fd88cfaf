import type { ArchiveEntry } from '../../archive/entry.js';
import { newcBytes } from '../../archive/newc-writer.js';
import type { Sidecar } from '../../archive/sidecar.js';
import { ArchiveTree } from '../../archive/tree.js';
import { openKernel } from '../../kmod/kernel.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { collectMergedDirectories } from '../../stages/initrd/collect-merged-directories.js';
import { type CollectedModules, collectModules } from '../../stages/initrd/collect-modules.js';
import type { Wanted } from '../../stages/initrd/wanted.js';
import { readSidecar } from './ask-why.js';

/** Which driver is to be added to which initramfs. */
export interface DriverSegmentRequest {
  /** The root that the initramfs was made from. */
  readonly root: BytePath;
  /** An initramfs with its sidecar. */
  readonly initrd: BytePath;
  /** Network drivers, as `--nic` takes them. */
  readonly nics: readonly Wanted[];
}

/**
 * An uncompressed cpio archive that adds network drivers to an initramfs when a boot loader hands both to the kernel: the
 * modules that the initramfs lacks, and indexes for all of them. The published file stays as it is.
 */
export async function makeDriverSegment(
  ports: Ports,
  { root, initrd, nics }: DriverSegmentRequest,
): Promise<Uint8Array> {
  const published = readSidecar(ports.fs, initrd);
  const { entries } = await collectMissingModules(ports, root, published, { nics, drivers: [] });
  return newcBytes(entries, ports.fs);
}

/** What an initramfs lacks for further drivers. */
export interface MissingModules {
  /** Modules and firmware that it has not, and indexes for these and all that it has. */
  readonly entries: readonly ArchiveEntry[];
  /** Why each of the entries is there. */
  readonly tree: ArchiveTree;
  /** All modules, those that it has among them. */
  readonly collected: CollectedModules;
}

/** Collects what has to be added to an initramfs, which was made from that root, to have further drivers. */
export async function collectMissingModules(
  ports: Ports,
  root: BytePath,
  published: Sidecar,
  { nics, drivers }: { readonly nics: readonly Wanted[]; readonly drivers: readonly Wanted[] },
): Promise<MissingModules> {
  const tree = new ArchiveTree();
  const sysroot = new Sysroot(ports.fs, root);
  collectMergedDirectories(tree, sysroot);
  const reason = [...nics, ...drivers][0]?.reason ?? { kind: 'base', what: 'the published initrd' };
  const alreadyThere = published.modules.map((value) => ({ value, reason }));
  const kernel = openKernel(sysroot, published.kernel);
  const collected = await collectModules(tree, ports, kernel, {
    nics,
    drivers: [...drivers, ...alreadyThere],
    transports: [],
    tops: [],
    strict: false,
  });
  const names = new Set(published.entries.map(({ path }) => path));
  const entries = tree.entries().filter(({ path, reason: { kind } }) => kind === 'index' || !names.has(path));
  return { entries, tree, collected };
}
