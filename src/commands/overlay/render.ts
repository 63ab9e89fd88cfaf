import { resolve } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import type { LayerEntry } from '../../layers/layer-entry.js';
import { displayPath, toBytePath } from '../../ports/byte-path.js';

/** `mkroot overlay render NODE [PATH]`: what the layers of a node or a group have. */
export default class OverlayRender extends BaseCommand {
  static override summary = 'Show what the layers of a node or a group have: one file, or a list';

  static override examples = [
    '<%= config.bin %> overlay render n017 /etc/hosts',
    '<%= config.bin %> overlay render compute',
  ];

  static override args = {
    name: Args.string({ description: 'node or group', required: true }),
    path: Args.string({ description: 'path of a file as the node sees it' }),
  };

  static override flags = { state: BaseCommand.stateFlag, site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(OverlayRender);
    const { fs, progress } = this.ports();
    const [{ openComposer }, { renderFile, renderLayers }] = await Promise.all([
      import('../../pipelines/layers/open-composer.js'),
      import('../../pipelines/layers/render-layers.js'),
    ]);
    const composer = openComposer(fs, openSite(fs, flags.site), toBytePath(resolve(flags.state)));
    if (args.path !== undefined) {
      const { entry, layer, bytes } = renderFile(fs, composer, args.name, toBytePath(args.path));
      if (!this.jsonEnabled()) process.stdout.write(bytes);
      return { ...describe(entry), layer, content: Buffer.from(bytes).toString('utf8') };
    }
    const { entries, identity } = renderLayers(fs, composer, args.name);
    for (const { entry, layer, withheld } of entries) {
      const { path, kind, mode, owner, target } = describe(entry);
      const arrow = target === undefined ? '' : ` -> ${target}`;
      this.log(
        `${kind.padEnd(9)} ${mode} ${owner.padEnd(9)} ${layer.padEnd(6)} ${path}${arrow}  (${entry.origin}${withheld ? '; not shown' : ''})`,
      );
    }
    if (identity === 'none') {
      progress.note(`Its machine-id and ssh host keys are made by: mkroot node instantiate ${args.name}`);
    } else if (identity === 'closed') {
      progress.note('Its machine-id and ssh host keys are left out: only root may look at them');
    }
    return entries.map(({ entry, layer, withheld }) => ({ ...describe(entry), layer, withheld }));
  }
}

function describe(entry: LayerEntry) {
  return {
    path: displayPath(entry.path),
    kind: entry.kind,
    mode: entry.mode.toString(8).padStart(4, '0'),
    owner: `${entry.uid}:${entry.gid}`,
    origin: entry.origin,
    target: entry.kind === 'symlink' ? displayPath(entry.target) : undefined,
  };
}
