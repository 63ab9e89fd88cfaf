import type { BootReport } from './boot-report.js';
import { timelineTable } from './timeline.js';

/** A report for the terminal: the timeline as a table, the checks, what failed and where to look, PASS or FAIL last. */
export function bootSummary(report: BootReport): string[] {
  const { failure, fallback, checks, notTested, logs } = report;
  return [
    ...timelineTable(report.milestones),
    ...(checks.length === 0
      ? []
      : [
          '',
          'Self-check inside the node:',
          ...checks.map(({ name, passed, detail }) => `  ${passed ? 'pass' : 'FAIL'}  ${name}: ${detail}`),
        ]),
    ...(fallback === undefined ? [] : ['', `Ran under TCG, because of ${fallback}`]),
    ...(notTested.length === 0 ? [] : ['', 'Not tested:', ...notTested.map((what) => `  ${what}`)]),
    '',
    ...(failure === undefined ? [] : failureLines(failure)),
    ...(logs === undefined ? [] : [`Logs and report: ${logs}`]),
    verdict(report),
  ];
}

/** What did not come or does not hold, and the end of the console. */
export function failureLines({ milestone, reason, console }: NonNullable<BootReport['failure']>): string[] {
  return [
    'Last lines of the serial console:',
    ...(console.length === 0 ? ['  (nothing was printed)'] : console.map((line) => `  | ${line}`)),
    '',
    milestone === undefined ? `Failed: ${reason}` : `Did not come: ${milestone}. ${reason}`,
  ];
}

function verdict({ result, image, network, milestones, checks }: BootReport): string {
  const last = milestones.at(-1);
  const seconds = ((last?.atMs ?? 0) / 1000).toFixed(1);
  if (result === 'fail') return `FAIL  ${image}: got as far as ${last?.title ?? 'nothing'} (${seconds} s)`;
  const how = network === 'user' ? 'as far as QEMU’s own network goes' : `${checks.length} checks`;
  return `PASS  ${image}: ${last?.title ?? ''} after ${seconds} s, ${how}`;
}
