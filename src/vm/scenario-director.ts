import { plainConsoleLine } from './console-text.js';
import type { Expectation, ScenarioBoot, ScenarioStep } from './scenario.js';
import type { SelfCheck } from './self-check-report.js';

/** Watches one boot of a scenario: says when its steps are due and whether what it expects was seen. Knows no I/O. */
export class ScenarioDirector {
  readonly #steps: readonly ScenarioStep[];
  /** How many lines of each expectation were seen. */
  readonly #seen: number[];
  #next = 0;
  #lastStepMs = 0;
  /** The next step's line has been on the console since the step before. */
  #lineSeen = false;

  constructor(private readonly boot: ScenarioBoot) {
    this.#steps = boot.steps ?? [];
    this.#seen = (boot.expect ?? []).map(() => 0);
  }

  /** A line of the console. */
  line(text: string): void {
    const plain = plainConsoleLine(text);
    this.#count('console', plain);
    const when = this.#steps[this.#next]?.when;
    if (typeof when === 'object' && 'console' in when)
      this.#lineSeen ||= new RegExp(when.console).test(plain);
  }

  /** A line of the DHCP server's log. */
  dhcpLine(text: string): void {
    this.#count('dhcp', text);
  }

  #count(source: 'console' | 'dhcp', line: string): void {
    this.boot.expect?.forEach((expectation, index) => {
      const wanted = expectation[source];
      if (wanted !== undefined && new RegExp(wanted).test(line)) this.#seen[index]! += 1;
    });
  }

  #holds({ times = 1, never = false }: Expectation, index: number): boolean {
    const seen = this.#seen[index]!;
    return never ? seen === 0 : seen >= times;
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

  /** What holds of what the scenario expects, in words. */
  get proved(): readonly string[] {
    return (this.boot.expect ?? [])
      .filter((expectation, index) => this.#holds(expectation, index))
      .map(({ proves }) => proves);
  }

  /** Every step was done and all that is expected holds. */
  get complete(): boolean {
    return (
      this.#next === this.#steps.length &&
      (this.boot.expect ?? []).every((expectation, index) => this.#holds(expectation, index))
    );
  }

  /** Why the scenario does not hold, in words; undefined if it does. */
  problem(endedMs: number, checks: readonly SelfCheck[]): string | undefined {
    const { expect = [], reports = [], endWithin } = this.boot;
    const step = this.#steps[this.#next];
    if (step !== undefined) return `the step "${step.do}" did not become due`;
    const broken = expect.findIndex((expectation, index) => !this.#holds(expectation, index));
    if (broken !== -1) return whyNot(expect[broken]!, this.#seen[broken]!);
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

function whyNot({ console, dhcp, times = 1, never = false }: Expectation, seen: number): string {
  const where = console === undefined ? `the DHCP server's log` : 'the console';
  const what = `/${console ?? dhcp}/`;
  if (never) return `${where} showed ${what}`;
  return times === 1 ? `${where} never showed ${what}` : `${where} showed ${what} ${seen} of ${times} times`;
}
