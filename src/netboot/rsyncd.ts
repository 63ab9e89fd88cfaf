import { checkedValue, ipv4Address, plainPath } from './checked-value.js';
import { ipv4Subnet } from './ipv4-subnet.js';
import type { NetbootSite } from './netboot-site.js';

/** What tells one machine from another, or is made at boot: whoever pulls a root keeps their own. */
const NOT_SENT = [
  '/root/etc/hostname',
  '/root/etc/machine-id',
  '/root/etc/ssh/ssh_host_*',
  ...['dev', 'proc', 'run', 'sys', 'tmp'].map((directory) => `/root/${directory}/*`),
  '/root/lost+found',
];

/** Names that mean something else in rsyncd.conf; images of these names are not offered. */
const RESERVED = new Set(['global', 'layers']);

/**
 * rsyncd.conf(5), for machines that keep a copy of their root and pull what is new: a read-only module for each image, which is
 * its current generation (`root/`, `vmlinuz`, `manifest.json` with the generation's name), and one for shared layers. Only machines of
 * the site's networks are answered.
 */
export function renderRsyncd({ server, networks, nodes }: NetbootSite): string {
  const place = 'rsyncd.conf';
  const subnets = networks.map(({ subnet }) => {
    ipv4Subnet(subnet);
    return subnet;
  });
  const modules = new Map<string, { path: string; hidden: readonly string[] }>();
  for (const { boot } of nodes) {
    const { base, cluster = [] } = boot.parameters;
    const image = /^(.*)\/generations\/[^/]+\/root$/.exec(base?.path ?? '')?.[1];
    if (image !== undefined && !RESERVED.has(boot.image.name)) {
      modules.set(moduleName(place, boot.image.name), { path: `${image}/current`, hidden: NOT_SENT });
    }
    for (const { path } of cluster) {
      const layers = /^(.*)\/[^/]+\/versions\/[^/]+\/layer$/.exec(path)?.[1];
      if (layers !== undefined) modules.set('layers', { path: layers, hidden: [] });
    }
  }
  const sections = [...modules].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '# Written by mkroot.',
    `address = ${ipv4Address(place, 'the address', server.address)}`,
    // Owners are numbers, and every file of a root can be read.
    'uid = root',
    'gid = root',
    'use chroot = yes',
    'numeric ids = yes',
    'read only = yes',
    `hosts allow = ${subnets.join(' ')}`,
    ...sections.flatMap(([name, { path, hidden }]) => [
      '',
      `[${name}]`,
      `path = ${plainPath(place, path)}`,
      ...(hidden.length === 0 ? [] : [`exclude = ${hidden.join(' ')}`]),
    ]),
    '',
  ].join('\n');
}

function moduleName(place: string, image: string): string {
  return checkedValue(
    place,
    'the image',
    image,
    /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    'a name is letters, digits and . _ + -',
  );
}
