import { ExitCode, MkrootError } from '../../errors.js';

/** Adds what the user can do to the error of a program that failed; any other error stays as it is. */
export function withHint(error: unknown, hint: string | undefined): unknown {
  if (!(error instanceof MkrootError) || error.exitCode !== ExitCode.ToolFailed || hint === undefined)
    return error;
  return new MkrootError(error.message, {
    exitCode: error.exitCode,
    details: error.details,
    cause: error,
    hint,
  });
}
