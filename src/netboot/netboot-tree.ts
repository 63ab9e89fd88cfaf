import { MkrootError } from '../errors.js';
import { renderAnsibleInventory } from './ansible-inventory.js';
import { bootMenu } from './boot-menu.js';
import { type DhcpService, defaultBootFiles } from './dhcp-service.js';
import { renderDnsmasqProxy, renderDnsmasqService } from './dnsmasq-service.js';
import { renderGenders } from './genders.js';
import {
  grubDefaultPath,
  grubPathForAddress,
  grubPathForMac,
  renderGenericGrub,
  renderGrub,
} from './grub.js';
import { renderEthers, renderHosts, renderSshKnownHosts } from './host-files.js';
import {
  ipxeDefaultPath,
  ipxeEntryPath,
  ipxePathForAddress,
  ipxePathForMac,
  renderIpxe,
  renderIpxeEntry,
} from './ipxe.js';
import { renderIscDhcpd } from './isc-dhcpd.js';
import { renderKea } from './kea.js';
import { macBytes } from './kernel-command-line.js';
import type { NetbootNode, NetbootSite } from './netboot-site.js';
import { renderClusterShellLocal, renderClusterShellYaml } from './node-groups.js';
import {
  pxelinuxDefaultPath,
  pxelinuxPathForAddress,
  pxelinuxPathForMac,
  renderPxelinuxMenu,
} from './pxelinux.js';
import { renderSiteExports, renderSiteGanesha } from './site-exports.js';

/** The part of the tree that TFTP (and HTTP) serve. */
export const tftpDirectory = 'tftp';

/** Seconds that an address is lent for. */
const LEASE_SECONDS = 12 * 3600;

/**
 * Every file of the netboot tree, by its path below the tree. What a node boots is in its own files alone; servers and
 * administration are told of names, addresses and groups only, so that a new image or generation changes none of them.
 */
export function renderNetbootTree(site: NetbootSite): ReadonlyMap<string, string> {
  checkDistinct(site);
  const files = new Map([...serverFiles(site), ...genericBootFiles(site)]);
  for (const node of site.nodes) {
    for (const [path, text] of nodeFiles(node, site)) files.set(path, text);
  }
  return files;
}

/** The boot files of one node; nobody else's depend on it. */
export function nodeFiles(node: NetbootNode, site: NetbootSite): [path: string, text: string][] {
  const { mac, address, firmware } = node;
  const menu = bootMenu(node.boot, site.memoryTest);
  const both = (forMac: (mac: string) => string, forAddress: (address: string) => string, text: string) =>
    [...(mac === undefined ? [] : [forMac(mac)]), forAddress(address)].map((path): [string, string] => [
      `${tftpDirectory}/${path}`,
      text,
    ]);
  return [
    ...(firmware === 'uefi'
      ? []
      : both(pxelinuxPathForMac, pxelinuxPathForAddress, renderPxelinuxMenu(menu))),
    ...(firmware === 'bios' ? [] : both(grubPathForMac, grubPathForAddress, renderGrub(menu))),
    ...both(ipxePathForMac, ipxePathForAddress, renderIpxe(menu, bootRoot(site))),
  ];
}

function genericBootFiles(site: NetbootSite): [string, string][] {
  const menu = bootMenu(site.unknownNodes, site.memoryTest);
  const root = bootRoot(site);
  return [
    [pxelinuxDefaultPath, renderPxelinuxMenu(menu)] as const,
    [grubDefaultPath, renderGenericGrub(menu)] as const,
    [ipxeEntryPath, renderIpxeEntry(root)] as const,
    [ipxeDefaultPath, renderIpxe(menu, root)] as const,
  ].map(([path, text]) => [`${tftpDirectory}/${path}`, text]);
}

function serverFiles(site: NetbootSite): [string, string][] {
  const { nodes, hosts = [], domain, server } = site;
  const dhcp: DhcpService = {
    interfaces: server.interfaces,
    tftpServer: server.address,
    networks: site.networks,
    reservations: nodes.flatMap(({ name, mac, address }) =>
      mac === undefined ? [] : [{ name, mac, address }],
    ),
    ...(domain === undefined ? {} : { domain }),
    bootFiles: site.bootFiles ?? withIpxeUrl(site),
    leaseSeconds: LEASE_SECONDS,
  };
  const named = [...hosts, ...nodes];
  const { tftpRoot } = server;
  return [
    ['etc/dnsmasq.conf', renderDnsmasqService({ ...dhcp, tftpRoot })],
    ['etc/dnsmasq-proxy.conf', renderDnsmasqProxy({ ...dhcp, tftpRoot })],
    ['etc/dhcp/dhcpd.conf', renderIscDhcpd(dhcp)],
    ['etc/kea/kea-dhcp4.conf', renderKea(dhcp)],
    ['etc/exports', renderSiteExports(site)],
    ['etc/ganesha/ganesha.conf', renderSiteGanesha(site)],
    ['etc/hosts', renderHosts(named, domain)],
    ['etc/ethers', renderEthers(nodes)],
    ['etc/ssh/ssh_known_hosts', renderSshKnownHosts(named, domain)],
    ['etc/clustershell/groups.d/mkroot.yaml', renderClusterShellYaml(nodes)],
    ['etc/clustershell/groups.d/local.cfg', renderClusterShellLocal(nodes)],
    ['etc/genders', renderGenders(nodes)],
    ['etc/ansible/hosts.yaml', renderAnsibleInventory(nodes)],
  ];
}

/** iPXE that came by TFTP goes on by HTTP where there is any. */
function withIpxeUrl({ server: { httpRoot } }: NetbootSite) {
  return httpRoot === undefined
    ? defaultBootFiles
    : { ...defaultBootFiles, ipxe: `${httpRoot}${ipxeEntryPath}` };
}

function bootRoot({ server: { httpRoot, address } }: NetbootSite): string {
  return httpRoot ?? `tftp://${address}/`;
}

/** Two nodes with one name, MAC or address would overwrite each other's files. */
function checkDistinct({ nodes, hosts = [] }: NetbootSite): void {
  const owners = new Map<string, string>();
  const claim = (what: string, value: string, name: string) => {
    const key = `${what} ${value}`;
    const other = owners.get(key);
    if (other !== undefined) {
      throw new MkrootError(`Cannot give ${what} "${value}" to "${name}": "${other}" has it already`);
    }
    owners.set(key, name);
  };
  for (const { name, mac, address } of [...hosts.map((host) => ({ ...host, mac: undefined })), ...nodes]) {
    claim('the name', name.toLowerCase(), name);
    claim('the address', address, name);
    if (mac !== undefined) claim('the MAC address', macBytes(mac).join(':'), name);
  }
}
