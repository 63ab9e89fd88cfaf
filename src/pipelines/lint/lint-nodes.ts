import { suggestion } from '../../decode/nearest-name.js';
import type { Position } from '../../decode/position.js';
import type { Inventory } from '../../inventory/inventory.js';
import { contains, parseIpv4, parseSubnet } from '../../inventory/ipv4.js';
import type { Node, PersistentPath } from '../../inventory/node.js';
import { resolveNode } from '../../inventory/resolve-node.js';
import { BOOT_KEYS, IDLE_ARGUMENTS } from '../../netboot/boot-keys.js';
import type { SiteFindings } from './site-findings.js';

/** Roles without which nodes do not boot; any machine may be the one that answers. */
const NEEDED_ROLES = ['dhcp', 'tftp', 'nfs'] as const;

/** Directories that have to be the image's, or are mounts that the system makes itself. */
const SYSTEM_PATHS = /^\/(bin|boot|dev|etc|lib\d*|libx32|proc|run|sbin|sys|usr|var\/lib\/(dpkg|rpm))(\/|$)/;

/** Below these, software that an administrator adds may well be shared. */
const ADDED_SOFTWARE = /^\/usr\/(local|share\/[^/]+)(\/|$)/;

/** Directories in which programs keep what is about one machine. */
const STATE_PATHS = /^\/(var|tmp|root)(\/|$)/;

/** What nodes.yaml says that fits together and yet does not work, or is of no use. */
export function lintNodes(inventory: Inventory, nodes: readonly Node[], findings: SiteFindings): void {
  lintCluster(inventory, nodes, findings);
  const someHaveMacs = nodes.some(({ mac }) => mac !== undefined);
  const writers = sharedWriters(nodes);
  for (const node of nodes) {
    const place = (field: string) => placeOf(inventory, node.name, field);
    if (someHaveMacs && node.mac === undefined) {
      findings.ofNode('node-without-mac', place('ip'), `${node.name} has no MAC address`);
    }
    lintServers(node, place, findings);
    lintArguments(node, place, findings);
    lintPersistent(node, place, writers, findings);
    const { disk } = node;
    if (disk?.consent?.startsWith('yes-wipe-')) {
      findings.ofNode(
        'disk-may-be-wiped',
        place('disk'),
        `${node.name} wipes whatever ${disk.device} is, unless mkroot partitioned it`,
      );
    }
    const { size } = node.writableTop;
    if (size?.endsWith('%') && Number.parseInt(size, 10) >= 100) {
      findings.ofNode(
        'top-takes-memory',
        place('writableTop.size'),
        `the writable top of ${node.name} may grow to ${size} of the memory`,
      );
    }
  }
}

type Place = (field: string) => Position;

function lintCluster(inventory: Inventory, nodes: readonly Node[], findings: SiteFindings): void {
  const roles = new Set([...inventory.servers.values()].flatMap((server) => server.roles));
  for (const role of nodes.length === 0 ? [] : NEEDED_ROLES) {
    if (roles.has(role)) continue;
    findings.at('missing-role', inventory.position(['cluster', 'servers']), `no server has the role ${role}`);
  }
  const usedGroups = new Set(nodes.map(({ group }) => group));
  for (const name of inventory.groups.keys()) {
    if (usedGroups.has(name)) continue;
    findings.at('unused-group', inventory.position(['groups', name]), `group ${name} has no nodes`);
  }
  const usedNetworks = new Set(nodes.map(({ network }) => network.name));
  for (const name of inventory.networks.keys()) {
    if (usedNetworks.has(name)) continue;
    findings.at('unused-network', inventory.position(['networks', name]), `network ${name} has no nodes`);
  }
}

function lintServers(node: Node, place: Place, findings: SiteFindings): void {
  if (node.gateway !== undefined) return;
  const { address, prefix } = node.network;
  const subnet = parseSubnet(`${address}/${prefix}`);
  const used = [...NEEDED_ROLES, 'dns' as const].flatMap((role) => node.servers[role].slice(0, 1));
  const all = [...used, ...node.persistent.map(({ server }) => server)];
  for (const server of new Set(all)) {
    const at = parseIpv4(server.address);
    if (subnet === undefined || at === undefined || contains(subnet, at)) continue;
    findings.ofNode(
      'server-unreachable',
      place('network'),
      `${node.name} has no gateway, and ${server.name} (${server.address}) is outside of ${address}/${prefix}`,
    );
  }
}

function lintArguments({ kernelArguments }: Node, place: Place, findings: SiteFindings): void {
  kernelArguments.forEach((word, index) => {
    const [, key] = /^mkroot\.([^=]*)/.exec(word) ?? [];
    const position = () => place(`kernelArguments[${index}]`);
    const known: readonly string[] = BOOT_KEYS;
    if (key !== undefined && !known.includes(key)) {
      const near = suggestion(
        `mkroot.${key}`,
        known.map((name) => `mkroot.${name}`),
      );
      findings.at('unknown-argument', position(), `/init does not know mkroot.${key}${near}`);
    }
    const name = word.replace(/=.*/s, '');
    if (IDLE_ARGUMENTS.includes(name)) {
      findings.at('idle-argument', position(), `${name}= is without effect: the boot entry names the root`);
    }
  });
}

function lintPersistent(
  node: Node,
  place: Place,
  writers: ReadonlyMap<string, number>,
  findings: SiteFindings,
): void {
  node.persistent.forEach((one, index) => {
    const { path } = one;
    const position = () => place(`persistent[${index}]`);
    if (SYSTEM_PATHS.test(path) && !ADDED_SOFTWARE.test(path)) {
      findings.ofNode('persistent-system', position(), `${path} has to be that of the image`);
    }
    const outer = node.persistent.find((other) => path.startsWith(`${other.path}/`));
    if (outer !== undefined && outer.server === one.server && (outer.export ?? '') === (one.export ?? '')) {
      findings.ofNode('persistent-inside', position(), `${path} lies inside of ${outer.path}`);
    }
    const count = writers.get(writerKey(one)) ?? 0;
    if (isSharedWrite(one) && STATE_PATHS.test(path) && count > 1) {
      findings.ofNode('shared-state', position(), `${count} nodes write to ${one.export} as their ${path}`);
    }
  });
}

/** How many nodes write to each export that has nothing of a node in its path. */
function sharedWriters(nodes: readonly Node[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of nodes.flatMap(({ persistent }) => persistent).filter(isSharedWrite)) {
    counts.set(writerKey(one), (counts.get(writerKey(one)) ?? 0) + 1);
  }
  return counts;
}

function isSharedWrite({ export: exported, readOnly }: PersistentPath): boolean {
  return exported !== undefined && !readOnly && !/%[him]/.test(exported);
}

function writerKey({ server, export: exported }: PersistentPath): string {
  return `${server.name}:${exported}`;
}

/** Where a value of a node comes from; where the node is named if it is a default. */
export function placeOf(inventory: Inventory, name: string, field: string): Position {
  const { origins } = resolveNode(inventory, name);
  return (
    origins.find((origin) => origin.field === field)?.position ??
    inventory.nodes.get(name)?.position() ??
    inventory.position([])
  );
}
