import { BaseCommand } from '../../cli/base-command.js';
import { openSite } from '../../cli/site.js';

/** `mkroot nodes check`: every mistake in an inventory. */
export default class NodesCheck extends BaseCommand {
  static override summary = 'Find every mistake in nodes.yaml and its CSV files';

  static override flags = { site: BaseCommand.siteFlag };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodesCheck);
    const { fs } = this.ports();
    const { loadInventory } = await import('../../inventory/load-inventory.js');
    const { file, nodes, groups, networks } = loadInventory(fs, openSite(fs, flags.site));
    const withoutMac = [...nodes.values()].flatMap(({ name, mac }) => (mac === undefined ? [name] : []));
    this.log(`${file}: ${nodes.size} nodes, ${groups.size} groups, ${networks.size} networks`);
    if (withoutMac.length > 0) {
      this.log(
        `${withoutMac.length} nodes have no MAC address yet, the first is ${withoutMac[0]}; see: mkroot nodes import --help`,
      );
    }
    return { nodes: nodes.size, groups: groups.size, networks: networks.size, withoutMac };
  }
}
