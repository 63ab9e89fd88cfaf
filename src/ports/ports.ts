import type { Clock } from './clock.js';
import type { FileSystem } from './file-system.js';
import type { ProcessRunner } from './process-runner.js';
import type { Progress } from './progress.js';
import type { StartThread } from './start-thread.js';

/** Every side effect that library code may have, handed down from the command line. */
export interface Ports {
  readonly fs: FileSystem;
  readonly runner: ProcessRunner;
  readonly progress: Progress;
  readonly clock: Clock;
  /** Absent where everything happens in one thread. */
  readonly startThread?: StartThread;
}
