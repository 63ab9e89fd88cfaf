import type { BootReport } from './boot-report.js';
import type { SelfCheck } from './self-check-report.js';
import type { Timeline } from './timeline.js';

/** What a verdict is made from. */
export interface BootEvidence {
  readonly timeline: Timeline;
  /** Why the boot was given up, if it was. */
  readonly problem: string | undefined;
  /** The boot ended as it should, although not at its last milestone. */
  readonly goalReached?: boolean;
  readonly checks: readonly SelfCheck[];
  /** Checks without which there is no pass. */
  readonly requiredChecks: readonly string[];
  /** The last lines of the console. */
  readonly consoleTail: readonly string[];
}

/** Why a boot did not pass; undefined if every milestone came, and every check was made and holds. */
export function failureOf({
  timeline,
  problem,
  goalReached = false,
  checks,
  requiredChecks,
  consoleTail,
}: BootEvidence): BootReport['failure'] {
  const milestone = goalReached ? undefined : timeline.missing?.title;
  if (problem !== undefined || milestone !== undefined) {
    return {
      ...(milestone === undefined ? {} : { milestone }),
      reason: problem ?? 'the machine ended before',
      console: consoleTail,
    };
  }
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    const reason = failed.map(({ name, detail }) => `check ${name}: ${detail}`).join('; ');
    return { reason, console: consoleTail };
  }
  const missing = requiredChecks.filter((name) => !checks.some((check) => check.name === name));
  if (missing.length === 0) return undefined;
  return { reason: `the self-check did not report ${missing.join(', ')}`, console: consoleTail };
}
