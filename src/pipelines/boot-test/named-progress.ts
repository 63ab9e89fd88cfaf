import type { Progress } from '../../ports/progress.js';

/** Progress whose every line begins with a name: what goes on several times at once is told apart by it. */
export function namedProgress(progress: Progress, name: string): Progress {
  return {
    task: (title, options) => progress.task(`${name}: ${title}`, options),
    warn: (message, hint) => progress.warn(`${name}: ${message}`, hint),
    note: (message) => progress.note(`${name}: ${message}`),
    aside: (write) => progress.aside(write),
  };
}
