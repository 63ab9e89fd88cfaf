import type { SelfCheck } from './self-check-report.js';

/** Looks that a node takes of its layers after what happened, before it is reset. */
const LOOKS_AFTER = 2;

const LOOK = /^look-(\d+)$/;

/**
 * A node that stays up while something happens to its head node: says when it is up, and resets it when it has seen enough
 * afterwards. Knows no I/O; see qemu/self-check/stay-up.sh for what the node does meanwhile.
 */
export class NodeVigil {
  /** Resolves when the node has checked itself and taken the first look of its layers. */
  readonly up: Promise<void>;
  #arrive: () => void = () => {};
  #looks = 0;
  #enough: number | undefined;
  #reset = false;

  constructor() {
    this.up = new Promise((resolve) => {
      this.#arrive = resolve;
    });
  }

  /** Lines of the console say nothing here. */
  line(): void {}

  /** What is to be done to the machine now. */
  due(_nowMs: number, checks: readonly SelfCheck[]): string | undefined {
    this.#looks = checks.filter(({ name }) => LOOK.test(name)).length;
    if (this.#looks > 0) this.#arrive();
    if (this.#reset || this.#enough === undefined || this.#looks < this.#enough) return undefined;
    this.#reset = true;
    return 'press ctrl-alt-delete';
  }

  /** The node was reset after enough looks. */
  get complete(): boolean {
    return this.#reset;
  }

  /** What was to happen has happened: a few more looks, and the node is reset. */
  release(): void {
    // The look that it is taking now may have begun before.
    this.#enough = this.#looks + 1 + LOOKS_AFTER;
  }
}

/** The checks of a node that stayed up, with one for all of its looks in place of them. */
export function withVigilCheck(checks: readonly SelfCheck[]): SelfCheck[] {
  const looks = checks.filter(({ name }) => LOOK.test(name));
  const others = checks.filter(({ name }) => !LOOK.test(name));
  const wrong = looks.find(({ passed }) => !passed);
  return [
    ...others,
    {
      name: 'undisturbed',
      passed: wrong === undefined && looks.length > LOOKS_AFTER,
      detail: wrong?.detail ?? `its layers read the same ${looks.length} times`,
    },
  ];
}
