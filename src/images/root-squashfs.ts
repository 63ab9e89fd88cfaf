import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { Generation } from './image-store.js';

/** The root of a generation as one file, and what a node checks it by. */
export interface RootSquashfs {
  readonly path: BytePath;
  /** Hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Name of the file in the directory of its generation. */
export const ROOT_SQUASHFS = 'root.squashfs';

/** Where the file of a generation and its digest belong; nothing has to exist. */
export function rootSquashfsPaths({ directory }: Pick<Generation, 'directory'>): {
  readonly path: BytePath;
  /** In the form of sha256sum(1). It is written last: with it the file is whole. */
  readonly digest: BytePath;
} {
  const path = `${directory}/${ROOT_SQUASHFS}`;
  return { path, digest: `${path}.sha256` };
}

/**
 * The file of a generation; undefined if it was never made, or not to its end.
 * @throws MkrootError InvalidInput if its digest cannot be read.
 */
export function findRootSquashfs(
  fs: ReadFileSystem,
  generation: Pick<Generation, 'directory'>,
): RootSquashfs | undefined {
  const { path, digest } = rootSquashfsPaths(generation);
  const stat = fs.lstat(path);
  if (stat === undefined || fs.lstat(digest) === undefined) return undefined;
  const text = Buffer.from(fs.readFile(digest)).toString('latin1');
  const sha256 = /^([0-9a-f]{64}) [ *]root\.squashfs\n$/.exec(text)?.[1];
  if (sha256 === undefined) {
    throw new MkrootError(`Cannot read "${displayPath(digest)}": it is no line of sha256sum`, {
      exitCode: ExitCode.InvalidInput,
      hint: 'Remove it, and make both again: mkroot squash',
    });
  }
  return { path, sha256, size: stat.size };
}
