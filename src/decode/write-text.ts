import { posix } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';

/** As many links as Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Replaces the text of a file that a person keeps, in one step: owner and mode stay, and where it is a link, the file that it
 * leads to is replaced, not the link. A file that is not there gets mode 0644.
 * @throws MkrootError Io if it cannot be written.
 */
export function writeText(fs: FileSystem, file: string, text: string): void {
  const path = followLinks(fs, toBytePath(file));
  const before = fs.lstat(path);
  fs.writeFile(path, text, before?.mode ?? 0o644);
  const after = fs.lstat(path);
  if (before !== undefined && (before.uid !== after?.uid || before.gid !== after.gid)) {
    fs.chown(path, before.uid, before.gid);
  }
}

function followLinks(fs: FileSystem, file: BytePath): BytePath {
  let path = file;
  for (let links = 0; fs.lstat(path)?.kind === 'symlink'; links += 1) {
    if (links === MOST_LINKS) {
      throw new MkrootError(`Cannot write "${file}": its links go round in a circle`, {
        exitCode: ExitCode.Io,
      });
    }
    path = posix.resolve(posix.dirname(path), fs.readlink(path));
  }
  return path;
}
