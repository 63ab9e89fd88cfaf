import { ExitCode, MkrootError } from '../../errors.js';
import { imageNameOf } from '../../images/image-name.js';
import { type Generation, lastBuiltImage, openImage } from '../../images/image-store.js';
import {
  findRootImage,
  type RootImage,
  type RootImageFormat,
  rootImageName,
  rootImagePaths,
} from '../../images/root-image.js';
import { openKernel } from '../../kmod/kernel.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { packRoot, rootCompressor } from '../../stages/initrd/pack-root.js';
import { openGeneration } from '../../stages/publish/find-published-image.js';
import { type LayerWriter, withLayerLock } from '../layers/write-layers.js';

/** Which image becomes one file. */
export interface PackRequest {
  /** By the name of its recipe; the one that was built last by default. */
  readonly image?: string;
  /** The current one by default. */
  readonly generation?: string;
  readonly state: BytePath;
  readonly format: RootImageFormat;
  /** Even if it is there. */
  readonly force: boolean;
}

/** What was made. */
export interface PackResult extends RootImage {
  readonly image: string;
  readonly generation: string;
  /** False if it was there already. */
  readonly changed: boolean;
}

/**
 * Makes the root of a generation into one file beside it: GENERATION/root.squashfs or root.erofs, and its digest. The generation itself is not
 * changed, and neither is a file that is there.
 */
export async function packImage(
  ports: Ports,
  request: PackRequest,
  writer: LayerWriter,
): Promise<PackResult> {
  const { fs, progress } = ports;
  const { format } = request;
  const file = rootImageName(format);
  const { image, generation } = findGeneration(fs, request);
  const result = { image, generation: generation.id };
  return withLayerLock(ports, request.state, writer, async () => {
    const task = progress.task(`${file} of ${image} ${generation.id}`);
    const there = request.force ? undefined : findRootImage(fs, generation, format);
    if (there !== undefined) {
      task.skipped('it is there');
      return { ...result, ...there, changed: false };
    }
    try {
      const { path, digest } = rootImagePaths(generation, format);
      const root = new Sysroot(fs, generation.root);
      const compressor = rootCompressor(root, openKernel(root, undefined).release, format);
      fs.remove(digest);
      const made = await packRoot(ports, generation.root, path, {
        format,
        compressor,
        ...(writer.signal === undefined ? {} : { signal: writer.signal }),
      });
      fs.writeFile(digest, `${made.sha256}  ${file}\n`, 0o644);
      task.done(compressor);
      return { ...result, path, ...made, changed: true };
    } catch (error) {
      task.fail();
      throw writer.signal?.aborted ? interrupted(file, error) : error;
    }
  });
}

function findGeneration(
  fs: ReadFileSystem,
  { image: wanted, generation, state }: PackRequest,
): { readonly image: string; readonly generation: Generation } {
  const image = wanted === undefined ? lastBuiltImage(fs, state) : imageNameOf(wanted);
  if (image === undefined) {
    throw new MkrootError(
      `Cannot squash an image: none was named, and none was built in ${displayPath(state)}`,
      { exitCode: ExitCode.Usage, hint: 'Build one first: mkroot build compute.' },
    );
  }
  const found =
    generation === undefined ? openImage(fs, state, image) : openGeneration(fs, state, image, generation);
  return { image, generation: found };
}

function interrupted(file: string, cause: unknown): MkrootError {
  return new MkrootError(`Cannot finish ${file}: interrupted`, {
    exitCode: ExitCode.Interrupted,
    hint: 'Nothing was written.',
    cause,
  });
}
