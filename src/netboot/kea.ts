import {
  type CheckedNetwork,
  checkDhcpService,
  type DhcpReservation,
  type DhcpService,
  httpBootClass,
} from './dhcp-service.js';
import { addressNumber } from './ipv4-subnet.js';
import { macBytes } from './kernel-command-line.js';

/** kea-dhcp4.conf: JSON for Kea 2.2 and later; see the Kea Administrator Reference Manual, "The DHCPv4 Server". */
export function renderKea(service: DhcpService): string {
  const networks = checkDhcpService('a Kea configuration', service);
  const configuration = {
    Dhcp4: {
      'interfaces-config': {
        interfaces: service.interfaces.length === 0 ? ['*'] : service.interfaces,
        // Kea gives up at once on an interface without a link, which after a power cut the switch may still lack.
        'service-sockets-max-retries': 120,
        'service-sockets-retry-wait-time': 5000,
      },
      'lease-database': { type: 'memfile', name: '/var/lib/kea/kea-leases4.csv' },
      authoritative: true,
      'valid-lifetime': service.leaseSeconds,
      'next-server': service.tftpServer,
      'host-reservation-identifiers': ['hw-address'],
      ...(service.domain === undefined
        ? {}
        : { 'option-data': [{ name: 'domain-name', data: service.domain }] }),
      'client-classes': clientClasses(service),
      subnet4: networks.map((network) =>
        subnet(
          network,
          service.reservations.filter(({ address }) => network.parsed.contains(address)),
        ),
      ),
    },
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

/** The tests exclude each other, so that it does not matter in which order Kea takes the classes. */
function clientClasses({ bootFiles: { bios, efiX64, efiX64Http, efiArm64, ipxe } }: DhcpService) {
  const vendorClass = { name: 'vendor-class-identifier', data: httpBootClass, 'always-send': true };
  const architectures = [
    ...(efiX64 === undefined ? [] : [{ name: 'mkroot-efi-x64', codes: ['0x0007', '0x0009'], file: efiX64 }]),
    ...(efiX64Http === undefined
      ? []
      : [{ name: 'mkroot-efi-x64-http', codes: ['0x0010'], file: efiX64Http, options: [vendorClass] }]),
    ...(efiArm64 === undefined ? [] : [{ name: 'mkroot-efi-arm64', codes: ['0x000b'], file: efiArm64 }]),
  ];
  const isOneOf = (codes: readonly string[]) => codes.map((code) => `option[93].hex == ${code}`).join(' or ');
  const notIpxe = ipxe === undefined ? [] : ['not option[175].exists'];
  return [
    ...(ipxe === undefined
      ? []
      : [{ name: 'mkroot-ipxe', test: 'option[175].exists', 'boot-file-name': ipxe }]),
    ...architectures.map(({ name, codes, file, options }) => ({
      name,
      test: [...notIpxe, `(${isOneOf(codes)})`].join(' and '),
      'boot-file-name': file,
      ...(options === undefined ? {} : { 'option-data': options }),
    })),
    {
      name: 'mkroot-bios',
      test:
        [...notIpxe, ...architectures.map(({ codes }) => `not (${isOneOf(codes)})`)].join(' and ') ||
        "member('ALL')",
      'boot-file-name': bios,
    },
  ];
}

function subnet(
  { parsed, range, gateway, dns = [], ntp = [], mtu }: CheckedNetwork,
  reservations: readonly DhcpReservation[],
) {
  const option = (name: string, values: readonly string[]) =>
    values.length === 0 ? [] : [{ name, data: values.join(', ') }];
  return {
    // Leases are stored with this number; it may not depend on the order of the networks.
    id: addressNumber(parsed.network),
    subnet: parsed.text,
    pools: range === undefined ? [] : [{ pool: `${range.first} - ${range.last}` }],
    'option-data': [
      ...option('routers', gateway === undefined ? [] : [gateway]),
      ...option('domain-name-servers', dns),
      ...option('ntp-servers', ntp),
      ...option('interface-mtu', mtu === undefined ? [] : [String(mtu)]),
    ],
    reservations: reservations.map(({ name, mac, address }) => ({
      'hw-address': macBytes(mac).join(':'),
      'ip-address': address,
      hostname: name,
    })),
  };
}
