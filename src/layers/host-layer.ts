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

const ORIGIN = 'mkroot node instantiate';

/**
 * The part of a host layer that follows from the inventory and the node's identity: what the Hopeless paper's
 * instantiate.sh farms out. Overlays of the site go over it.
 * @param isShared whether an overlay brings a path: its /etc/hosts is left alone.
 */
export function hostLayer(facts: HostFacts, isShared: (path: BytePath) => boolean): LayerTree {
  const tree = new LayerTree(ORIGIN);
  const file = (path: BytePath, data: Uint8Array | string, mode = 0o644) =>
    tree.put({
      kind: 'file',
      path,
      mode,
      uid: 0,
      gid: 0,
      declared: true,
      origin: ORIGIN,
      content: { data: typeof data === 'string' ? Buffer.from(data) : data },
    });
  file('/hopeless.root', `${facts.root}\n`);
  if (facts.overlay !== undefined) file('/hopeless.overlay', `${facts.overlay}\n`);
  if (facts.persistent !== undefined) file(PERSISTENT_LIST, facts.persistent);
  file('/etc/hostname', `${facts.name}\n`);
  if (!isShared('/etc/hosts')) file('/etc/hosts', hostsFile(facts));
  if (facts.identity !== undefined) file('/etc/machine-id', `${facts.identity.machineId}\n`, 0o444);
  for (const [name, key] of facts.identity?.sshKeys ?? []) {
    file(`/etc/ssh/${name}`, key, name.endsWith('.pub') ? 0o644 : 0o600);
  }
  const network = networkFile(facts);
  if (network !== undefined) file(`/etc/systemd/network/20-${toBytePath(facts.name)}.network`, network);
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
 * systemd.network(5) of the boot device. Booted over the network, /init's own file in /run goes before it and keeps
 * the address; this one counts when the node boots in another way.
 */
function networkFile({ mac, address, dns, mtu, domain }: HostFacts): string | undefined {
  if (mac === undefined || address === undefined) return undefined;
  return [
    '[Match]',
    `MACAddress=${mac}`,
    ...(mtu === undefined ? [] : ['', '[Link]', `MTUBytes=${mtu}`]),
    '',
    '[Network]',
    `Address=${address.ip}/${address.prefix}`,
    ...(address.gateway === undefined ? [] : [`Gateway=${address.gateway}`]),
    ...dns.map((server) => `DNS=${server}`),
    ...(domain === undefined ? [] : [`Domains=${domain}`]),
    'KeepConfiguration=yes',
    '',
  ].join('\n');
}
