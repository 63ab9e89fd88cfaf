import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import { type PlannedStage, reasonToRun } from './plan.js';
import type { StageRecord, StageStore } from './stage-store.js';

/** What running a plan needs. */
export interface ExecuteContext {
  readonly ports: Ports;
  readonly store: StageStore;
  /** Path of the log file of a stage. */
  logFile(stage: string): string;
  readonly signal?: AbortSignal;
}

/** A stage whose result is there. */
export interface FinishedStage {
  readonly record: StageRecord;
  /** True if the result came from the cache. */
  readonly cached: boolean;
  readonly result: BytePath;
}

/**
 * Runs what the plan says has to run, in order. Each result is published as soon as it is complete, so a build that
 * fails or is killed goes on from there next time.
 * @throws MkrootError what a stage throws; Interrupted, with the title of the stage, when `signal` aborts.
 */
export async function executePlan(
  plan: readonly PlannedStage[],
  context: ExecuteContext,
): Promise<FinishedStage[]> {
  const finished: FinishedStage[] = [];
  for (const planned of plan) {
    const { cached, stage, key } = planned;
    if (cached !== undefined) {
      context.ports.progress.task(stage.title).skipped('cached');
    }
    finished.push({
      record: cached ?? (await runStage(planned, finished, context)),
      cached: cached !== undefined,
      result: context.store.resultPath(key),
    });
  }
  return finished;
}

async function runStage(
  planned: PlannedStage,
  finished: readonly FinishedStage[],
  { ports, store, logFile, signal }: ExecuteContext,
): Promise<StageRecord> {
  const { stage, key, inputs } = planned;
  const task = ports.progress.task(stage.title);
  task.update(reasonToRun(planned));
  const started = ports.clock.monotonicMs();
  const place = store.begin(key);
  try {
    await stage.run({
      ports,
      task,
      signal,
      result: place.result,
      scratch: place.scratch,
      earlier: finished.map(({ result }) => result),
      logFile: logFile(stage.name),
    });
    const record: StageRecord = {
      key,
      inputs,
      finishedAt: ports.clock.now().toISOString(),
      durationMs: Math.round(ports.clock.monotonicMs() - started),
    };
    place.publish(record);
    task.done();
    return record;
  } catch (error) {
    task.fail();
    discardQuietly(() => place.discard());
    throw signal?.aborted ? interrupted(stage.title, error) : error;
  }
}

/** What the program that was ended is called says nothing to whoever pressed Ctrl-C. */
function interrupted(title: string, cause: unknown): MkrootError {
  return new MkrootError(`Cannot finish "${title}": interrupted`, {
    exitCode: ExitCode.Interrupted,
    cause,
    hint: 'What was done before is kept: the next build goes on from there, unless by --force.',
  });
}

/** The error that made us clean up is the one to report; what is left is removed by the next build. */
function discardQuietly(discard: () => void): void {
  try {
    discard();
  } catch {
    // See above.
  }
}
