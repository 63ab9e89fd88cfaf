import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import type { ResolvedNode } from '../../inventory/resolve-node.js';

/** `mkroot nodes show`: what a node comes to, and where each value comes from. */
export default class NodesShow extends BaseCommand {
  static override summary = 'Show what a node comes to, and where each value comes from';

  static override description =
    "A node's own values go before those of its group, and these before the cluster's; the right column names the place of each.";

  static override examples = [
    '<%= config.bin %> nodes show n017',
    '<%= config.bin %> nodes show n017 --json',
  ];

  static override args = {
    node: Args.string({ required: true, description: 'name of a node' }),
  };

  static override flags = { site: BaseCommand.siteFlag };

  async run(): Promise<ResolvedNode> {
    const { args, flags } = await this.parse(NodesShow);
    const { fs } = this.ports();
    const [{ loadInventory }, { typedNames }, { resolveNode }, { originTable }] = await Promise.all([
      import('../../inventory/load-inventory.js'),
      import('../../inventory/node-set.js'),
      import('../../inventory/resolve-node.js'),
      import('../../inventory/node-table.js'),
    ]);
    typedNames(args.node, 'find node');
    const resolved = resolveNode(loadInventory(fs, openSite(fs, flags.site)), args.node);
    this.log(originTable(resolved).join('\n'));
    return resolved;
  }
}
