import { ExitCode, MkrootError } from '../../errors.js';
import { initrdPath, listGenerations, openImage } from '../../images/image-store.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { openGeneration } from '../../stages/publish/find-published-image.js';

/** Two generations of an image. */
export interface RollbackTarget {
  readonly image: string;
  /** The current one. */
  readonly from: string;
  /** The one to go to. */
  readonly generation: string;
}

/**
 * Which generation an image goes back to: the one that is named, or the newest before the current one that has an initrd.
 * @throws MkrootError NotFound if there is none.
 */
export function rollbackTarget(
  fs: ReadFileSystem,
  state: BytePath,
  image: string,
  wanted?: string,
): RollbackTarget {
  const from = openImage(fs, state, image).id;
  if (wanted !== undefined) {
    return { image, from, generation: openGeneration(fs, state, image, wanted).id };
  }
  const before = listGenerations(fs, state, image)
    .map(({ id }) => id)
    .filter((id) => id < from && fs.lstat(initrdPath(state, image, id)) !== undefined)
    .at(-1);
  if (before !== undefined) return { image, from, generation: before };
  throw new MkrootError(`Cannot roll back "${image}": nothing that boots is older than ${from}`, {
    exitCode: ExitCode.NotFound,
    hint: 'Name another generation by --to ID, or build one.',
  });
}
