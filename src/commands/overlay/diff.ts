import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** `mkroot overlay diff [NAME...]`: what the next write would change in layers. */
export default class OverlayDiff extends BaseCommand {
  static override summary = 'Show what changed in layers since they were written last';

  static override examples = [
    '<%= config.bin %> overlay diff',
    '<%= config.bin %> overlay diff compute n017',
  ];

  static override strict = false;

  static override args = {
    name: Args.string({ description: 'nodes (n[001-128]) and groups; all groups by default' }),
  };

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { argv, flags } = await this.parse(OverlayDiff);
    const { fs } = this.ports();
    const [{ openComposer, findTargets }, { diffHostLayers, diffSharedLayers }] = await Promise.all([
      import('../../pipelines/layers/open-composer.js'),
      import('../../pipelines/layers/write-layers.js'),
    ]);
    const composer = openComposer(fs, openSite(fs, flags.site), toBytePath(resolve(flags.state)));
    const { groups, nodes } =
      argv.length > 0
        ? findTargets(composer, argv.map(String))
        : { groups: [...composer.site.inventory.groups.keys()], nodes: [] };
    const layers = [...diffSharedLayers(fs, composer, groups), ...diffHostLayers(fs, composer, nodes)];
    for (const { name, written, differences } of layers) {
      const state = written ? 'no change' : 'never written';
      this.log(`${name}: ${written && differences.length > 0 ? `${differences.length} changes` : state}`);
      for (const { path, change, what } of differences) {
        this.log(`  ${SIGNS[change]} ${displayPath(path)}${what.length === 0 ? '' : `: ${what.join(', ')}`}`);
      }
    }
    return layers;
  }
}
