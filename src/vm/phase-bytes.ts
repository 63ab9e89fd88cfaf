import type { BootPhase } from './milestones.js';

/** What a node had received when it reached a milestone, which began this phase or went on with it. */
export interface ByteMark {
  readonly phase: BootPhase;
  readonly bytesToNode: number;
}

/** Bytes to the node in each phase, from its marks in the order of time: what comes after a mark belongs to its phase. */
export function bytesByPhase(marks: readonly ByteMark[]): ByteMark[] {
  const sums = new Map<BootPhase, number>();
  for (const [index, mark] of marks.slice(0, -1).entries()) {
    const next = marks[index + 1]!;
    sums.set(mark.phase, (sums.get(mark.phase) ?? 0) + next.bytesToNode - mark.bytesToNode);
  }
  return [...sums].map(([phase, bytesToNode]) => ({ phase, bytesToNode }));
}
