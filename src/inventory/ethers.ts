import type { Problem } from '../decode/problem.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';
import { seenName } from './seen-name.js';
import type { Sighting, Sightings } from './sighting.js';

/**
 * ethers(5): a MAC address and a host name or an IPv4 address per line; `#` starts a comment. A MAC address that comes with two
 * names, or with two addresses, is taken for neither.
 */
export function decodeEthers(text: string, file: string): Sightings {
  const problems: Problem[] = [];
  const sightings: Sighting[] = [];
  const firstOf = new Map<string, Sighting>();
  const contradicted = new Set<string>();
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
    const place = parseIpv4(host) === undefined ? {} : { ip: host, fixed: true as const };
    const sighting: Sighting = { mac, ...place, ...seenName(host), line: index + 1 };
    const other = firstOf.get(mac);
    firstOf.set(mac, { ...sighting, ...other });
    if (other !== undefined && contradicts(other, sighting)) {
      contradicted.add(mac);
      problems.push({
        position: { file, line: index + 1, column: 1 },
        message: `${mac} is ${host} here, and ${other.hostname ?? other.ip} in line ${other.line}: taken for neither`,
      });
    }
    sightings.push(sighting);
  }
  return { sightings: sightings.filter(({ mac }) => !contradicted.has(mac)), problems };
}

function contradicts(one: Sighting, other: Sighting): boolean {
  const differ = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && a !== b;
  return differ(one.hostname, other.hostname) || differ(one.ip, other.ip);
}
