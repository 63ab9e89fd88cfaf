import { createHash } from 'node:crypto';
import type { Json } from './canonical-json.js';
import { canonicalJson } from './canonical-json.js';

/** Everything that a stage's result depends on; stored beside the result, so that a miss can be explained. */
export interface StageInputs {
  readonly stage: string;
  /** Version of the stage's code. */
  readonly version: number;
  readonly options: Json;
  /** Key of the stage before, or null for the first. */
  readonly input: string | null;
  /** Digest of each file that is read, by its path on the host. */
  readonly files: Readonly<Record<string, string>>;
  /** Version of each tool of the host that takes part. */
  readonly tools: Readonly<Record<string, string>>;
}

/** The name of a stage's result: sha256 in hex over the canonical JSON of what it depends on. */
export function stageKey(inputs: StageInputs): string {
  return createHash('sha256')
    .update(canonicalJson({ ...inputs }))
    .digest('hex');
}
