import { checkedValue, ipv4Address } from './checked-value.js';
import { type CheckedNetwork, checkDhcpService, type DhcpService } from './dhcp-service.js';
import { dnsmasqClientTags, dnsmasqValue, renderDnsmasqBootFiles, renderDnsmasqHost } from './dnsmasq.js';
import { addressNumber } from './ipv4-subnet.js';

const place = 'a dnsmasq configuration';

/** dnsmasq as the DHCP and TFTP server of a site; see dnsmasq(8). */
export interface DnsmasqServiceConfiguration extends DhcpService {
  /** Directory whose files TFTP serves. */
  readonly tftpRoot: string;
}

/** dnsmasq.conf of the only DHCP server: addresses, names and boot files (`port=0`: no DNS). */
export function renderDnsmasqService(service: DnsmasqServiceConfiguration): string {
  const networks = checkDhcpService(place, service);
  return text([
    '# Written by mkroot. DHCP with reservations, and TFTP.',
    ...listenLines(service),
    'dhcp-authoritative',
    `dhcp-lease-max=${leaseLimit(networks, service.reservations.length)}`,
    ...(service.domain === undefined ? [] : [`domain=${service.domain}`]),
    ...networks.flatMap((network) => networkLines(network, service.leaseSeconds)),
    ...service.reservations.map(({ name, mac, address }) =>
      renderDnsmasqHost({ mac, address, hostname: name }),
    ),
    ...tftpLines(service.tftpRoot),
    ...renderDnsmasqBootFiles(service.bootFiles),
  ]);
}

/**
 * dnsmasq.conf beside a DHCP server that belongs to somebody else: addresses come from there, only boot files from here
 * (proxyDHCP, PXE specification 2.1). Nodes still find their own files by MAC and by address.
 */
export function renderDnsmasqProxy(service: DnsmasqServiceConfiguration): string {
  const networks = checkDhcpService(place, service);
  const { bios, efiX64, efiArm64, ipxe } = service.bootFiles;
  // iPXE asks again with option 175 and is given its script; the menu below is for firmware only.
  const firmware = ipxe === undefined ? '' : 'tag:!ipxe,';
  const offer = (system: string, file: string | undefined) =>
    file === undefined
      ? []
      : [`pxe-service=${firmware}${system},"Boot with mkroot",${dnsmasqValue('the boot file', file)}`];
  return text([
    '# Written by mkroot. Boot files only: another server hands out the addresses.',
    ...listenLines(service),
    ...networks.map(({ name, parsed }) => `dhcp-range=set:${name},${parsed.network},proxy,${parsed.netmask}`),
    ...tftpLines(service.tftpRoot),
    ...dnsmasqClientTags,
    ...(ipxe === undefined ? [] : [`dhcp-boot=tag:ipxe,${dnsmasqValue('the boot file', ipxe)}`]),
    ...offer('x86PC', bios),
    // dnsmasq's names of architectures 7 and 9: firmware sends either.
    ...offer('x86-64_EFI', efiX64),
    ...offer('BC_EFI', efiX64),
    ...offer('ARM64_EFI', efiArm64),
  ]);
}

function listenLines({ interfaces, tftpServer }: DhcpService): string[] {
  return [
    'port=0',
    ...(interfaces.length === 0
      ? [`listen-address=${ipv4Address(place, 'the address', tftpServer)}`]
      : interfaces.map((name) => `interface=${name}`)),
    'bind-interfaces',
  ];
}

/** Every node and every address of a range may have one. By itself dnsmasq stops at 1,000, and does not start with more in its file. */
function leaseLimit(networks: readonly CheckedNetwork[], reservations: number): number {
  const sizes = networks.map(({ range }) =>
    range === undefined ? 0 : addressNumber(range.last) - addressNumber(range.first) + 1,
  );
  return Math.max(
    1000,
    sizes.reduce((sum, size) => sum + size, reservations),
  );
}

/**
 * Transfers at the same time; by itself dnsmasq ends at 50, and a cluster is switched on at once. Each takes a file descriptor, of
 * which a process has 1,024; where it has fewer, dnsmasq says so and takes what there is.
 */
const TFTP_TRANSFERS = 900;

function tftpLines(root: string): string[] {
  const path = checkedValue(
    place,
    'the TFTP root',
    root,
    /^\/[A-Za-z0-9._/+=@~-]*$/,
    'it is no plain absolute path',
  );
  return ['enable-tftp', `tftp-root=${path}`, `tftp-max=${TFTP_TRANSFERS}`];
}

function networkLines({ name, parsed, range, ...network }: CheckedNetwork, leaseSeconds: number): string[] {
  const option = (key: string, values: readonly string[]) =>
    `dhcp-option=${[`tag:${name}`, `option:${key}`, ...values].join(',')}`;
  const addresses = range === undefined ? [parsed.network, 'static'] : [range.first, range.last];
  return [
    `dhcp-range=${[`set:${name}`, ...addresses, parsed.netmask, String(leaseSeconds)].join(',')}`,
    // An option without values keeps dnsmasq from naming itself.
    option('router', network.gateway === undefined ? [] : [network.gateway]),
    option('dns-server', network.dns ?? []),
    ...(network.ntp === undefined || network.ntp.length === 0 ? [] : [option('ntp-server', network.ntp)]),
    ...(network.mtu === undefined ? [] : [option('mtu', [String(network.mtu)])]),
  ];
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
