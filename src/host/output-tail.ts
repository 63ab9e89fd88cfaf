import { StringDecoder } from 'node:string_decoder';

/** Splits streams into lines as they come and keeps the last ones for an error message. */
export class OutputTail {
  readonly #lines: string[] = [];
  readonly #rest = { stdout: '', stderr: '' };
  /** A chunk may end in the middle of a character. */
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

  constructor(
    private readonly keep: number,
    private readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void = () => {},
  ) {}

  get lines(): readonly string[] {
    return this.#lines;
  }

  push(chunk: Uint8Array, stream: 'stdout' | 'stderr'): void {
    const text = this.#rest[stream] + this.#decoders[stream].write(chunk);
    const lines = text.split(/\r?\n/);
    this.#rest[stream] = lines.pop() ?? '';
    for (const line of lines) this.#add(line, stream);
  }

  /** A last line without a newline counts too. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#rest[stream] += this.#decoders[stream].end();
      if (this.#rest[stream] !== '') this.#add(this.#rest[stream], stream);
      this.#rest[stream] = '';
    }
  }

  #add(line: string, stream: 'stdout' | 'stderr'): void {
    this.#lines.push(line);
    if (this.#lines.length > this.keep) this.#lines.shift();
    this.onLine(line, stream);
  }
}
