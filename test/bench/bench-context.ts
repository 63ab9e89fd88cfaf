import type { BenchRoot } from './bench-root.js';

/** What every part of the benchmark works with. */
export interface BenchContext {
  /** The repository. */
  readonly repository: string;
  /** The root that everybody works on; made when the first part asks for it. */
  readonly root: () => BenchRoot;
  /** A directory for this part alone. */
  readonly directory: string;
  /** A directory that stays, for what a part leaves behind; undefined if nothing is to stay. */
  readonly logs: string | undefined;
  /** How often each contender runs; undefined leaves it to the part. */
  readonly rounds: number | undefined;
}

/** The argv that runs this clone's mkroot, as its user does. */
export function mkrootArgv({ repository }: BenchContext, ...args: string[]): string[] {
  return [process.execPath, `${repository}/bin/mkroot.js`, ...args];
}
