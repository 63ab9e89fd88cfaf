import {
  findRootImage,
  type RootImage,
  type RootImageFormat,
  rootImageName,
} from '../../images/root-image.js';
import { openKernel } from '../../kmod/kernel.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { type PackOptions, packRoot, rootCompressor } from '../initrd/pack-root.js';

/** The root of a lab as one file: what was made for its generation, else one that is packed into a directory, quickly unless told otherwise. */
export async function prepareLabImage(
  ports: Ports,
  root: BytePath,
  format: RootImageFormat,
  directory: BytePath,
  { effort = 'quick', signal }: Pick<PackOptions, 'effort' | 'signal'> = {},
): Promise<RootImage> {
  const { fs, progress } = ports;
  const made = findRootImage(fs, { directory: root.slice(0, root.lastIndexOf('/')) }, format);
  if (made !== undefined) return made;
  const task = progress.task(`${rootImageName(format)} of the lab`);
  try {
    const path = `${directory}/${rootImageName(format)}`;
    const sysroot = new Sysroot(fs, root);
    const compressor = rootCompressor(sysroot, openKernel(sysroot, undefined).release, format);
    const packed = await packRoot(ports, root, path, {
      format,
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
