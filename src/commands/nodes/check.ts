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
    this.log(
      `${file}: ${[counted(nodes.size, 'node'), counted(groups.size, 'group'), counted(networks.size, 'network')].join(', ')}`,
    );
    if (withoutMac.length > 0) {
      this.log(
        `without a MAC address: ${counted(withoutMac.length, 'node')}, the first is ${withoutMac[0]}; see: mkroot nodes import --help`,
      );
    }
    return { nodes: nodes.size, groups: groups.size, networks: networks.size, withoutMac };
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
