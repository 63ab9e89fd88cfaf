import type { Progress } from '../../src/ports/progress.js';

/** Progress that keeps what it was told, for tests to look at. */
export class SilentProgress implements Progress {
  readonly lines: string[] = [];

  task(title: string) {
    this.lines.push(`start ${title}`);
    return {
      update: (detail: string) => void this.lines.push(`update ${title}: ${detail}`),
      done: (summary?: string) =>
        void this.lines.push(`done ${title}${summary === undefined ? '' : `: ${summary}`}`),
      skipped: (reason: string) => void this.lines.push(`skipped ${title}: ${reason}`),
      fail: (summary?: string) =>
        void this.lines.push(`fail ${title}${summary === undefined ? '' : `: ${summary}`}`),
    };
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }

  note(message: string): void {
    this.lines.push(`note ${message}`);
  }

  aside(write: () => void): void {
    write();
  }
}
