import { MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { findPublishedImage, type PublishedImage } from '../../stages/publish/find-published-image.js';
import { driversOf } from '../initrd/driver-initrd.js';

/** Nodes with the same key boot the same kernel and initrd. */
export function imageKey(node: Node, generation: string | undefined): string {
  return JSON.stringify([node.image, generation ?? '', node.kernel ?? '', driversOf(node)]);
}

/**
 * The image and kernel that a node boots; the drivers of its inventory are not looked at.
 * @param generation the current one if undefined.
 * @throws MkrootError NotFound that names the node.
 */
export function findNodeImage(
  fs: ReadFileSystem,
  state: BytePath,
  { name, image, kernel }: Node,
  generation: string | undefined,
): PublishedImage {
  try {
    return findPublishedImage(fs, state, image, {
      ...(generation === undefined ? {} : { generation }),
      ...(kernel === undefined ? {} : { kernel }),
    });
  } catch (error) {
    if (!(error instanceof MkrootError) || kernel === undefined) throw error;
    throw new MkrootError(error.message, {
      exitCode: error.exitCode,
      details: [
        ...error.details,
        `  kernel "${kernel}" is set for ${name}; where: mkroot nodes show ${name}`,
      ],
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
