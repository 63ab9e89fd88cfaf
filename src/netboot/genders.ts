import { groupName, hostLabel } from './checked-value.js';
import type { NetbootNode } from './netboot-site.js';

/**
 * genders(3): each node with its groups and variables as attributes. A variable is left out if a group has its name or if
 * the format cannot hold its value: anything but a word without commas, and text that is empty.
 */
export function renderGenders(nodes: readonly Pick<NetbootNode, 'name' | 'groups' | 'variables'>[]): string {
  const place = 'a genders file';
  const lines = nodes.map(({ name, groups, variables = {} }) => {
    const attributes = new Map<string, string>([['all', 'all']]);
    for (const group of groups) attributes.set(group, groupName(place, group));
    for (const [key, value] of Object.entries(variables)) {
      const text = typeof value === 'object' ? '' : String(value);
      if (attributes.has(key) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) || !/^[!-~]+$/.test(text)) continue;
      if (/[,=#"'\\]/.test(text)) continue;
      // libgenders replaces %n and %t in values by the node's name.
      attributes.set(key, `${key}=${text.replaceAll('%', '%%')}`);
    }
    return `${hostLabel(place, name)} ${[...attributes.values()].join(',')}\n`;
  });
  return `# Written by mkroot.\n${lines.join('')}`;
}
