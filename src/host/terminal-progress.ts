import type { Progress, Task } from '../ports/progress.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const YELLOW = '\u001b[33m';
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
/** To the start of the line, and everything from there on goes. */
const CLEAR_BELOW = '\r\u001b[J';
const LINE_UP = '\u001b[A';

/** More running tasks than this are only counted: what scrolls away cannot be drawn over. */
const MAX_LINES = 12;

interface LiveTask {
  readonly title: string;
  readonly started: number;
  detail: string;
}

/**
 * Progress on a terminal: finished tasks scroll up, each running one has a line of its own at the bottom with a spinner, its
 * elapsed time and what it is doing now.
 */
export class TerminalProgress implements Progress {
  readonly #live: LiveTask[] = [];
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;
  /** Lines that running tasks have on the screen, the last of them without its end. */
  #drawn = 0;

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

  aside(write: () => void): void {
    this.stream.write(this.#clear());
    write();
    this.#draw();
  }

  #line(text: string): void {
    this.stream.write(`${this.#clear()}${text}\n`);
    if (this.#live.length > 0) {
      this.#draw();
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** What takes the lines of running tasks from the screen. */
  #clear(): string {
    const up = LINE_UP.repeat(Math.max(0, this.#drawn - 1));
    this.#drawn = 0;
    return `${up}${CLEAR_BELOW}`;
  }

  #draw(): void {
    if (this.#live.length === 0) return;
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const most = Math.max(1, Math.min(MAX_LINES, (this.stream.rows ?? 24) - 2));
    const left = this.#live.length - most;
    const shown = left > 0 ? this.#live.slice(-most) : this.#live;
    const lines = [
      ...(left > 0 ? [`${DIM}and ${left} more${RESET}`] : []),
      ...shown.map((live) => this.#taskLine(live)),
    ];
    this.stream.write(`${this.#clear()}${lines.join('\n')}`);
    this.#drawn = lines.length;
  }

  /** Never wider than the screen: a line that wraps is two for the terminal, and only one of them is drawn over. */
  #taskLine(live: LiveTask): string {
    // 0 on a terminal whose size nobody set, such as one of `docker exec -t`.
    const columns = (this.stream.columns || 80) - 1;
    const seconds = this.#seconds(live);
    const title = cut(live.title, columns - seconds.length - 3);
    const head = `${FRAMES[this.#frame]} ${title} ${seconds}`.slice(0, columns);
    const detail = cut(live.detail.replace(/\s+/g, ' '), columns - head.length - 2);
    return `${head}${detail === '' ? '' : `  ${DIM}${detail}${RESET}`}`;
  }

  #seconds(live: LiveTask): string {
    return `${((this.monotonicMs() - live.started) / 1000).toFixed(1)} s`;
  }
}

function cut(text: string, width: number): string {
  if (width <= 0) return '';
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
