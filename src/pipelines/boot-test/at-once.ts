import { ExitCode, MkrootError } from '../../errors.js';

/** How work is shared out. */
export interface AtOnceOptions {
  /** In the words of an error: `the scenarios`. */
  readonly what: string;
  /** At most so many at the same time. */
  readonly jobs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does a piece of work for each item, several at the same time, begun in the order of the items; what they came to is in that order, too.
 * Returns or throws only when every piece that was begun has ended, so that nothing runs on behind.
 * @param act gets a signal that `signal` aborts, and the first error of any piece: after it none is begun
 * @throws that first error; MkrootError Interrupted if `signal` was aborted before all were begun
 */
export async function atOnce<T, R>(
  items: readonly T[],
  { what, jobs, signal }: AtOnceOptions,
  act: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  // One for each piece: listeners of all on one signal would be so many that Node.js warns of a leak.
  const running = new Set<AbortController>();
  const errors: unknown[] = [];
  const stop = () => {
    for (const controller of running) controller.abort();
  };
  signal?.addEventListener('abort', stop, { once: true });
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      const index = next++;
      const controller = new AbortController();
      running.add(controller);
      try {
        if (signal?.aborted) {
          throw new MkrootError(`Cannot finish ${what}: interrupted`, { exitCode: ExitCode.Interrupted });
        }
        results[index] = await act(items[index]!, controller.signal);
        running.delete(controller);
      } catch (error) {
        running.delete(controller);
        errors.push(error);
        stop();
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, work));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  if (errors.length > 0) throw errors[0];
  return results;
}
