import { fileURLToPath } from 'node:url';
import { type BytePath, toBytePath } from '../ports/byte-path.js';

/** Directories that come with mkroot's package. */
export interface PackageDirectories {
  readonly skeleton: BytePath;
}

/** Where they lie, whether mkroot runs from a clone or is installed. */
export function packageDirectories(): PackageDirectories {
  return { skeleton: toBytePath(fileURLToPath(new URL('../../initramfs-skel', import.meta.url))) };
}
