import type { Problem } from '../decode/problem.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';
import { seenName } from './seen-name.js';
import type { Sighting, Sightings } from './sighting.js';

/** ethers(5): a MAC address and a host name or an IPv4 address per line; `#` starts a comment. */
export function decodeEthers(text: string, file: string): Sightings {
  const problems: Problem[] = [];
  const sightings: Sighting[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [address = '', host = ''] = line.replace(/#.*/s, '').trim().split(/\s+/);
    if (address === '') continue;
    const mac = normalizeMac(address);
    if (mac === undefined) {
      problems.push({
        position: { file, line: index + 1, column: 1 },
        message: `"${address}" is not a MAC address of a network card`,
      });
      continue;
    }
    const ip = parseIpv4(host) === undefined ? {} : { ip: host };
    sightings.push({ mac, ...ip, ...seenName(host), line: index + 1 });
  }
  return { sightings, problems };
}
