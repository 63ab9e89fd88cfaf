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
    'Ends with exit code 3 if a finding is an error; docs/lint.md explains every rule. Without names, all groups and nodes are looked at.';

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
    const [{ openComposer, findTargets }, { lintLayers }, { findingLines }] = await Promise.all([
      import('../../pipelines/layers/open-composer.js'),
      import('../../pipelines/layers/render-layers.js'),
      import('../../pipelines/layers/compose-layers.js'),
    ]);
    const composer = openComposer(fs, openSite(fs, flags.site), toBytePath(resolve(flags.state)));
    const targets =
      argv.length > 0
        ? findTargets(composer, argv.map(String))
        : { groups: [...composer.site.inventory.groups.keys()], nodes: composer.values.nodes };
    const findings = lintLayers(composer, targets);
    for (const image of composer.missingImages()) {
      progress.warn(
        `Image "${image}" was never built: its layers are not compared with it`,
        `Build it with: mkroot build ${image}`,
      );
    }
    for (const finding of findings) {
      const [first, ...others] = finding.layers;
      const where = others.length === 0 ? first : `${first} and ${others.length} more`;
      const [line = '', remedy = ''] = findingLines(finding);
      this.log(`${line.trim()} in ${where}\n${remedy}`);
    }
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    this.log(`${errors} errors, ${findings.length - errors} warnings`);
    if (errors > 0) process.exitCode = ExitCode.InvalidInput;
    return { errors, findings };
  }
}
