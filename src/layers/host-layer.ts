import { type BytePath, toBytePath } from '../ports/byte-path.js';
import type { HostIdentity } from './host-identity.js';
import { LayerTree } from './layer-tree.js';

/** What a host layer is made from. */
export interface HostFacts {
  readonly name: string;
  readonly domain?: string;
  readonly address?: { readonly ip: string; readonly prefix: number; readonly gateway?: string };
  readonly mac?: string;
  readonly mtu?: number;
  /** VLAN that its address is in. */
  readonly vlan?: number;
  readonly dns: readonly string[];
  /** Other machines that the node should know by name, such as its servers. */
  readonly others: readonly { readonly ip: string; readonly name: string }[];
  /** What the node boots: location or bare name, see docs/boot-protocol.md. */
  readonly root: string;
  readonly overlay?: string;
  /** What /init mounts over the layers, in the form of fstab(5). */
  readonly persistent?: string;
  /** Absent as long as the node was not instantiated. */
  readonly identity?: HostIdentity;
}

/** Where /init looks for it (initramfs-skel/lib/mkroot/persistent.sh). */
const PERSISTENT_LIST = '/etc/mkroot/persistent';

/** Origin of everything in a host layer that no overlay brings. */
export const IDENTITY_ORIGIN = 'mkroot node instantiate';

/** Where sshd(8) has the host keys. */
export const SSH_KEYS = '/etc/ssh/';

/**
 * The part of a host layer that follows from the inventory and the node's identity: what the Hopeless paper's
 * instantiate.sh farms out. Overlays of the site go over it.
 * @param isShared whether an overlay brings a path: its /etc/hosts is left alone.
 */
export function hostLayer(facts: HostFacts, isShared: (path: BytePath) => boolean): LayerTree {
  const tree = new LayerTree(IDENTITY_ORIGIN);
  const file = (path: BytePath, data: Uint8Array | string, mode = 0o644) =>
    tree.put({
      kind: 'file',
      path,
      mode,
      uid: 0,
      gid: 0,
      declared: true,
      origin: IDENTITY_ORIGIN,
      content: { data: typeof data === 'string' ? Buffer.from(data) : data },
    });
  file('/hopeless.root', `${facts.root}\n`);
  if (facts.overlay !== undefined) file('/hopeless.overlay', `${facts.overlay}\n`);
  if (facts.persistent !== undefined) file(PERSISTENT_LIST, facts.persistent);
  file('/etc/hostname', `${facts.name}\n`);
  if (!isShared('/etc/hosts')) file('/etc/hosts', hostsFile(facts));
  if (facts.identity !== undefined) file('/etc/machine-id', `${facts.identity.machineId}\n`, 0o444);
  for (const [name, key] of facts.identity?.sshKeys ?? []) {
    file(`${SSH_KEYS}${name}`, key, name.endsWith('.pub') ? 0o644 : 0o600);
  }
  for (const [name, text] of networkFiles(facts)) file(`/etc/systemd/network/${toBytePath(name)}`, text);
  return tree;
}

function hostsFile({ name, domain, address, others }: HostFacts): string {
  const names = (host: string) => (domain === undefined ? host : `${host}.${domain} ${host}`);
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(address === undefined ? [] : [`${address.ip}\t${names(name)}`]),
    ...others.map((other) => `${other.ip}\t${names(other.name)}`),
    '',
  ].join('\n');
}

/**
 * systemd.network(5) of the boot device, of its VLAN if its address is in one, and systemd.netdev(5) of that. Booted over the network,
 * /init's own files in /run go before them and keep the address; these count when the node boots in another way.
 */
function networkFiles(facts: HostFacts): readonly (readonly [name: string, text: string])[] {
  const { name, mac, address, mtu, vlan } = facts;
  if (mac === undefined || address === undefined) return [];
  const link = mtu === undefined ? [] : ['', '[Link]', `MTUBytes=${mtu}`];
  const device = ['[Match]', `MACAddress=${mac}`, ...link, ''];
  const own = addressLines(facts, address);
  if (vlan === undefined) return [[`20-${name}.network`, lines(...device, ...own)]];
  const over = `vlan${vlan}`;
  return [
    [`20-${name}.netdev`, lines('[NetDev]', `Name=${over}`, 'Kind=vlan', '', '[VLAN]', `Id=${vlan}`)],
    // Sorts before the other one, which matches the VLAN's device as well: it has the same MAC address.
    [`20-${name}-vlan.network`, lines('[Match]', `Name=${over}`, ...link, '', ...own)],
    [
      `20-${name}.network`,
      lines(...device, '[Network]', `VLAN=${over}`, 'LinkLocalAddressing=no', 'KeepConfiguration=yes'),
    ],
  ];
}

function addressLines({ dns, domain }: HostFacts, address: NonNullable<HostFacts['address']>): string[] {
  return [
    '[Network]',
    `Address=${address.ip}/${address.prefix}`,
    ...(address.gateway === undefined ? [] : [`Gateway=${address.gateway}`]),
    ...dns.map((server) => `DNS=${server}`),
    ...(domain === undefined ? [] : [`Domains=${domain}`]),
    'KeepConfiguration=yes',
  ];
}

function lines(...text: readonly string[]): string {
  return [...text, ''].join('\n');
}
