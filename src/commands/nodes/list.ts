import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';
import type { Node } from '../../inventory/node.js';

/** `mkroot nodes list`: the nodes of a cluster. */
export default class NodesList extends BaseCommand {
  static override summary = 'List the nodes of a cluster';

  static override examples = [
    '<%= config.bin %> nodes list',
    "<%= config.bin %> nodes list 'n[001-016]' --json",
    '<%= config.bin %> nodes list --group storage',
  ];

  static override args = {
    nodes: Args.string({ description: "names in ClusterShell's syntax; all by default" }),
  };

  static override flags = {
    site: BaseCommand.siteFlag,
    group: Flags.string({ description: 'only nodes of this group', helpValue: 'GROUP' }),
    image: Flags.string({ description: 'only nodes that boot this image', helpValue: 'IMAGE' }),
  };

  async run(): Promise<readonly Node[]> {
    const { args, flags } = await this.parse(NodesList);
    const { fs } = this.ports();
    const [{ loadInventory }, { selectNodes }, { nodeTable }] = await Promise.all([
      import('../../inventory/load-inventory.js'),
      import('../../inventory/select-nodes.js'),
      import('../../inventory/node-table.js'),
    ]);
    const site = openSite(fs, flags.site);
    const nodes = selectNodes(loadInventory(fs, site), {
      images: site.images,
      ...(args.nodes === undefined ? {} : { names: args.nodes }),
      ...(flags.group === undefined ? {} : { group: flags.group }),
      ...(flags.image === undefined ? {} : { image: flags.image }),
    });
    this.log(nodeTable(nodes).join('\n'));
    return nodes;
  }
}
