import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import type { Task } from '../ports/progress.js';
import type { Json } from './canonical-json.js';

/** What a stage works with while it runs. */
export interface StageContext {
  readonly ports: Ports;
  /** The stage's result: an empty directory that becomes the cached result when `run` returns. */
  readonly result: BytePath;
  /** A directory in the same file system that is removed when `run` ends, however it ends. */
  readonly scratch: BytePath;
  /** Results of all stages before this one, the first stage's first. */
  readonly earlier: readonly BytePath[];
  /** Where to say what happens right now. */
  readonly task: Task;
  /** File for the whole output of the programs that the stage runs. */
  readonly logFile: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * One step of a build. Stages form a chain: each one builds on the results of all before it. Everything that decides
 * about the result is declared, because the key of the result is made from the declaration alone.
 */
export interface Stage {
  /** Verb-noun, unique in its pipeline. */
  readonly name: string;
  /** What it does, for the progress line. */
  readonly title: string;
  /** Increased whenever the stage's code would make another result from the same declaration. */
  readonly version: number;
  readonly options: Json;
  /** Files and directories of the host that are read (directories with everything below), in the order of their use. */
  readonly files: readonly BytePath[];
  /** Programs of the host whose version matters for the result. */
  readonly tools: readonly string[];
  run(context: StageContext): Promise<void>;
}
