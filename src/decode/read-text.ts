import { ExitCode, MkrootError } from '../errors.js';
import { toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/**
 * A text file that the user wrote.
 * @param what The kind of file, for the message.
 * @throws MkrootError InvalidInput if it is not UTF-8, Io if it cannot be read.
 */
export function readText(fs: ReadFileSystem, what: string, file: string): string {
  const bytes = fs.readFile(toBytePath(file));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MkrootError(`Cannot use ${what} "${file}": it is not UTF-8 text`, {
      exitCode: ExitCode.InvalidInput,
      hint: 'Save it as UTF-8; or is it another file that was meant?',
      cause,
    });
  }
}
