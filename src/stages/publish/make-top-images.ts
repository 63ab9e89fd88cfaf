import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';

/** The file that takes what one node writes, and that is not there yet. */
export interface WantedTopImage {
  readonly node: string;
  readonly path: BytePath;
  /** As mkfs.ext4(8) takes it: a number with k, m or g. */
  readonly size: string;
}

/**
 * Makes empty ext4 file systems in files, which take no room on the disk before something is written. Each gets its name when it is
 * whole, and one that is there is never touched again, whatever size is wanted now: it is the node's. So is the directory that it comes
 * to lie in: the node may put links there, and nothing is made in it.
 */
export async function makeTopImages(
  { fs, runner, progress }: Pick<Ports, 'fs' | 'runner' | 'progress'>,
  state: BytePath,
  wanted: readonly WantedTopImage[],
  signal?: AbortSignal,
): Promise<void> {
  const missing = wanted.filter(({ path }) => fs.lstat(path) === undefined);
  if (missing.length === 0) return;
  const task = progress.task(`Writable tops (${missing.length})`);
  const workplace = unfinishedTops(state);
  const unfinished = ({ node }: WantedTopImage) => `${workplace}/${node}`;
  try {
    removeUnfinishedTops(fs, state);
    fs.mkdir(workplace, 0o700);
    for (const image of missing) {
      task.update(image.node);
      await runner.run({
        argv: [
          'mkfs.ext4',
          ...['-q', '-F', '-m', '0', '-L', 'mkroot-top'],
          ...[displayPath(unfinished(image)), image.size],
        ],
        ...(signal === undefined ? {} : { signal }),
      });
      fs.chmod(unfinished(image), 0o600);
    }
    await runner.run({ argv: ['sync', '--file-system', displayPath(state)] });
    for (const image of missing) {
      fs.mkdir(image.path.slice(0, image.path.lastIndexOf('/')));
      fs.rename(unfinished(image), image.path);
    }
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  } finally {
    fs.remove(workplace);
  }
}

function unfinishedTops(state: BytePath): BytePath {
  return `${state}/unfinished-tops`;
}

/** Removes what a run that was killed left. */
export function removeUnfinishedTops(fs: FileSystem, state: BytePath): void {
  fs.remove(unfinishedTops(state));
}
