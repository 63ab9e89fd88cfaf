import { newcBytes } from '../archive/newc-writer.js';
import { ArchiveTree } from '../archive/tree.js';
import { openKernel } from '../kmod/kernel.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import { Sysroot } from '../rootfs/sysroot.js';
import { collectMergedDirectories } from '../stages/collect-merged-directories.js';
import { collectModules } from '../stages/collect-modules.js';
import type { Wanted } from '../stages/wanted.js';
import { readSidecar } from './ask-why.js';

/** Which driver is to be added to which initramfs. */
export interface DriverSegmentRequest {
  /** The root that the initramfs was made from. */
  readonly root: BytePath;
  /** An initramfs with its sidecar. */
  readonly initrd: BytePath;
  /** Network driver, as `--nic` takes it. */
  readonly nic: Wanted;
}

/**
 * An uncompressed cpio archive that adds a network driver to an initramfs when a boot loader hands both to the kernel: the
 * modules that the initramfs lacks, and indexes for all of them. The published file stays as it is.
 */
export async function makeDriverSegment(
  ports: Ports,
  { root, initrd, nic }: DriverSegmentRequest,
): Promise<Uint8Array> {
  const published = readSidecar(ports.fs, initrd);
  const tree = new ArchiveTree();
  collectMergedDirectories(tree);
  const alreadyThere = published.modules.map((value) => ({ value, reason: nic.reason }));
  await collectModules(tree, ports, openKernel(new Sysroot(ports.fs, root), published.kernel), {
    nics: [nic],
    drivers: alreadyThere,
    strict: false,
  });
  const names = new Set(published.entries.map(({ path }) => path));
  const added = tree.entries().filter(({ path, reason }) => reason.kind === 'index' || !names.has(path));
  return newcBytes(added, ports.fs);
}
