import type { Reason } from '../../archive/reason.js';

/** Something that the user asked for, and where they did. */
export interface Wanted {
  readonly value: string;
  readonly reason: Reason;
}
