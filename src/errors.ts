/**
 * Exit codes of every mkroot command. 0 is success; the others say which kind of thing the user has to look at.
 * Documented in docs/exit-codes.md; numbers are stable.
 */
export const ExitCode = {
  /** A defect of mkroot itself; please report it. */
  Internal: 1,
  /** Wrong options or arguments on the command line. */
  Usage: 2,
  /** A recipe or another input file that does not decode. */
  InvalidInput: 3,
  /** Something that was named does not exist: root, kernel, module, program, generation. */
  NotFound: 4,
  /** A tool or kernel feature that the host lacks; `mkroot doctor` tells how to get it. */
  MissingTool: 5,
  /** A tool that was run failed; its last output is part of the message. */
  ToolFailed: 6,
  /** The disk is full, a file cannot be read or written. */
  Io: 7,
  /** Somebody else holds the lock. */
  Locked: 8,
  /** A boot test ran and the node did not pass. */
  TestFailed: 9,
  /** Interrupted by SIGINT, as a shell reports it (128 + 2). */
  Interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** What the user can do about it: one sentence, imperative. */
  hint?: string;
  exitCode?: ExitCode;
  cause?: unknown;
  /** Further lines for the terminal: the tail of a tool's output, a list of problems. */
  details?: readonly string[];
}

/**
 * The one error class that mkroot throws on purpose. The message reads `Cannot <action> "<value>": <what is the case>`.
 * Anything else that reaches the command line is reported as a defect.
 */
export class MkrootError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly details: readonly string[];

  constructor(
    message: string,
    { hint, exitCode = ExitCode.InvalidInput, cause, details = [] }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MkrootError';
    this.hint = hint;
    this.exitCode = exitCode;
    this.details = details;
  }
}
