import type { Progress, Task, TaskOptions } from '../ports/progress.js';

/** Progress as plain lines, for pipes, log files and CI: one line when a task starts, one when it ends, and the updates of one that is followed. */
export class LineProgress implements Progress {
  constructor(
    private readonly write: (line: string) => void,
    private readonly monotonicMs: () => number,
    /** Print every update too. */
    private readonly verbose = false,
  ) {}

  task(title: string, { follow = false }: TaskOptions = {}): Task {
    const started = this.monotonicMs();
    const seconds = () => `${((this.monotonicMs() - started) / 1000).toFixed(1)} s`;
    this.write(`${title} ...`);
    return {
      update: (detail) => {
        if (this.verbose || follow) this.write(`  ${title}: ${detail}`);
      },
      done: (summary) =>
        this.write(`${title}: done${summary === undefined ? '' : `, ${summary}`} (${seconds()})`),
      skipped: (reason) => this.write(`${title}: ${reason}`),
      fail: (summary) =>
        this.write(`${title}: FAILED${summary === undefined ? '' : `, ${summary}`} (${seconds()})`),
    };
  }

  warn(message: string, hint?: string): void {
    this.write(`warning: ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`);
  }

  note(message: string): void {
    this.write(message);
  }

  aside(write: () => void): void {
    write();
  }
}
