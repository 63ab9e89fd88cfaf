import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../../errors.js';
import type { ManifestKernel } from '../../images/manifest.js';
import { compareReleases } from '../../kmod/kernel-release.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Sysroot } from '../../rootfs/sysroot.js';

/**
 * The kernels of a root that have both modules and a bootable image (Debian: /boot/vmlinuz-RELEASE; others:
 * /lib/modules/RELEASE/vmlinuz), newest first.
 * @throws MkrootError NotFound if there is none.
 */
export function collectKernels(sysroot: Sysroot): ManifestKernel[] {
  const kernels = sysroot
    .list('/lib/modules')
    .flatMap((release) => {
      const path = [
        `/boot/vmlinuz-${release}`,
        `/boot/vmlinux-${release}`,
        `/lib/modules/${release}/vmlinuz`,
      ].find((candidate) => sysroot.isFile(candidate));
      return path === undefined ? [] : [describe(sysroot, release, path)];
    })
    .sort((a, b) => compareReleases(b.release, a.release));
  if (kernels.length === 0) {
    throw new MkrootError(
      `Cannot find a kernel in "${sysroot.displayName}": nothing in /boot fits /lib/modules`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Name a kernel in the recipe (kernel), such as the package linux-image-amd64; see docs/kernels.md.',
      },
    );
  }
  return kernels;
}

function describe(sysroot: Sysroot, release: BytePath, path: BytePath): ManifestKernel {
  const resolved = sysroot.resolve(path)!;
  const hash = createHash('sha256');
  for (const chunk of sysroot.fs.readChunks(resolved.hostPath)) hash.update(chunk);
  return { release, path: resolved.path, size: resolved.stat.size, sha256: hash.digest('hex') };
}
