import { groupName, hostLabel } from './checked-value.js';
import type { NetbootNode } from './netboot-site.js';
import { foldNodeSet } from './node-set.js';

/** Names of all groups, sorted, each with the names of its nodes. */
export function nodesByGroup(
  place: string,
  nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[],
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, groups: own } of nodes) {
    hostLabel(place, name);
    for (const group of own) {
      const members = groups.get(group);
      if (members === undefined) groups.set(groupName(place, group), [name]);
      else members.push(name);
    }
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function foldedGroups(nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[]): [string, string][] {
  const groups = nodesByGroup('a ClusterShell group file', nodes);
  return [['all', nodes.map(({ name }) => name)] as const, ...groups].map(([group, names]) => [
    group,
    foldNodeSet(names),
  ]);
}

/** groups.d/*.yaml of ClusterShell, source `mkroot`: `clush -w @mkroot:compute`. */
export function renderClusterShellYaml(nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[]): string {
  const lines = foldedGroups(nodes).map(([group, set]) => `  "${group}": "${set}"\n`);
  return `# Written by mkroot.\nmkroot:\n${lines.join('')}`;
}

/** groups.d/local.cfg of ClusterShell, the source that needs no name: `clush -w @compute`, `clush -a`. */
export function renderClusterShellLocal(nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[]): string {
  const lines = foldedGroups(nodes).map(([group, set]) => `${group}: ${set}\n`);
  return `# Written by mkroot.\n${lines.join('')}`;
}
