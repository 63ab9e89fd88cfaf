import { MkrootError } from '../errors.js';
import { type BootFiles, httpBootClass } from './dhcp-service.js';
import { macBytes } from './kernel-command-line.js';

/** A node that always gets the same address. */
export interface DhcpHost {
  readonly mac: string;
  readonly address?: string;
  readonly hostname?: string;
}

/** What the DHCP and TFTP server of a netboot network is told; see dnsmasq(8). */
export interface DnsmasqConfiguration {
  /** Answers on this interface and no other. */
  readonly interface: string;
  readonly rangeStart: string;
  readonly rangeEnd: string;
  /** As dnsmasq writes it: seconds, or with m or h, or `infinite`. At least two minutes. */
  readonly leaseTime: string;
  /** Absent makes dnsmasq name itself as gateway; 'none' names none. */
  readonly gateway?: string | 'none';
  readonly dns?: readonly string[];
  readonly domain?: string;
  /** DHCP option 17, for nodes whose command line says root=dhcp. */
  readonly rootPath?: string;
  readonly hosts?: readonly DhcpHost[];
  /** Directory whose files TFTP serves. */
  readonly tftpRoot: string;
  /** Boot file by kind of client: the firmware's own PXE first, iPXE when it is running already. */
  readonly bootFiles: BootFiles;
  readonly leaseFile: string;
  readonly pidFile: string;
  readonly logFile?: string;
  /** dnsmasq asks the network for three seconds whether an address is free; a closed lab need not wait. */
  readonly skipPing?: boolean;
}

/** One field of a line: no blank, comma, quote or '#'. */
export function dnsmasqValue(what: string, text: string): string {
  // A comma would start the next field, a '#' a comment, a quote a string.
  if (!/^[^\s,#"']+$/.test(text)) {
    throw new MkrootError(
      `Cannot write ${what} "${text}" to a dnsmasq configuration: it holds a blank, comma, quote or '#'`,
    );
  }
  return text;
}

/** A root path may hold commas (mount options), so it is quoted. */
function rootPathText(text: string): string {
  if (!/^[A-Za-z0-9._/:,=%+@~-]+$/.test(text)) {
    throw new MkrootError(
      `Cannot write the root path "${text}" to a dnsmasq configuration: /init would not accept it`,
    );
  }
  return text;
}

/** dnsmasq.conf: DHCP and TFTP only (`port=0`: no DNS). */
export function renderDnsmasq(configuration: DnsmasqConfiguration): string {
  const { bootFiles, dns = [], hosts = [], gateway } = configuration;
  const lines = [
    '# Written by mkroot.',
    'port=0',
    `interface=${dnsmasqValue('the interface', configuration.interface)}`,
    'bind-interfaces',
    `dhcp-range=${[configuration.rangeStart, configuration.rangeEnd, configuration.leaseTime]
      .map((part) => dnsmasqValue('the range', part))
      .join(',')}`,
    'dhcp-authoritative',
    ...(configuration.skipPing ? ['no-ping'] : []),
    ...(gateway === undefined
      ? []
      : [
          gateway === 'none'
            ? 'dhcp-option=option:router'
            : `dhcp-option=option:router,${dnsmasqValue('the gateway', gateway)}`,
        ]),
    ...(dns.length === 0
      ? []
      : [
          `dhcp-option=option:dns-server,${dns.map((server) => dnsmasqValue('the DNS server', server)).join(',')}`,
        ]),
    ...(configuration.domain === undefined
      ? []
      : [`domain=${dnsmasqValue('the domain', configuration.domain)}`]),
    ...(configuration.rootPath === undefined
      ? []
      : [`dhcp-option=option:root-path,"${rootPathText(configuration.rootPath)}"`]),
    ...hosts.map(renderDnsmasqHost),
    'enable-tftp',
    `tftp-root=${dnsmasqValue('the TFTP root', configuration.tftpRoot)}`,
    ...renderDnsmasqBootFiles(bootFiles),
    `dhcp-leasefile=${dnsmasqValue('the lease file', configuration.leaseFile)}`,
    `pid-file=${dnsmasqValue('the pid file', configuration.pidFile)}`,
    ...(configuration.logFile === undefined
      ? []
      : [`log-facility=${dnsmasqValue('the log file', configuration.logFile)}`, 'log-dhcp']),
  ];
  return `${lines.join('\n')}\n`;
}

/** A dhcp-host line. Refuses names that dnsmasq takes for its word `ignore` or for a lease time. */
export function renderDnsmasqHost({ mac, address, hostname }: DhcpHost): string {
  if (hostname !== undefined && /^(ignore|infinite|deprecated|\d+[smhdw]?)$/i.test(hostname)) {
    throw new MkrootError(
      `Cannot write the host name "${hostname}" to a dnsmasq configuration: dnsmasq takes it for an option`,
      { hint: 'Give the node another name.' },
    );
  }
  return `dhcp-host=${[
    macBytes(mac).join(':'),
    ...(address === undefined ? [] : [dnsmasqValue('the address', address)]),
    ...(hostname === undefined ? [] : [dnsmasqValue('the host name', hostname)]),
  ].join(',')}`;
}

/** Architecture numbers: RFC 4578 and the IANA registry; dnsmasq tags each client with what it matches. */
export const dnsmasqClientTags: readonly string[] = [
  'dhcp-match=set:ipxe,175',
  'dhcp-match=set:bios,option:client-arch,0',
  'dhcp-match=set:efi64,option:client-arch,7',
  'dhcp-match=set:efi64,option:client-arch,9',
  'dhcp-match=set:efiarm64,option:client-arch,11',
];

/** The lines that give each kind of client its boot file. */
export function renderDnsmasqBootFiles(files: BootFiles): string[] {
  const lines = [...dnsmasqClientTags];
  const notIpxe = files.ipxe === undefined ? '' : ',tag:!ipxe';
  const notHttp = files.efiX64Http === undefined ? '' : ',tag:!efihttp';
  if (files.efiX64Http !== undefined) {
    lines.push(
      'dhcp-match=set:efihttp,option:client-arch,16',
      `dhcp-option-force=tag:efihttp,60,${httpBootClass}`,
      `dhcp-boot=tag:efihttp,${dnsmasqValue('the boot file', files.efiX64Http)}`,
    );
  }
  if (files.ipxe !== undefined) lines.push(`dhcp-boot=tag:ipxe,${dnsmasqValue('the boot file', files.ipxe)}`);
  if (files.efiX64 !== undefined) {
    lines.push(`dhcp-boot=tag:efi64${notIpxe},${dnsmasqValue('the boot file', files.efiX64)}`);
  }
  if (files.efiArm64 !== undefined) {
    lines.push(`dhcp-boot=tag:efiarm64${notIpxe},${dnsmasqValue('the boot file', files.efiArm64)}`);
  }
  lines.push(
    `dhcp-boot=tag:!efi64,tag:!efiarm64${notHttp}${notIpxe},${dnsmasqValue('the boot file', files.bios)}`,
  );
  return lines;
}
