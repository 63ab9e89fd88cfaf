import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { Generation } from './image-store.js';

/** File systems that a root can be as one file, the usual one first. */
export const ROOT_IMAGE_FORMATS = ['squashfs', 'erofs'] as const;

/** One of {@link ROOT_IMAGE_FORMATS}. */
export type RootImageFormat = (typeof ROOT_IMAGE_FORMATS)[number];

/** The root of a generation as one file, and what a node checks it by. */
export interface RootImage {
  readonly path: BytePath;
  /** Hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Name of the file in the directory of its generation; nodes tell the file system by it. */
export function rootImageName(format: RootImageFormat): string {
  return `root.${format}`;
}

/** Where the file of a generation and its digest belong; nothing has to exist. */
export function rootImagePaths(
  { directory }: Pick<Generation, 'directory'>,
  format: RootImageFormat,
): {
  readonly path: BytePath;
  /** In the form of sha256sum(1). It is written last: with it the file is whole. */
  readonly digest: BytePath;
} {
  const path = `${directory}/${rootImageName(format)}`;
  return { path, digest: `${path}.sha256` };
}

/**
 * The file of a generation; undefined if it was never made, or not to its end.
 * @throws MkrootError InvalidInput if its digest cannot be read.
 */
export function findRootImage(
  fs: ReadFileSystem,
  generation: Pick<Generation, 'directory'>,
  format: RootImageFormat,
): RootImage | undefined {
  const { path, digest } = rootImagePaths(generation, format);
  const stat = fs.lstat(path);
  if (stat === undefined || fs.lstat(digest) === undefined) return undefined;
  const text = Buffer.from(fs.readFile(digest)).toString('latin1');
  const [, sha256, name] = /^([0-9a-f]{64}) [ *](\S+)\n$/.exec(text) ?? [];
  if (sha256 === undefined || name !== rootImageName(format)) {
    throw new MkrootError(`Cannot read "${displayPath(digest)}": it is no line of sha256sum`, {
      exitCode: ExitCode.InvalidInput,
      hint: 'Remove it, and make both again: mkroot squash',
    });
  }
  return { path, sha256, size: stat.size };
}
