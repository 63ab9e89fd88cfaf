import type { Progress, Task } from '../ports/progress.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const YELLOW = '\u001b[33m';
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
const CLEAR_LINE = '\r\u001b[K';

interface LiveTask {
  readonly title: string;
  readonly started: number;
  detail: string;
}

/**
 * Progress on a terminal: finished tasks scroll up, the newest running one has a line of its own at the bottom with a
 * spinner, its elapsed time and what it is doing now.
 */
export class TerminalProgress implements Progress {
  readonly #live: LiveTask[] = [];
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly monotonicMs: () => number,
  ) {}

  task(title: string): Task {
    const live: LiveTask = { title, started: this.monotonicMs(), detail: '' };
    this.#live.push(live);
    this.#timer ??= setInterval(() => this.#draw(), 100).unref();
    this.#draw();
    const end = (mark: string, text: string) => {
      const index = this.#live.indexOf(live);
      if (index < 0) return;
      this.#live.splice(index, 1);
      this.#line(`${mark} ${title}${text}`);
    };
    const time = () => `${DIM}(${this.#seconds(live)})${RESET}`;
    return {
      update: (detail) => {
        live.detail = detail;
      },
      done: (summary) => end(`${GREEN}✔${RESET}`, `${summary === undefined ? '' : `: ${summary}`} ${time()}`),
      skipped: (reason) => end(`${DIM}•${RESET}`, `${DIM}: ${reason}${RESET}`),
      fail: (summary) => end(`${RED}✘${RESET}`, `${summary === undefined ? '' : `: ${summary}`} ${time()}`),
    };
  }

  warn(message: string, hint?: string): void {
    this.#line(`${YELLOW}!${RESET} ${message}${hint === undefined ? '' : `\n  ${DIM}${hint}${RESET}`}`);
  }

  note(message: string): void {
    this.#line(message);
  }

  #line(text: string): void {
    this.stream.write(`${CLEAR_LINE}${text}\n`);
    if (this.#live.length > 0) {
      this.#draw();
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #draw(): void {
    const live = this.#live.at(-1);
    if (live === undefined) return;
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const head = `${FRAMES[this.#frame]} ${live.title} ${this.#seconds(live)}`;
    const room = Math.max(0, (this.stream.columns ?? 80) - head.length - 3);
    const detail =
      live.detail.length > room ? `${live.detail.slice(0, Math.max(0, room - 1))}…` : live.detail;
    this.stream.write(`${CLEAR_LINE}${head}${detail === '' ? '' : `  ${DIM}${detail}${RESET}`}`);
  }

  #seconds(live: LiveTask): string {
    return `${((this.monotonicMs() - live.started) / 1000).toFixed(1)} s`;
  }
}
