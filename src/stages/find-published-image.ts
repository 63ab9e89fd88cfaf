import { ExitCode, MkrootError } from '../errors.js';
import { initrdPath, openImage } from '../images/image-store.js';
import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/** What `mkroot build` and `mkroot initrd` published last under one name. */
export interface PublishedImage {
  readonly generation: string;
  readonly root: BytePath;
  readonly kernel: BytePath;
  readonly initrd: BytePath;
}

/**
 * Finds the current generation of an image and the initrd that belongs to it.
 * @throws MkrootError with exit code NotFound that says which command makes what is missing.
 */
export function findPublishedImage(fs: ReadFileSystem, state: BytePath, name: string): PublishedImage {
  const { id, root, kernel } = openImage(fs, state, name);
  const initrd = initrdPath(state, name, id);
  if (fs.lstat(initrd) === undefined) {
    throw new MkrootError(`Cannot boot "${name}": its generation ${id} has no initrd`, {
      exitCode: ExitCode.NotFound,
      hint: `Make it first: mkroot initrd ${name}`,
    });
  }
  return { generation: id, root, kernel, initrd };
}
