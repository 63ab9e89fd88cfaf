/** One piece of long work that the user can watch. End it exactly once with done, skipped or fail. */
export interface Task {
  /** What is happening right now; replaces the previous text. */
  update(detail: string): void;
  done(summary?: string): void;
  /** Nothing had to be done: cached, not wanted. */
  skipped(reason: string): void;
  fail(summary?: string): void;
}

/** How a piece of work is shown. */
export interface TaskOptions {
  /** Its updates are few and worth a line each where nothing can be drawn over. */
  readonly follow?: boolean;
}

/** Where library code reports what it does; it never prints. Everything goes to standard error. */
export interface Progress {
  task(title: string, options?: TaskOptions): Task;
  /** Something the user should know although the work goes on. */
  warn(message: string, hint?: string): void;
  /** A plain line. */
  note(message: string): void;
  /** Has something else written to the terminal, such as a result to standard output, without the lines of running tasks in its way. */
  aside(write: () => void): void;
}
