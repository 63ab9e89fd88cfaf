import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import { ExitCode } from '../../errors.js';
import { toBytePath } from '../../ports/byte-path.js';

/** `mkroot overlay lint [NAME...]`: what is wrong with layers, without writing any. */
export default class OverlayLint extends BaseCommand {
  static override summary =
    'Find mistakes in the layers of groups and nodes: owners, secrets, links, conflicts';

  static override description =
    'Everything is told at once, broken templates included. Ends with exit code 3 if a finding is an error; docs/lint.md explains every rule. Without names, all groups and nodes are looked at.';

  static override examples = [
    '<%= config.bin %> overlay lint',
    '<%= config.bin %> overlay lint compute n017',
  ];

  static override strict = false;

  static override args = { name: Args.string({ description: 'nodes (n[001-128]) and groups' }) };

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(OverlayLint);
    const { fs, progress } = this.ports();
    const [{ lintTargets }, { findingText, severitiesText, unreadOverlayText }] = await Promise.all([
      import('../../pipelines/lint/lint-targets.js'),
      import('../../pipelines/lint/lint-text.js'),
    ]);
    const { findings, missingImages, unreadOverlays } = lintTargets(fs, {
      site: openSite(fs, flags.site),
      state: toBytePath(resolve(flags.state)),
      names: argv.map(String),
    });
    for (const image of missingImages) {
      progress.warn(
        `Image "${image}" was never built: its layers are not compared with it`,
        `Build it with: mkroot build ${image}`,
      );
    }
    for (const overlay of unreadOverlays) progress.note(unreadOverlayText(overlay));
    for (const line of findings.flatMap(findingText)) this.log(line);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    this.log(severitiesText(findings));
    if (errors > 0) process.exitCode = ExitCode.InvalidInput;
    return { errors, warnings: findings.length - errors, findings, unreadOverlays, missingImages };
  }
}
