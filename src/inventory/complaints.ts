import { suggestion } from '../decode/nearest-name.js';
import { type Position, positionText } from '../decode/position.js';
import type { Problem } from '../decode/problem.js';

/** Looking for the nearest of ten thousand names takes its time; more hints than this nobody reads. */
const MOST_SUGGESTIONS = 20;

/**
 * Gathers problems. What goes wrong in the same way for many nodes of one entry (`n[001-128]`) is told once, with the number
 * of further nodes.
 */
export class Complaints {
  readonly #single: Problem[] = [];
  readonly #grouped = new Map<string, Problem & { more: number }>();
  #suggestions = 0;

  /**
   * A problem of its own.
   * @param rule see {@link Problem}.
   */
  add(position: Position, message: string, rule?: string): void {
    this.#single.push({ position, message, ...(rule === undefined ? {} : { rule }) });
  }

  /** A problem of a node; others of the same kind from the same place are counted only. */
  addForNode(kind: string, position: Position, message: string, rule?: string): void {
    const key = `${kind} ${positionText(position)}`;
    const known = this.#grouped.get(key);
    if (known === undefined) {
      this.#grouped.set(key, { position, message, more: 0, ...(rule === undefined ? {} : { rule }) });
    } else known.more += 1;
  }

  /** `; did you mean "x"?`, if there is such a name and not too many have been asked for. */
  suggestion(name: string, candidates: Iterable<string>): string {
    this.#suggestions += 1;
    return this.#suggestions > MOST_SUGGESTIONS ? '' : suggestion(name, [...candidates]);
  }

  problems(): Problem[] {
    const grouped = [...this.#grouped.values()].map(({ more, message, ...problem }) => ({
      ...problem,
      message: more === 0 ? message : `${message}; the same for ${more} more`,
    }));
    return [...this.#single, ...grouped];
  }
}
