import { decodeDhcpdLeases } from './dhcpd-leases.js';
import { decodeDnsmasqLeases } from './dnsmasq-leases.js';
import { decodeEthers } from './ethers.js';
import type { Sighting, Sightings } from './sighting.js';

/** Files that machines are read from. */
export const SIGHTING_FORMATS = ['dnsmasq.leases', 'dhcpd.leases', 'ethers'] as const;

/** One of the formats. */
export type SightingFormat = (typeof SIGHTING_FORMATS)[number];

const DECODERS = {
  'dnsmasq.leases': decodeDnsmasqLeases,
  'dhcpd.leases': decodeDhcpdLeases,
  ethers: decodeEthers,
} as const satisfies Record<SightingFormat, (text: string, file: string) => Sightings>;

/** Reads machines from the text of a file. Never throws; a machine that comes twice is taken once. */
export function decodeSightings(format: SightingFormat, text: string, file: string): Sightings {
  const { sightings, problems } = DECODERS[format](text, file);
  const byMac = new Map<string, Sighting>();
  for (const sighting of sightings) {
    // The place in the order is that of the first sighting, address and name are those of the last.
    byMac.set(sighting.mac, { ...byMac.get(sighting.mac), ...sighting });
  }
  return { sightings: [...byMac.values()], problems };
}
