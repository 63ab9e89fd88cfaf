import type { BytePath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';
import { sha256 } from '../ports/sha256.js';

/**
 * What lstat(2) says of a file that changes with its contents, owner, mode or place: a file with the same state is the same. The
 * device is left out, since its number may be another one after a reboot.
 */
export function fileState({ ino, size, changedMs }: FileStat): string {
  return `${ino}:${size}:${changedMs}`;
}

/** Digest of the states of several files, in their order; one that is not there has a state as well. */
export function fileStates(fs: Pick<ReadFileSystem, 'lstat'>, paths: readonly BytePath[]): string {
  const numbers = new Float64Array(paths.length * 3);
  paths.forEach((path, index) => {
    const stat = fs.lstat(path);
    if (stat !== undefined) numbers.set([stat.ino, stat.size, stat.changedMs], index * 3);
  });
  return sha256(new Uint8Array(numbers.buffer), 'base64url');
}
