import { ExitCode, MkrootError } from '../errors.js';

/**
 * @param action what cannot be done, such as `write layers`.
 * @param why what takes the rights of root.
 * @param hint what to do.
 * @throws MkrootError Usage unless we are root.
 */
export function requireRoot(action: string, why: string, hint = 'Run it with sudo.'): void {
  if (process.getuid?.() === 0) return;
  throw new MkrootError(`Cannot ${action}: it takes the rights of root (${why})`, {
    exitCode: ExitCode.Usage,
    hint,
  });
}
