import { checkedValue, domainName, hostLabel, ipv4Address } from './checked-value.js';
import { addressNumber } from './ipv4-subnet.js';
import { macBytes } from './kernel-command-line.js';
import type { SiteHost } from './netboot-site.js';

/** hosts(5): every machine with its full and its short name, by address. */
export function renderHosts(hosts: readonly SiteHost[], domain?: string): string {
  const place = 'a hosts file';
  const lines = byAddress(hosts).map(({ name, address }) => {
    const names = [...qualified(place, name, domain), hostLabel(place, name)];
    return `${ipv4Address(place, 'the address', address)}\t${names.join(' ')}\n`;
  });
  return `# Written by mkroot.\n127.0.0.1\tlocalhost\n${lines.join('')}`;
}

/** ethers(5): MAC address and name of every node that has one. */
export function renderEthers(
  nodes: readonly { readonly name: string; readonly mac?: string; readonly address: string }[],
): string {
  const lines = byAddress(nodes).flatMap(({ name, mac }) =>
    mac === undefined ? [] : [`${macBytes(mac).join(':')} ${hostLabel('an ethers file', name)}\n`],
  );
  return `# Written by mkroot.\n${lines.join('')}`;
}

/** ssh_known_hosts (sshd(8)): public keys under short name, full name and address. */
export function renderSshKnownHosts(hosts: readonly SiteHost[], domain?: string): string {
  const place = 'a known_hosts file';
  const lines = byAddress(hosts).flatMap(({ name, address, sshHostKeys = [] }) => {
    const names = [
      hostLabel(place, name),
      ...qualified(place, name, domain),
      ipv4Address(place, 'the address', address),
    ].join(',');
    return sshHostKeys.map((key) => `${names} ${publicKey(key)}\n`);
  });
  return `# Written by mkroot.\n${lines.join('')}`;
}

/** Type and key without the comment that ssh-keygen puts behind them. */
function publicKey(key: string): string {
  const checked = checkedValue(
    'a known_hosts file',
    'the key',
    key,
    /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{16,}={0,2}( [^\x00-\x1f\x7f]*)?$/,
    'it is no public host key such as "ssh-ed25519 AAAA..."',
  );
  return checked.split(' ', 2).join(' ');
}

function qualified(place: string, name: string, domain: string | undefined): string[] {
  return domain === undefined ? [] : [`${name}.${domainName(place, domain)}`];
}

function byAddress<T extends { readonly address: string }>(hosts: readonly T[]): T[] {
  const numbers = new Map(hosts.map((host) => [host, addressNumber(host.address)]));
  return [...hosts].sort((a, b) => numbers.get(a)! - numbers.get(b)!);
}
