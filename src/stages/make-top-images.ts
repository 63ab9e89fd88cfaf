import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';

/** The file that takes what one node writes, and that is not there yet. */
export interface WantedTopImage {
  readonly node: string;
  readonly path: BytePath;
  /** As mkfs.ext4(8) takes it: a number with k, m or g. */
  readonly size: string;
}

/**
 * Makes empty ext4 file systems in files, which take no room on the disk before something is written. Each gets its name when it is
 * whole, and one that is there is never touched again, whatever size is wanted now: it is the node's.
 */
export async function makeTopImages(
  { fs, runner, progress }: Ports,
  state: BytePath,
  wanted: readonly WantedTopImage[],
  signal?: AbortSignal,
): Promise<void> {
  const missing = wanted.filter(({ path }) => fs.lstat(path) === undefined);
  if (missing.length === 0) return;
  const task = progress.task(`Writable tops (${missing.length})`);
  try {
    for (const { node, path, size } of missing) {
      task.update(node);
      fs.mkdir(path.slice(0, path.lastIndexOf('/')));
      fs.remove(unfinished(path)); // of a run that was killed
      await runner.run({
        argv: ['mkfs.ext4', '-q', '-F', '-m', '0', '-L', 'mkroot-top', displayPath(unfinished(path)), size],
        ...(signal === undefined ? {} : { signal }),
      });
      fs.chmod(unfinished(path), 0o600);
    }
    await runner.run({ argv: ['sync', '--file-system', displayPath(state)] });
    for (const { path } of missing) fs.rename(unfinished(path), path);
    task.done();
  } catch (error) {
    task.fail();
    for (const { path } of missing) fs.remove(unfinished(path));
    throw error;
  }
}

function unfinished(path: BytePath): BytePath {
  return `${path}.new`;
}
