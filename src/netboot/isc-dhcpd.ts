import {
  type CheckedNetwork,
  checkDhcpService,
  type DhcpReservation,
  type DhcpService,
  httpBootClass,
} from './dhcp-service.js';
import { macBytes } from './kernel-command-line.js';

/**
 * dhcpd.conf for ISC DHCP 4; see dhcpd.conf(5), dhcp-options(5) and dhcp-eval(5). The interfaces are not part of it: they
 * stand on dhcpd's command line (INTERFACESv4 in /etc/default/isc-dhcp-server).
 */
export function renderIscDhcpd(service: DhcpService): string {
  const networks = checkDhcpService('a dhcpd configuration', service);
  return `# Written by mkroot.
authoritative;
ddns-update-style none;
default-lease-time ${service.leaseSeconds};
max-lease-time ${service.leaseSeconds};
next-server ${service.tftpServer};
${service.domain === undefined ? '' : `option domain-name "${service.domain}";\n`}
# iPXE says who it is by option 175, firmware what it is by option 93 (RFC 4578).
option mkroot-ipxe code 175 = string;
${bootFileStatement(service)}
${networks.map((network) => networkBlock(network)).join('')}
${service.reservations.map(hostLine).join('')}`;
}

function bootFileStatement({ bootFiles: { bios, efiX64, efiX64Http, efiArm64, ipxe } }: DhcpService): string {
  const type = 'option pxe-system-type';
  const branches: (readonly [condition: string, file: string, vendorClass?: string])[] = [
    ...(ipxe === undefined ? [] : [['exists mkroot-ipxe', ipxe] as const]),
    ...(efiX64 === undefined ? [] : [[`${type} = 00:07 or ${type} = 00:09`, efiX64] as const]),
    ...(efiX64Http === undefined ? [] : [[`${type} = 00:10`, efiX64Http, httpBootClass] as const]),
    ...(efiArm64 === undefined ? [] : [[`${type} = 00:0b`, efiArm64] as const]),
  ];
  if (branches.length === 0) return `filename "${bios}";\n`;
  const chain = branches
    .map(([condition, file, vendorClass]) => {
      const answer = vendorClass === undefined ? '' : `  option vendor-class-identifier "${vendorClass}";\n`;
      return `if ${condition} {\n${answer}  filename "${file}";\n}`;
    })
    .join(' els');
  return `${chain} else {\n  filename "${bios}";\n}\n`;
}

function networkBlock({ name, parsed, range, gateway, dns = [], ntp = [], mtu }: CheckedNetwork): string {
  const lines = [
    `option broadcast-address ${parsed.broadcast};`,
    ...(range === undefined ? [] : [`range ${range.first} ${range.last};`]),
    ...(gateway === undefined ? [] : [`option routers ${gateway};`]),
    ...(dns.length === 0 ? [] : [`option domain-name-servers ${dns.join(', ')};`]),
    ...(ntp.length === 0 ? [] : [`option ntp-servers ${ntp.join(', ')};`]),
    ...(mtu === undefined ? [] : [`option interface-mtu ${mtu};`]),
  ];
  return `# ${name}
subnet ${parsed.network} netmask ${parsed.netmask} {
${lines.map((line) => `  ${line}\n`).join('')}}
`;
}

function hostLine({ name, mac, address }: DhcpReservation): string {
  return `host ${name} { hardware ethernet ${macBytes(mac).join(':')}; fixed-address ${address}; option host-name "${name}"; }\n`;
}
