import { workerData } from 'node:worker_threads';
import type { InThread } from '../ports/start-thread.js';
import { DiskFileSystem } from './disk-file-system.js';

// What second-thread.ts starts.
const { module, task }: { module: string; task: object } = workerData;
const { inThread }: { inThread: InThread<object> } = await import(module);
inThread(new DiskFileSystem(), task);
