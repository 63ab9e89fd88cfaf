import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { requireRoot } from '../../cli/require-root.js';
import { openSite } from '../../cli/site.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

/** `mkroot overlay write [GROUP...]`: the layers that the nodes of groups share. */
export default class OverlayWrite extends BaseCommand {
  static override summary = 'Write the layers that the nodes of groups share to STATE/layers';

  static override description =
    'A layer that has not changed is not touched. Nothing is written if the linter finds an error.';

  static override examples = ['<%= config.bin %> overlay write', '<%= config.bin %> overlay write compute'];

  static override strict = false;

  static override args = { group: Args.string({ description: 'groups; all by default' }) };

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(OverlayWrite);
    requireRoot('write layers', 'owners and whiteouts');
    const ports = this.ports({ verbose: flags.verbose });
    const [{ openComposer, findTargets }, { writeSharedLayers }, { findingLines }] = await Promise.all([
      import('../../pipelines/layers/open-composer.js'),
      import('../../pipelines/layers/write-layers.js'),
      import('../../pipelines/layers/layer-findings.js'),
    ]);
    const composer = openComposer(ports.fs, openSite(ports.fs, flags.site), toBytePath(resolve(flags.state)));
    const groups =
      argv.length > 0
        ? findTargets(
            composer,
            argv.map((name) => `group:${String(name).replace(/^group:/, '')}`),
          ).groups
        : [...composer.site.inventory.groups.keys()];
    const layers = await writeSharedLayers(ports, composer, groups, this.worker);
    for (const { name, layer, changed, contents, findings } of layers) {
      for (const line of findings.flatMap(findingLines)) this.logToStderr(line);
      const what = changed ? `${contents.entries.length} entries` : 'nothing has changed';
      this.log(`${name}  ${displayPath(layer)}  ${what}`);
    }
    return layers.map(({ name, layer, changed, contents, findings }) => ({
      name,
      layer: displayPath(layer),
      changed,
      digest: contents.digest,
      entries: contents.entries.length,
      findings,
    }));
  }
}
