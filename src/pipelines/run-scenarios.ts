import type { Ports } from '../ports/ports.js';
import { prepareLabImage } from '../stages/prepare-lab-image.js';
import { reserveLabDirectory } from '../stages/reserve-lab-directory.js';
import type { BootReport } from '../vm/boot-report.js';
import { bootsOf, type Scenario } from '../vm/scenario.js';
import { type ScenarioReport, scenarioReport } from '../vm/scenario-report.js';
import { bootTest } from './boot-test.js';
import type { BootTestOptions } from './boot-test-options.js';

/**
 * Runs scenarios one after the other, each boot in a lab of its own; `onReport` gets each scenario when it has ended. A boot
 * that fails ends its scenario, not the others. Once an accelerator had to be given up it is not tried again. What outlives
 * a boot, and the root as one file, are in a directory that goes in the end.
 */
export async function runScenarios(
  ports: Ports,
  scenarios: readonly Scenario[],
  options: BootTestOptions,
  onReport: (report: ScenarioReport) => void,
): Promise<readonly ScenarioReport[]> {
  const reports: ScenarioReport[] = [];
  const directory = reserveLabDirectory(ports, options.temporaryParent);
  let { accelerator, baseImage } = options;
  try {
    for (const scenario of scenarios) {
      const boots: BootReport[] = [];
      const kept = `${directory}/kept-${scenario.name}`;
      ports.fs.mkdir(kept);
      for (const [index, boot] of bootsOf(scenario).entries()) {
        ports.progress.note(`${scenario.name}: ${boot.title}`);
        if (boot.transport !== undefined) {
          ports.fs.mkdir(`${directory}/image`);
          baseImage ??= await prepareLabImage(
            ports,
            options.subject.root,
            `${directory}/image`,
            options.signal,
          );
        }
        const report = await bootTest(ports, {
          ...options,
          accelerator,
          scenario: boot,
          kept,
          ...(boot.transport === undefined || baseImage === undefined ? {} : { baseImage }),
          ...(boot.timeout === undefined ? {} : { timeoutMs: boot.timeout * 1000 }),
          ...(options.report === undefined
            ? {}
            : { report: `${options.report}/${scenario.name}-${index + 1}` }),
        });
        boots.push(report);
        ({ accelerator } = report);
        if (report.result === 'fail') break;
      }
      const report = scenarioReport(scenario, boots);
      reports.push(report);
      onReport(report);
    }
    return reports;
  } finally {
    ports.fs.remove(directory);
  }
}
