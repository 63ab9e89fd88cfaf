import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { checkHost, type Finding } from '../doctor/check-host.js';
import { hostReportText, howToGet } from '../doctor/host-report-text.js';
import { PURPOSES } from '../doctor/requirement.js';
import { REQUIREMENTS } from '../doctor/requirements.js';
import { ExitCode } from '../errors.js';

/** `mkroot doctor`: what this host has, what it lacks and how to get it. */
export default class Doctor extends BaseCommand {
  static override summary =
    'Check the host: tools, kernel features, accelerators, and how to get what is missing';

  static override description =
    'Exits with 5 when something is missing that a command (by default build, initrd, publish or qemu-test) cannot do without. A head node is asked about with --for publish --for serve; node create and node instantiate need what publish needs.';

  static override flags = {
    for: Flags.option({
      options: PURPOSES,
      multiple: true,
      default: ['build', 'initrd', 'publish', 'qemu-test'],
      description: 'what the host is wanted for; repeat it for more',
    })(),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Doctor);
    const report = await checkHost(
      REQUIREMENTS,
      { purposes: flags.for, uid: process.geteuid?.() ?? 0 },
      this.ports(),
    );
    this.log(
      hostReportText(report, {
        colour: process.stdout.isTTY === true,
        columns: process.stdout.columns || undefined,
      }),
    );
    if (!report.ready) process.exitCode = ExitCode.MissingTool;
    const { findings, ...rest } = report;
    return { ...rest, findings: findings.map(asJson) };
  }
}

function asJson(finding: Finding): Record<string, unknown> {
  const { requirement, presence, detail, required } = finding;
  const { name, why, requiredFor, usefulFor, debian, el } = requirement;
  return {
    ...{ name, presence, detail, required, why, requiredFor, usefulFor, debian, el },
    ...(presence === 'ok' ? {} : { howToGet: howToGet(finding) }),
  };
}
