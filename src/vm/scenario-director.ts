import { plainConsoleLine } from './console-text.js';
import type { ScenarioBoot, ScenarioStep } from './scenario.js';
import type { SelfCheck } from './self-check-report.js';

/** Watches one boot of a scenario: says when its steps are due and whether what it expects was seen. Knows no I/O. */
export class ScenarioDirector {
  readonly #steps: readonly ScenarioStep[];
  readonly #seen = new Set<number>();
  #next = 0;
  #lastStepMs = 0;
  /** The next step's line has been on the console since the step before. */
  #lineSeen = false;

  constructor(private readonly boot: ScenarioBoot) {
    this.#steps = boot.steps ?? [];
  }

  /** A line of the console. */
  line(text: string): void {
    const plain = plainConsoleLine(text);
    this.boot.expect?.forEach((expectation, index) => {
      if (new RegExp(expectation.console).test(plain)) this.#seen.add(index);
    });
    const when = this.#steps[this.#next]?.when;
    if (typeof when === 'object' && 'console' in when)
      this.#lineSeen ||= new RegExp(when.console).test(plain);
  }

  /** The step that is due now, or undefined; asking counts as doing it. */
  due(nowMs: number, checks: readonly SelfCheck[]): ScenarioStep['do'] | undefined {
    const step = this.#steps[this.#next];
    if (step === undefined) return undefined;
    const { when } = step;
    const due =
      typeof when === 'number'
        ? nowMs - this.#lastStepMs >= when * 1000
        : 'check' in when
          ? checks.some(({ name }) => name === when.check)
          : this.#lineSeen;
    if (!due) return undefined;
    this.#next += 1;
    this.#lastStepMs = nowMs;
    this.#lineSeen = false;
    return step.do;
  }

  /** What was seen of what the scenario expects, in words. */
  get proved(): readonly string[] {
    return (this.boot.expect ?? []).filter((_, index) => this.#seen.has(index)).map(({ proves }) => proves);
  }

  /** Every step was done and every expected line was seen. */
  get complete(): boolean {
    return this.#next === this.#steps.length && this.#seen.size === (this.boot.expect ?? []).length;
  }

  /** Why the scenario does not hold, in words; undefined if it does. */
  problem(endedMs: number, checks: readonly SelfCheck[]): string | undefined {
    const { expect = [], reports = [], endWithin } = this.boot;
    const step = this.#steps[this.#next];
    if (step !== undefined) return `the step "${step.do}" did not become due`;
    const unseen = expect.find((_, index) => !this.#seen.has(index));
    if (unseen !== undefined) return `the console never showed /${unseen.console}/`;
    const unreported = reports.find((name) => !checks.some((check) => check.name === name));
    if (unreported !== undefined) return `the node did not report ${unreported}`;
    const took = (endedMs - this.#lastStepMs) / 1000;
    if (endWithin !== undefined && took > endWithin) {
      return `the end came ${took.toFixed(0)} s after the last step, allowed are ${endWithin} s`;
    }
    return undefined;
  }

  /** Seconds since the last step. */
  sinceLastStep(nowMs: number): number {
    return (nowMs - this.#lastStepMs) / 1000;
  }
}
