import { groupName, hostLabel } from './checked-value.js';
import type { NetbootNode } from './netboot-site.js';

/**
 * Lists of machines for dsh(1), one name a line, by their path below /etc/dsh: `machines.list` for all, `group/NAME` for each
 * group. pdsh reads the same groups with `-g`.
 */
export function renderDshLists(nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[]): Map<string, string> {
  const place = 'a list of dsh';
  const lists = new Map<string, string[]>([['machines.list', []]]);
  for (const { name, groups } of nodes) {
    const line = `${hostLabel(place, name)}\n`;
    lists.get('machines.list')?.push(line);
    for (const group of groups) {
      const path = `group/${groupName(place, group)}`;
      const list = lists.get(path) ?? [];
      list.push(line);
      lists.set(path, list);
    }
  }
  return new Map([...lists].map(([path, lines]) => [path, `# Written by mkroot.\n${lines.join('')}`]));
}
