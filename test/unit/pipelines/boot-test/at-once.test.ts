import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { atOnce } from '../../../../src/pipelines/boot-test/at-once.js';

const what = 'the scenarios';

/** Pieces of work that end when the test says so. */
class Pieces {
  readonly begun: string[] = [];
  readonly aborted: string[] = [];
  readonly #end = new Map<string, (error?: Error) => void>();

  readonly act = (name: string, signal: AbortSignal): Promise<string> => {
    this.begun.push(name);
    signal.addEventListener('abort', () => this.aborted.push(name));
    return new Promise((resolve, reject) => {
      this.#end.set(name, (error) => (error === undefined ? resolve(`${name} done`) : reject(error)));
    });
  };

  /** Ends a piece, and lets everything happen that follows from that. */
  async end(name: string, error?: Error): Promise<void> {
    this.#end.get(name)!(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How a promise stands. */
function watch<T>(promise: Promise<T>) {
  const seen: { ended: boolean; value?: T; error?: unknown } = { ended: false };
  promise.then(
    (value) => Object.assign(seen, { ended: true, value }),
    (error: unknown) => Object.assign(seen, { ended: true, error }),
  );
  return seen;
}

describe('work at the same time', () => {
  it('is begun in its order, as much of it as is allowed, and comes back in its order', async () => {
    const pieces = new Pieces();
    const all = watch(atOnce(['a', 'b', 'c', 'd'], { what, jobs: 2 }, pieces.act));
    expect(pieces.begun).toEqual(['a', 'b']);
    await pieces.end('b');
    expect(pieces.begun).toEqual(['a', 'b', 'c']);
    await pieces.end('c');
    await pieces.end('d');
    expect(all.ended).toBe(false);
    await pieces.end('a');
    expect(all.value).toEqual(['a done', 'b done', 'c done', 'd done']);
    expect(pieces.aborted).toEqual([]);
  });

  it('is nothing for nothing, and one after the other for one job', async () => {
    const pieces = new Pieces();
    expect(await atOnce([], { what, jobs: 9 }, pieces.act)).toEqual([]);
    const all = watch(atOnce(['a', 'b'], { what, jobs: 1 }, pieces.act));
    expect(pieces.begun).toEqual(['a']);
    await pieces.end('a');
    await pieces.end('b');
    expect(all.value).toEqual(['a done', 'b done']);
  });

  it('is aborted by the first error, which is thrown once everything has ended; nothing more is begun', async () => {
    const pieces = new Pieces();
    const all = watch(atOnce(['a', 'b', 'c', 'd'], { what, jobs: 3 }, pieces.act));
    await pieces.end('b', new Error('no namespaces'));
    expect(pieces.aborted).toEqual(['a', 'c']);
    await pieces.end('c', new Error('interrupted'));
    expect(all.ended).toBe(false);
    await pieces.end('a');
    expect(all.error).toEqual(new Error('no namespaces'));
    expect(pieces.begun).toEqual(['a', 'b', 'c']);
  });

  it('is aborted by the signal, and waits for the end of every piece', async () => {
    const pieces = new Pieces();
    const interrupt = new AbortController();
    const { signal } = interrupt;
    const all = watch(atOnce(['a', 'b', 'c'], { what, jobs: 2, signal }, pieces.act));
    interrupt.abort();
    expect(pieces.aborted).toEqual(['a', 'b']);
    await pieces.end('a');
    expect([all.ended, pieces.begun]).toEqual([false, ['a', 'b']]);
    await pieces.end('b', new Error('interrupted'));
    expect(all.error).toMatchObject({
      message: 'Cannot finish the scenarios: interrupted',
      exitCode: ExitCode.Interrupted,
    });
  });

  it('is whole if the signal comes when all is done but its end', async () => {
    const pieces = new Pieces();
    const interrupt = new AbortController();
    const all = watch(atOnce(['a'], { what, jobs: 2, signal: interrupt.signal }, pieces.act));
    interrupt.abort();
    await pieces.end('a');
    expect(all.value).toEqual(['a done']);
  });
});
