import type { BootReport } from './boot-report.js';
import type { Scenario } from './scenario.js';

/** How a scenario went: what `--json` prints for each. Stable. */
export interface ScenarioReport {
  readonly scenario: string;
  readonly title: string;
  /** Items of the list of what the boot runtime must get right. */
  readonly items: readonly string[];
  readonly result: 'pass' | 'fail';
  /** What was seen, in words. */
  readonly proved: readonly string[];
  readonly reason?: string;
  readonly boots: readonly BootReport[];
}

/** Joins the boots of a scenario and compares what they reported. */
export function scenarioReport(
  { name, title, items, same = {}, differ = {} }: Scenario,
  boots: readonly BootReport[],
): ScenarioReport {
  const detail = (check: string, boot: number) =>
    boots[boot - 1]?.checks.find((one) => one.name === check)?.detail;
  const proved = boots.flatMap((boot) => boot.proved ?? []);
  const failures = boots.flatMap(({ failure }) =>
    failure === undefined
      ? []
      : [`${failure.milestone === undefined ? '' : `did not come: ${failure.milestone}. `}${failure.reason}`],
  );
  const compare = (wanted: Readonly<Record<string, readonly number[]>>, distinct: boolean) => {
    for (const [check, numbers] of Object.entries(wanted)) {
      const details = numbers.map((number) => detail(check, number));
      const words = `${check} is ${distinct ? 'different' : 'the same'} in boots ${numbers.join(', ')}`;
      const holds = new Set(details).size === (distinct ? details.length : 1) && !details.includes(undefined);
      if (holds) proved.push(`${words}: ${details[0]}${distinct ? ', ...' : ''}`);
      else failures.push(`not so: ${words} (${details.join(', ')})`);
    }
  };
  if (failures.length === 0) {
    compare(same, false);
    compare(differ, true);
  }
  return {
    scenario: name,
    title,
    items,
    result: failures.length === 0 ? 'pass' : 'fail',
    proved,
    ...(failures[0] === undefined ? {} : { reason: failures[0] }),
    boots,
  };
}

/** For the terminal: verdict and title, what was proved, how long it took; of a failure the console and where the logs are. */
export function scenarioSummary(report: ScenarioReport): string[] {
  const { scenario, title, items, result, proved, reason, boots } = report;
  const seconds = boots.map(({ endedMs = 0 }) => (endedMs / 1000).toFixed(1)).join(' + ');
  const after = boots
    .filter(({ secondsFromLastStep, endedMs = 0 }) => (secondsFromLastStep ?? 0) < endedMs / 1000)
    .map(({ secondsFromLastStep = 0 }) => `, ${secondsFromLastStep.toFixed(0)} s after the last step`)
    .join('');
  const failed = boots.find(({ failure }) => failure !== undefined);
  return [
    `${result === 'pass' ? 'PASS' : 'FAIL'}  ${scenario} (${items.join(', ')}): ${title}`,
    ...proved.map((words) => `        ${words}`),
    ...(failed?.failure?.console.map((line) => `      | ${line}`) ?? []),
    ...(reason === undefined
      ? [`        ${boots.length === 1 ? 'one boot' : `${boots.length} boots`}, ${seconds} s${after}`]
      : [`      ${reason}`]),
    ...(failed?.logs === undefined ? [] : [`      Logs: ${failed.logs}`]),
  ];
}

/**
 * For the terminal, of scenarios that were run several times: how many of them pass, and the seconds that their ends took, from the last
 * step of each boot that has steps.
 */
export function repeatSummary(reports: readonly ScenarioReport[]): string[] {
  const names = [...new Set(reports.map(({ scenario }) => scenario))];
  return names.map((name) => {
    const runs = reports.filter(({ scenario }) => scenario === name);
    const passed = runs.filter(({ result }) => result === 'pass');
    const seconds = passed
      .flatMap(({ boots }) => boots)
      .filter(({ secondsFromLastStep, endedMs = 0 }) => (secondsFromLastStep ?? 0) < endedMs / 1000)
      .map(({ secondsFromLastStep = 0 }) => secondsFromLastStep)
      .sort((a, b) => a - b);
    const at = (share: number) => seconds[Math.floor((seconds.length - 1) * share)]?.toFixed(0);
    const spread =
      seconds.length === 0 ? '' : `, ${at(0)} to ${at(1)} s after the last step, median ${at(0.5)} s`;
    return `${name}: ${passed.length} of ${runs.length} pass${spread}`;
  });
}
