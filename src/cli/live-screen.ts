const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A whole screen that is drawn anew again and again, on the terminal's other screen: what stood there before comes back. */
export class LiveScreen {
  #open = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Whether something was drawn. */
  get isOpen(): boolean {
    return this.#open;
  }

  get columns(): number {
    return this.stream.columns ?? 80;
  }

  get lines(): number {
    return this.stream.rows ?? 24;
  }

  /** Lines beyond the screen are left out. */
  draw(lines: readonly string[]): void {
    if (!this.#open) this.stream.write(ENTER);
    this.#open = true;
    const shown = lines.slice(0, this.lines).map((line) => `${line}${CLEAR_TO_END_OF_LINE}`);
    this.stream.write(`${HOME}${shown.join('\n')}${CLEAR_BELOW}`);
  }

  close(): void {
    if (this.#open) this.stream.write(LEAVE);
    this.#open = false;
  }
}
