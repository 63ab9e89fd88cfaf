import { MkrootError } from '../errors.js';
import {
  bootFile,
  checkedValue,
  domainName,
  hostLabel,
  interfaceName,
  ipv4Address,
  wholeNumber,
} from './checked-value.js';
import { addressNumber, type Ipv4Subnet, ipv4Subnet } from './ipv4-subnet.js';

/** What UEFI HTTP boot sends as its vendor class and wants to see in the answer (UEFI specification, "HTTP Boot"). */
export const httpBootClass = 'HTTPClient';

/** Boot file by kind of client. Paths below the TFTP root. */
export interface BootFiles {
  /** Legacy BIOS, client architecture 0. */
  readonly bios: string;
  /** x86-64 UEFI, client architectures 7 and 9. */
  readonly efiX64?: string;
  /** x86-64 UEFI that boots over HTTP, client architecture 16: a URL. */
  readonly efiX64Http?: string;
  /** arm64 UEFI, client architecture 11. */
  readonly efiArm64?: string;
  /** iPXE (it sends option 175): a script's path or URL. */
  readonly ipxe?: string;
}

/** PXELINUX for BIOS; iPXE's snponly.efi for UEFI, which goes on to the script. */
export const defaultBootFiles: BootFiles = {
  bios: 'pxelinux.0',
  efiX64: 'snponly.efi',
  efiArm64: 'snponly-arm64.efi',
  ipxe: 'ipxe/boot.ipxe',
};

/** What every machine loads, whatever its firmware is, where one boot loader is asked for by name. */
export const namedBootFiles = {
  pxelinux: { bios: 'pxelinux.0' },
  grub: { bios: 'grub/core.0', efiX64: 'grub/core.efi' },
} as const satisfies Readonly<Record<string, BootFiles>>;

/** An IPv4 network on which nodes boot, as a DHCP server is told of it. */
export interface DhcpNetwork {
  /** A word. */
  readonly name: string;
  /** `10.1.0.0/16`. */
  readonly subnet: string;
  /** Addresses for machines that have no reservation; without it only known ones get an address. */
  readonly range?: { readonly first: string; readonly last: string };
  readonly gateway?: string;
  readonly dns?: readonly string[];
  readonly ntp?: readonly string[];
  /** Bytes. */
  readonly mtu?: number;
}

/** A machine that always gets the same address and name. */
export interface DhcpReservation {
  readonly name: string;
  readonly mac: string;
  readonly address: string;
}

/** What a DHCP server for netboot does, whichever program it is. */
export interface DhcpService {
  /** Answers on these only; without any, on the one that has the TFTP server's address. */
  readonly interfaces: readonly string[];
  /** Address of the TFTP server. */
  readonly tftpServer: string;
  readonly networks: readonly DhcpNetwork[];
  readonly reservations: readonly DhcpReservation[];
  readonly domain?: string;
  readonly bootFiles: BootFiles;
  /** Seconds. */
  readonly leaseSeconds: number;
}

/** A network whose values have been checked. */
export interface CheckedNetwork extends DhcpNetwork {
  readonly parsed: Ipv4Subnet;
}

/**
 * Checks everything that the three DHCP servers have in common, so that each renderer only has to know its own syntax.
 * @param place the kind of file, with its article, for errors.
 */
export function checkDhcpService(place: string, service: DhcpService): readonly CheckedNetwork[] {
  for (const name of service.interfaces) interfaceName(place, name);
  ipv4Address(place, "the TFTP server's address", service.tftpServer);
  if (service.domain !== undefined) domainName(place, service.domain);
  wholeNumber(place, 'the lease time', service.leaseSeconds);
  for (const file of Object.values(service.bootFiles)) bootFile(place, file);
  const networks = service.networks.map((network) => checkNetwork(place, network));
  for (const { name, address } of service.reservations) {
    hostLabel(place, name);
    if (!networks.some(({ parsed }) => parsed.contains(address))) {
      throw new MkrootError(
        `Cannot write the address "${address}" of ${name} to ${place}: it is in none of the site's networks`,
        { hint: `They are ${networks.map(({ subnet }) => subnet).join(', ')}.` },
      );
    }
  }
  return networks;
}

function checkNetwork(place: string, network: DhcpNetwork): CheckedNetwork {
  const parsed = ipv4Subnet(network.subnet);
  checkedValue(
    place,
    'the network',
    network.name,
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/,
    'a name is letters, digits, hyphens and underscores',
  );
  const { range, gateway, dns = [], ntp = [], mtu } = network;
  if (gateway !== undefined) ipv4Address(place, 'the gateway', gateway);
  for (const server of dns) ipv4Address(place, 'the DNS server', server);
  for (const server of ntp) ipv4Address(place, 'the NTP server', server);
  if (mtu !== undefined) wholeNumber(place, 'the MTU', mtu, 65535);
  if (range !== undefined) {
    const { first, last } = range;
    if (!parsed.contains(first) || !parsed.contains(last) || addressNumber(first) > addressNumber(last)) {
      throw new MkrootError(
        `Cannot write the range "${first} to ${last}" to ${place}: it is not inside ${network.subnet}, or ends before it begins`,
      );
    }
  }
  return { ...network, parsed };
}
