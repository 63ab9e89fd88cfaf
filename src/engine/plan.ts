import { displayPath } from '../ports/byte-path.js';
import type { FileDigests } from './file-digests.js';
import { inputDifferences } from './input-differences.js';
import type { Stage } from './stage.js';
import { type StageInputs, stageKey } from './stage-key.js';
import type { StageRecord, StageStore } from './stage-store.js';
import type { ToolVersions } from './tool-versions.js';

/** What will happen to one stage, and why. */
export interface PlannedStage {
  readonly stage: Stage;
  readonly key: string;
  readonly inputs: StageInputs;
  /** The cached result that will be used, or undefined if the stage has to run. */
  readonly cached: StageRecord | undefined;
  /** For a stage that runs: what tells it from the most similar cached result. Empty if none was ever made. */
  readonly differences: readonly string[];
  /** For a stage that runs: true if it never ran before in this state directory. */
  readonly first: boolean;
}

/** What a plan is made with. */
export interface PlanContext {
  readonly store: StageStore;
  readonly digests: FileDigests;
  readonly tools: ToolVersions;
  /** Run every stage, whatever is cached. */
  readonly force?: boolean;
}

/** Computes every stage's key and looks it up. Runs nothing but `--version` of a tool that is not known yet. */
export async function planStages(stages: readonly Stage[], context: PlanContext): Promise<PlannedStage[]> {
  const planned: PlannedStage[] = [];
  for (const stage of stages) {
    const inputs: StageInputs = {
      stage: stage.name,
      version: stage.version,
      options: stage.options,
      input: planned.at(-1)?.key ?? null,
      files: Object.fromEntries(stage.files.map((path) => [displayPath(path), context.digests.digest(path)])),
      tools: await toolVersions(stage.tools, context.tools),
    };
    const key = stageKey(inputs);
    const cached = context.force ? undefined : context.store.find(key);
    const similar = cached === undefined ? mostSimilar(context.store.records(stage.name), inputs) : undefined;
    planned.push({
      stage,
      key,
      inputs,
      cached,
      differences: similar === undefined ? [] : inputDifferences(similar.inputs, inputs),
      first: cached === undefined && similar === undefined,
    });
  }
  return planned;
}

/** Why a stage has to run, in a few words. */
export function reasonToRun({ first, differences }: PlannedStage): string {
  if (first) return 'never run before';
  return differences.length === 0 ? 'forced' : differences.join('; ');
}

async function toolVersions(
  programs: readonly string[],
  tools: ToolVersions,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const program of programs) versions[program] = await tools.version(program);
  return versions;
}

/** The record with the fewest differences; of several, the newest. */
function mostSimilar(records: readonly StageRecord[], inputs: StageInputs): StageRecord | undefined {
  return records
    .map((record) => ({ record, distance: inputDifferences(record.inputs, inputs).length }))
    .sort((a, b) => a.distance - b.distance || (a.record.finishedAt < b.record.finishedAt ? 1 : -1))[0]
    ?.record;
}
