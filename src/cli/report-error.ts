import { Errors } from '@oclif/core';
import { ExitCode, MkrootError } from '../errors.js';

/** An error as the user gets it, and the exit code that goes with it. */
export interface ErrorReport {
  readonly exitCode: number;
  /** Text for standard error. */
  readonly text: string;
  /** The same as data, for --json on standard output. */
  readonly json: {
    readonly error: { message: string; hint?: string; details: readonly string[]; exitCode: number };
  };
}

/** Turns whatever was thrown into words and an exit code. A foreign error is a defect and shows its stack. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof MkrootError) {
    return report(error.exitCode, oneLine(error.message), error.hint && oneLine(error.hint), error.details);
  }
  if (error instanceof Errors.CLIError) {
    return report(
      ExitCode.Usage,
      error.message.replace(/\nSee more help with --help$/, '').trim(),
      'Run the command with --help to see what it takes.',
      [],
    );
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return report(
      ExitCode.NotFound,
      'Cannot find the current directory: it was removed',
      'Change to another one: cd DIR',
      [],
    );
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return report(
    ExitCode.Internal,
    'Internal error; this is a defect of mkroot',
    'Please report it with these lines.',
    [...stack.split('\n')],
  );
}

/** Names and options may hold newlines and escape sequences; the terminal gets them as `\\xNN`. */
function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function report(
  exitCode: number,
  message: string,
  hint: string | undefined,
  details: readonly string[],
): ErrorReport {
  return {
    exitCode,
    text: [`mkroot: ${message}`, ...details, ...(hint === undefined ? [] : [`hint: ${hint}`])].join('\n'),
    json: { error: { message, ...(hint === undefined ? {} : { hint }), details, exitCode } },
  };
}
