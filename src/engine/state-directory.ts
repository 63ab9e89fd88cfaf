import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/**
 * For commands that look at what is in a state directory: one that is not there is a mistyped one, and is not made.
 * @throws MkrootError NotFound.
 */
export function requireState(fs: ReadFileSystem, state: BytePath): void {
  if (fs.lstat(state) !== undefined) return;
  throw new MkrootError(
    `Cannot find the state directory "${displayPath(state)}": there is no such directory`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'Name it by --state or MKROOT_STATE.',
    },
  );
}
