import { macBytes } from '../../netboot/kernel-command-line.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import type { KnownNode } from '../../serving/node-board.js';

/** The nodes of what was published, as the display of their boots knows them. */
export function knownNodes(site: NetbootSite): KnownNode[] {
  return site.nodes.map(({ name, groups, address, mac, boot }) => ({
    name,
    group: groups[0] ?? '',
    address,
    ...(mac === undefined ? {} : { mac: macBytes(mac).join(':') }),
    image: boot.image.name,
    generation: boot.image.generation,
  }));
}
