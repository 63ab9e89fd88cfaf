import { findRootSquashfs, ROOT_SQUASHFS, type RootSquashfs } from '../images/root-squashfs.js';
import { openKernel } from '../kmod/kernel.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import { Sysroot } from '../rootfs/sysroot.js';
import { type SquashOptions, squashfsCompressor, squashRoot } from './squash-root.js';

/** The root of a lab as one file: what was made for its generation, else one that is packed into a directory, quickly unless told otherwise. */
export async function prepareLabImage(
  ports: Ports,
  root: BytePath,
  directory: BytePath,
  signal?: AbortSignal,
  effort: NonNullable<SquashOptions['effort']> = 'quick',
): Promise<RootSquashfs> {
  const { fs, progress } = ports;
  const made = findRootSquashfs(fs, { directory: root.slice(0, root.lastIndexOf('/')) });
  if (made !== undefined) return made;
  const task = progress.task('root.squashfs of the lab');
  try {
    const path = `${directory}/${ROOT_SQUASHFS}`;
    const sysroot = new Sysroot(fs, root);
    const compressor = squashfsCompressor(sysroot, openKernel(sysroot, undefined).release);
    const packed = await squashRoot(ports, root, path, {
      compressor,
      effort,
      ...(signal === undefined ? {} : { signal }),
    });
    task.done();
    return { path, ...packed };
  } catch (error) {
    task.fail();
    throw error;
  }
}
