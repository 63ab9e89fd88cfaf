import type { Ports } from '../ports/ports.js';
import { reserveLabDirectory } from '../stages/reserve-lab-directory.js';
import type { BootReport } from '../vm/boot-report.js';
import { bootsOf, type Scenario } from '../vm/scenario.js';
import { type ScenarioReport, scenarioReport } from '../vm/scenario-report.js';
import { bootTest } from './boot-test.js';
import type { BootTestOptions } from './boot-test-options.js';

/**
 * Runs scenarios one after the other, each boot in a lab of its own; `onReport` gets each scenario when it has ended. A boot
 * that fails ends its scenario, not the others. Once an accelerator had to be given up it is not tried again.
 */
export async function runScenarios(
  ports: Ports,
  scenarios: readonly Scenario[],
  options: BootTestOptions,
  onReport: (report: ScenarioReport) => void,
): Promise<readonly ScenarioReport[]> {
  const reports: ScenarioReport[] = [];
  let { accelerator } = options;
  for (const scenario of scenarios) {
    const boots: BootReport[] = [];
    const kept = reserveLabDirectory(ports, options.temporaryParent);
    ports.fs.mkdir(`${kept}/kept`);
    try {
      for (const [index, boot] of bootsOf(scenario).entries()) {
        ports.progress.note(`${scenario.name}: ${boot.title}`);
        const report = await bootTest(ports, {
          ...options,
          accelerator,
          scenario: boot,
          kept: `${kept}/kept`,
          ...(boot.timeout === undefined ? {} : { timeoutMs: boot.timeout * 1000 }),
          ...(options.report === undefined
            ? {}
            : { report: `${options.report}/${scenario.name}-${index + 1}` }),
        });
        boots.push(report);
        ({ accelerator } = report);
        if (report.result === 'fail') break;
      }
    } finally {
      ports.fs.remove(kept);
    }
    const report = scenarioReport(scenario, boots);
    reports.push(report);
    onReport(report);
  }
  return reports;
}
