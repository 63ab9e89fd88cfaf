/** The part of cpio-stream (which brings no types) that the tests use. */
declare module 'cpio-stream' {
  import type { Readable, Writable } from 'node:stream';

  interface Header {
    readonly name: string;
    readonly mode: number;
    readonly size: number;
  }

  interface Extract extends Writable {
    on(event: 'entry', listener: (header: Header, stream: Readable, next: () => void) => void): this;
    on(event: 'finish', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }

  const cpioStream: { extract(): Extract };
  export default cpioStream;
}
