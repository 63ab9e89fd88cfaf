import { MkrootError } from '../errors.js';
import { renderAnsibleInventory } from './ansible-inventory.js';
import { type BootMenu, bootMenu } from './boot-menu.js';
import { type DhcpService, defaultBootFiles } from './dhcp-service.js';
import { renderDnsmasqProxy, renderDnsmasqService } from './dnsmasq-service.js';
import { renderDshLists } from './dsh.js';
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
import { renderRsyncd } from './rsyncd.js';
import { renderSiteExports, renderSiteGanesha } from './site-exports.js';

/** Below etc/. */
const GANESHA = 'ganesha/ganesha.conf';

/** What lies in the tree so far at a path below it; undefined if nothing does. */
export type TextBefore = (path: string) => string | undefined;

/** The part of the tree that TFTP (and HTTP) serve. */
export const tftpDirectory = 'tftp';

/** Seconds that an address is lent for. */
const LEASE_SECONDS = 12 * 3600;

/** A text of the netboot tree. */
export interface NetbootText {
  /** Where it lies below the tree: a boot file under every name that the node's firmware may ask for. */
  readonly paths: readonly string[];
  /** Name of the node that it is for; absent if it is for servers, or for machines that nobody knows. */
  readonly node?: string;
  /** Makes it: those of ten thousand nodes at once take too much memory. */
  render(): string;
}

/**
 * Everything in the netboot tree. What a node boots is in its own files alone; servers and administration are told of names,
 * addresses and groups only, so that a new image or generation changes none of them.
 * @param before numbers of exports that running nodes hold stay as they are.
 * @throws MkrootError if two nodes would overwrite each other's files; rendering throws for what no file can have.
 */
export function netbootTexts(site: NetbootSite, before: TextBefore = () => undefined): NetbootText[] {
  checkDistinct(site);
  const menuOf = menuOfLast(site);
  return [
    ...serverTexts(site, before),
    ...genericBootTexts(site),
    ...site.nodes.flatMap((node) => nodeTexts(node, site, menuOf)),
  ];
}

/** Menus of nodes. Texts of a node are rendered one after the other: its menu is made once, and none is kept. */
function menuOfLast({ memoryTest }: NetbootSite): (node: NetbootNode) => BootMenu {
  let last: { readonly node: NetbootNode; readonly menu: BootMenu } | undefined;
  return (node) => {
    if (last?.node !== node) last = { node, menu: bootMenu(node.boot, memoryTest) };
    return last.menu;
  };
}

/** The text of every file of the netboot tree, by its path below the tree. */
export function renderNetbootTree(site: NetbootSite): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { paths, render } of netbootTexts(site)) {
    const text = render();
    for (const path of paths) files.set(path, text);
  }
  return files;
}

/** The boot files of one node; nobody else's depend on it. */
export function nodeTexts(node: NetbootNode, site: NetbootSite, menuOf = menuOfLast(site)): NetbootText[] {
  const { name, mac, address, firmware } = node;
  const paths = (forMac: (mac: string) => string, forAddress: (address: string) => string) =>
    [...(mac === undefined ? [] : [forMac(mac)]), forAddress(address)].map(
      (path) => `${tftpDirectory}/${path}`,
    );
  const text = (where: readonly string[], render: (menu: BootMenu) => string) => ({
    paths: where,
    node: name,
    render: () => render(menuOf(node)),
  });
  return [
    ...(firmware === 'uefi'
      ? []
      : [text(paths(pxelinuxPathForMac, pxelinuxPathForAddress), renderPxelinuxMenu)]),
    ...(firmware === 'bios' ? [] : [text(paths(grubPathForMac, grubPathForAddress), renderGrub)]),
    text(paths(ipxePathForMac, ipxePathForAddress), (menu) => renderIpxe(menu, bootRoot(site))),
  ];
}

function genericBootTexts(site: NetbootSite): NetbootText[] {
  const menu = bootMenu(site.unknownNodes, site.memoryTest);
  const root = bootRoot(site);
  const text = (path: string, render: () => string) => ({ paths: [`${tftpDirectory}/${path}`], render });
  return [
    text(pxelinuxDefaultPath, () => renderPxelinuxMenu(menu)),
    text(grubDefaultPath, () => renderGenericGrub(menu)),
    text(ipxeEntryPath, () => renderIpxeEntry(root)),
    text(ipxeDefaultPath, () => renderIpxe(menu, root)),
  ];
}

function serverTexts(site: NetbootSite, before: TextBefore): NetbootText[] {
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
  const text = (path: string, render: () => string) => ({ paths: [`etc/${path}`], render });
  return [
    text('dnsmasq.conf', () => renderDnsmasqService({ ...dhcp, tftpRoot })),
    text('dnsmasq-proxy.conf', () => renderDnsmasqProxy({ ...dhcp, tftpRoot })),
    text('dhcp/dhcpd.conf', () => renderIscDhcpd(dhcp)),
    text('kea/kea-dhcp4.conf', () => renderKea(dhcp)),
    text('exports', () => renderSiteExports(site)),
    text(GANESHA, () => renderSiteGanesha(site, before(`etc/${GANESHA}`))),
    text('hosts', () => renderHosts(named, domain)),
    text('ethers', () => renderEthers(nodes)),
    text('ssh/ssh_known_hosts', () => renderSshKnownHosts(named, domain)),
    text('clustershell/groups.d/mkroot.yaml', () => renderClusterShellYaml(nodes)),
    text('clustershell/groups.d/local.cfg', () => renderClusterShellLocal(nodes)),
    text('genders', () => renderGenders(nodes)),
    ...[...renderDshLists(nodes)].map(([path, list]) => text(`dsh/${path}`, () => list)),
    text('rsyncd.conf', () => renderRsyncd(site)),
    text('ansible/hosts.yaml', () => renderAnsibleInventory(nodes)),
  ];
}

/** iPXE that came by TFTP goes on by HTTP where there is any. */
function withIpxeUrl({ server: { httpRoot } }: NetbootSite) {
  return httpRoot === undefined
    ? defaultBootFiles
    : {
        ...defaultBootFiles,
        efiX64Http: `${httpRoot}${defaultBootFiles.efiX64}`,
        ipxe: `${httpRoot}${ipxeEntryPath}`,
      };
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
