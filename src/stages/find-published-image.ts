import { basename } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { Sysroot } from '../rootfs/sysroot.js';

/** What `mkroot build` and `mkroot initrd` published last under one name. */
export interface PublishedImage {
  readonly name: string;
  /** The generation's own name, which `current` points to. */
  readonly generation: string;
  readonly root: BytePath;
  readonly kernel: BytePath;
  readonly initrd: BytePath;
}

/**
 * Finds the current generation of an image: STATE/images/NAME/current/{root,vmlinuz} and
 * STATE/images/NAME/initrds/GENERATION/initrd.img.
 * @throws MkrootError with exit code NotFound that says which command makes what is missing.
 */
export function findPublishedImage(fs: ReadFileSystem, state: BytePath, name: string): PublishedImage {
  const image = `${state}/images/${name}`;
  const host = new Sysroot(fs, '');
  const current = host.resolve(`${image}/current`)?.hostPath;
  if (current === undefined) {
    throw new MkrootError(`Cannot boot "${name}": it was not built in ${displayPath(state)}`, {
      exitCode: ExitCode.NotFound,
      hint: `Build it first: mkroot build ${name}`,
    });
  }
  const generation = basename(current);
  const initrd = `${image}/initrds/${generation}/initrd.img`;
  if (!host.isFile(initrd)) {
    throw new MkrootError(`Cannot boot "${name}": its generation ${generation} has no initrd`, {
      exitCode: ExitCode.NotFound,
      hint: `Make it first: mkroot initrd ${name}`,
    });
  }
  return { name, generation, root: `${current}/root`, kernel: `${current}/vmlinuz`, initrd };
}
