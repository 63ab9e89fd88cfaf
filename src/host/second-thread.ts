import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { StartThread } from '../ports/start-thread.js';

/** Such threads keep little of what they make: MiB. */
const YOUNG_GENERATION = 4;

/** See {@link StartThread}; only where there is a processor for it. The thread ends with the process. */
export const startThread: StartThread = (module, task) => {
  if (availableParallelism() < 2) return;
  const thread = new Worker(new URL('./second-thread-entry.js', import.meta.url), {
    workerData: { module, task },
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
  });
  thread.on('error', () => {});
  thread.unref();
};
