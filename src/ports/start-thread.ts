import type { FileSystem } from './file-system.js';

/** What a module exports under the name `inThread` to be run in a second thread; see {@link StartThread}. */
export type InThread<Task> = (fs: FileSystem, task: Task) => void;

/**
 * Lets a second thread run `inThread` of a module, with a file system and a copy of the task; only a SharedArrayBuffer in it is the
 * same. Nobody waits for it and nothing is told if it fails: it may spare work, and must not be needed.
 * @param module URL of the module.
 */
export type StartThread = (module: string, task: object) => void;
