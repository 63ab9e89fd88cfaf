import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Run as root, or choose a place that you may use.',
  EPERM: 'Run as root.',
  ENOSPC: 'Free some space there, or choose another place.',
  EROFS: 'The file system is read-only; choose another place.',
  EISDIR: 'Name a file, not a directory.',
  EEXIST: 'Something else is there already; choose another place.',
  ENOTDIR: 'A part of the path is a file, not a directory; choose another place.',
  ELOOP: 'Its symbolic links lead in a circle; look at them with namei.',
  ENAMETOOLONG: 'Choose a shorter name.',
  ENOENT: 'Is the path right?',
  EMFILE: 'Raise the limit on open files (ulimit -n).',
};

/** Whether an error of node:fs has this code, such as ENOENT. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** An error of node:fs as the user sees it: what could not be done with which path, why, and what helps. */
export function ioError(action: string, path: BytePath, cause: unknown): MkrootError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const what =
    cause instanceof Error
      ? cause.message.replace(/^E[A-Z0-9]+: /, '').replace(/, \w+( '.*)?$/s, '')
      : String(cause);
  const hint = HINTS[code];
  return new MkrootError(`Cannot ${action} "${displayPath(path)}": ${what}${code && ` (${code})`}`, {
    exitCode: code === 'ENOENT' ? ExitCode.NotFound : ExitCode.Io,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
