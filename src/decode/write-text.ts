import { posix } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import { readText } from './read-text.js';

/** As many links as Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Replaces the text of a file that a person keeps, in one step: owner and mode stay, and where it is a link, the file that it
 * leads to is replaced, not the link. A file that is not there gets mode 0644. What somebody has saved since the file was read
 * is never overwritten: no lock keeps an editor from doing so.
 * @param before The text that the new one was made from; undefined if there was no file.
 * @throws MkrootError Locked if the file is another one now, Io if it cannot be written.
 */
export function replaceText(fs: FileSystem, file: string, before: string | undefined, text: string): void {
  const path = followLinks(fs, toBytePath(file));
  const stat = fs.lstat(path);
  const output = fs.create(path, stat?.mode ?? 0o644);
  try {
    output.write(Buffer.from(text, 'utf8'));
    // As late as can be: between this and the new name there is one system call.
    requireUnchanged(fs, file, before);
    output.commit();
  } catch (error) {
    output.abort();
    throw error;
  }
  const after = fs.lstat(path);
  if (stat !== undefined && (stat.uid !== after?.uid || stat.gid !== after.gid)) {
    fs.chown(path, stat.uid, stat.gid);
  }
}

/**
 * Checks that a file has still the text that was read.
 * @throws MkrootError Locked if it has not.
 */
export function requireUnchanged(fs: FileSystem, file: string, before: string | undefined): void {
  const there = fs.lstat(followLinks(fs, toBytePath(file))) !== undefined;
  if ((there ? readText(fs, 'text', file) : undefined) === before) return;
  throw new MkrootError(
    `Cannot write "${displayPath(toBytePath(file))}": somebody else has changed it since it was read`,
    { exitCode: ExitCode.Locked, hint: 'It is left as it is now. Run the command again.' },
  );
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
