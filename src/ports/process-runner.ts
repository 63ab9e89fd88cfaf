/** A program and its arguments. There is never a shell in between. */
export interface Command {
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to the environment of mkroot; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * What the program reads; nothing (an empty standard input) by default. 'inherit' hands over the terminal; 'pipe' is for
   * {@link RunningProcess.write}, and the program sees its end after {@link RunningProcess.closeInput} or when mkroot dies.
   */
  readonly input?: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array> | 'inherit' | 'pipe';
  /**
   * 'inherit' hands the terminal to the program; output is then not captured. 'watch' gives lines to `onLine` and `logFile`
   * and keeps none, for programs that run for weeks.
   */
  readonly output?: 'capture' | 'inherit' | 'watch';
  /** Called for each line of either stream as it comes, without its newline. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Both streams are appended to this file as well. */
  readonly logFile?: string;
  readonly signal?: AbortSignal;
  /** The kernel kills the program when mkroot dies, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). Default true. */
  readonly dieWithParent?: boolean;
  /** Do not throw on these exit codes (0 is always fine); 'any' accepts every one. */
  readonly accept?: readonly number[] | 'any';
}

/** How a program ended and what it wrote. */
export interface Completed {
  readonly exitCode: number | undefined;
  /** Name of the signal that ended the program, such as SIGKILL. */
  readonly signal: string | undefined;
  readonly stdout: Uint8Array;
  /** stderr, decoded as UTF-8. */
  readonly stderr: string;
  readonly durationMs: number;
}

/** A program that runs in the background until somebody ends it. */
export interface RunningProcess {
  readonly pid: number;
  write(data: Uint8Array | string): void;
  /** The program reads an end of file; harmless when it has ended. */
  closeInput(): void;
  /** Sends a signal to the program's whole process group. */
  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves when the program has ended, however it ended; never rejects. */
  readonly exited: Promise<Completed>;
}

/**
 * The only way to run programs.
 *
 * Errors: a program that is not installed is a {@link MkrootError} with exit code `MissingTool`; one that fails is
 * `ToolFailed` and carries the tail of its output, its exit code and the command to repeat it by hand.
 */
export interface ProcessRunner {
  run(command: Command): Promise<Completed>;
  start(command: Command): Promise<RunningProcess>;
  /** Absolute path of a program in PATH (plus /usr/sbin and /sbin), or undefined. */
  which(program: string): string | undefined;
}

/** The same runner for work that a signal may end: every program that is run to its end gets the signal. */
export function withSignal(runner: ProcessRunner, signal: AbortSignal): ProcessRunner {
  return {
    run: (command) => runner.run({ signal, ...command }),
    start: (command) => runner.start(command),
    which: (program) => runner.which(program),
  };
}

/** The command as a line that can be pasted into a POSIX shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
