import { ExitCode, MkrootError } from '../../errors.js';
import { imageNameOf } from '../../images/image-name.js';
import { type Generation, lastBuiltImage, openImage } from '../../images/image-store.js';
import { findRootSquashfs, type RootSquashfs, rootSquashfsPaths } from '../../images/root-squashfs.js';
import { openKernel } from '../../kmod/kernel.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { openGeneration } from '../../stages/find-published-image.js';
import { squashfsCompressor, squashRoot } from '../../stages/squash-root.js';
import { type LayerWriter, withLayerLock } from '../layers/write-layers.js';

/** Which image becomes one file. */
export interface SquashRequest {
  /** By the name of its recipe; the one that was built last by default. */
  readonly image?: string;
  /** The current one by default. */
  readonly generation?: string;
  readonly state: BytePath;
  /** Even if it is there. */
  readonly force: boolean;
}

/** What was made. */
export interface SquashResult extends RootSquashfs {
  readonly image: string;
  readonly generation: string;
  /** False if it was there already. */
  readonly changed: boolean;
}

/**
 * Makes the root of a generation into one file beside it: GENERATION/root.squashfs, and its digest. The generation itself is not
 * changed, and neither is a file that is there.
 */
export async function squashImage(
  ports: Ports,
  request: SquashRequest,
  writer: LayerWriter,
): Promise<SquashResult> {
  const { fs, progress } = ports;
  const { image, generation } = findGeneration(fs, request);
  const result = { image, generation: generation.id };
  return withLayerLock(ports, request.state, writer, async () => {
    const task = progress.task(`root.squashfs of ${image} ${generation.id}`);
    const there = request.force ? undefined : findRootSquashfs(fs, generation);
    if (there !== undefined) {
      task.skipped('it is there');
      return { ...result, ...there, changed: false };
    }
    try {
      const { path, digest } = rootSquashfsPaths(generation);
      const root = new Sysroot(fs, generation.root);
      const compressor = squashfsCompressor(root, openKernel(root, undefined).release);
      fs.remove(digest);
      const made = await squashRoot(ports, generation.root, path, {
        compressor,
        ...(writer.signal === undefined ? {} : { signal: writer.signal }),
      });
      fs.writeFile(digest, `${made.sha256}  root.squashfs\n`, 0o644);
      task.done(compressor);
      return { ...result, path, ...made, changed: true };
    } catch (error) {
      task.fail();
      throw writer.signal?.aborted ? interrupted(error) : error;
    }
  });
}

function findGeneration(
  fs: ReadFileSystem,
  { image: wanted, generation, state }: SquashRequest,
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

function interrupted(cause: unknown): MkrootError {
  return new MkrootError('Cannot finish root.squashfs: interrupted', {
    exitCode: ExitCode.Interrupted,
    hint: 'Nothing was written.',
    cause,
  });
}
