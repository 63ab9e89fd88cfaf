import type { Problem } from '../decode/problem.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';
import { seenName } from './seen-name.js';
import type { Sighting, Sightings } from './sighting.js';

/**
 * dnsmasq's lease file (dnsmasq(8), --dhcp-leasefile): `expiry MAC address name client-id` per line, `*` where there is no
 * name. Leases for IPv6 follow a line that starts with `duid`. Sorted by expiry, which is the order of switching on when all
 * leases last equally long.
 */
export function decodeDnsmasqLeases(text: string, file: string): Sightings {
  const problems: Problem[] = [];
  const leases: { expiry: number; sighting: Sighting }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'duid') break;
    if (words[0] === '') continue;
    const [expiry = '', address = '', ip = '', name = '*'] = words;
    const mac = normalizeMac(address);
    if (!/^\d+$/.test(expiry) || mac === undefined || parseIpv4(ip) === undefined) {
      problems.push({
        position: { file, line: index + 1, column: 1 },
        message:
          'this is not a lease of dnsmasq for a network card (expiry, MAC, IPv4 address, name, client-id)',
      });
      continue;
    }
    leases.push({ expiry: Number(expiry), sighting: { mac, ip, ...seenName(name), line: index + 1 } });
  }
  leases.sort((a, b) => a.expiry - b.expiry || a.sighting.line - b.sighting.line);
  return { sightings: leases.map(({ sighting }) => sighting), problems };
}
