import { resolve } from 'node:path';
import { BaseCommand } from '../cli/base-command.js';
import { openSite } from '../cli/site.js';
import { ExitCode } from '../errors.js';
import { toBytePath } from '../ports/byte-path.js';

/** `mkroot lint`: everything that is wrong with a site. */
export default class Lint extends BaseCommand {
  static override summary = 'Find mistakes in a whole site: recipes, nodes.yaml, overlays, layers, images';

  static override description =
    'Every template is rendered and every layer put together; nothing is written. Ends with exit code 3 if a finding is an error; docs/lint.md explains every rule.';

  static override examples = ['<%= config.bin %> lint', '<%= config.bin %> lint --site mycluster --json'];

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Lint);
    const { fs, progress } = this.ports();
    const [{ lintSite }, { findingText, totalsText, unreadOverlayText }] = await Promise.all([
      import('../pipelines/lint/lint-site.js'),
      import('../pipelines/lint/lint-text.js'),
    ]);
    const { recipes, ...site } = openSite(fs, flags.site);
    const report = lintSite(fs, {
      site,
      recipes,
      state: toBytePath(resolve(flags.state)),
      version: this.config.version,
    });
    const { findings, looked, missingImages, unreadOverlays, layersKnown } = report;
    for (const image of missingImages) {
      progress.note(`Image "${image}" was never built: nothing is compared with it (mkroot build ${image})`);
    }
    for (const overlay of unreadOverlays) progress.note(unreadOverlayText(overlay));
    if (!layersKnown) progress.note('Layers and images are not looked at: nodes.yaml cannot be read');
    for (const line of findings.flatMap(findingText)) this.log(line);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    this.log(totalsText(findings, looked));
    if (errors > 0) process.exitCode = ExitCode.InvalidInput;
    return {
      errors,
      warnings: findings.length - errors,
      findings,
      looked,
      unreadOverlays,
      layersKnown,
      missingImages,
    };
  }
}
