import type { FileStat } from '../ports/file-system.js';

/**
 * What lstat(2) says of a file that changes with its contents, owner, mode or place: a file with the same state is the same. The
 * device is left out, since its number may be another one after a reboot.
 */
export function fileState({ ino, size, changedMs }: FileStat): string {
  return `${ino}:${size}:${changedMs}`;
}
