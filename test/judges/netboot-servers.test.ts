import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderNetbootTree } from '../../src/netboot/netboot-tree.js';
import { inNamespaces } from '../../src/sandbox/unshare.js';
import { reloadCommand } from '../../src/serving/server-programs.js';
import { computeBoot, smallSite } from '../support/small-site.js';

/** The golden site served by the real servers to real clients, in namespaces of its own. */

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const golden = fileURLToPath(new URL('../golden/netboot/etc', import.meta.url));

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'mkroot-netboot-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function lines(...argv: string[]): string[] {
  const [program, ...args] = inNamespaces({ mount: true, pid: true, net: true }, ['sh', ...argv]);
  return execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 }).trim().split('\n');
}

describe('DHCP', () => {
  const shared =
    'router=10.1.0.1 dns=10.1.0.1 10.1.0.2 domain=cluster.example mtu=9000 ntp=10.1.0.1 lease=43200';
  const n001 = (file: string) => `ip=10.1.0.11 file=${file} next=10.1.0.1 name=n001 ${shared}`;
  const n002 = (file: string) => `ip=10.1.0.12 file=${file} next=10.1.0.1 name=n002 ${shared}`;

  test.each(['dnsmasq', 'dhcpd', 'kea'])(
    '%s gives each client its address, its name and the boot file of its architecture',
    (server) => {
      const answers = lines(support('dhcp-clients.sh'), server, golden, work);
      expect(answers.slice(0, 6)).toEqual([
        n001('pxelinux.0'),
        n002('snponly.efi'),
        n002('snponly.efi'),
        n002('snponly-arm64.efi'),
        `${n002('http://10.1.0.1:8080/snponly.efi')} class=HTTPClient`,
        n001('http://10.1.0.1:8080/ipxe/boot.ipxe'),
      ]);
      // A machine that nobody knows gets an address of the range, and no name.
      expect(answers[6]).toMatch(/^ip=10\.1\.200\.\d+ file=pxelinux\.0 next=10\.1\.0\.1 name= router/);
    },
  );

  test('dnsmasq has addresses for more nodes than the 1,000 that it stops at by itself', () => {
    const etc = join(work, 'many');
    mkdirSync(etc);
    const others = Array.from({ length: 1500 }, (_, at) => {
      const [high, low] = [at >> 8, at & 255];
      const mac = `52:54:00:bb:${[high, low].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
      const name = `m${at}`;
      const address = `10.1.${16 + high}.${low}`;
      return { name, mac, address, groups: [], boot: computeBoot(name) };
    });
    const site = { ...smallSite, nodes: [...smallSite.nodes, ...others] };
    writeFileSync(join(etc, 'dnsmasq.conf'), renderNetbootTree(site).get('etc/dnsmasq.conf')!);
    const leases = others.map(({ name, mac, address }) => `0 ${mac} ${address} ${name} *\n`);
    writeFileSync(join(etc, 'dnsmasq.leases'), leases.join(''));
    expect(lines(support('dhcp-clients.sh'), 'dnsmasq', etc, work)[0]).toBe(n001('pxelinux.0'));
  });
});

describe('proxyDHCP', () => {
  test('dnsmasq gives each kind of firmware its boot file, and no address, beside another server', () => {
    const answers = lines(
      support('proxy-clients.sh'),
      golden,
      work,
      process.execPath,
      support('pxe-client.mjs'),
    );
    const answer = (who: string, address: string, file: string) =>
      `${who}: class=PXEClient address=${address} server=10.1.0.1 file=${file}`;
    expect(answers).toEqual([
      // The address is the one that the client came with.
      answer('boot server', '10.1.0.50', 'pxelinux.0'),
      answer('boot server', '0.0.0.0', 'snponly.efi'),
      answer('boot server', '0.0.0.0', 'snponly.efi'),
      answer('boot server', '0.0.0.0', 'snponly-arm64.efi'),
      answer('offer', '0.0.0.0', 'http://10.1.0.1:8080/ipxe/boot.ipxe'),
    ]);
  });
});

describe('NFS', () => {
  test('nfs-ganesha takes its configuration, shows a host directory to its own address only, and a generation to all', () => {
    expect(lines(support('nfs-clients.sh'), `${golden}/ganesha/ganesha.conf`, work)).toEqual([
      'Configuration file successfully parsed',
      '10.1.0.11 n001: key of n001',
      '10.1.0.11 n002: MNT3ERR_ACCES',
      '10.1.0.11 base: base',
      '10.1.0.12 n001: MNT3ERR_ACCES',
      '10.1.0.12 n002: key of n002',
      '10.1.0.12 base: base',
      '10.1.0.99 n001: MNT3ERR_ACCES',
      '10.1.0.99 n002: MNT3ERR_ACCES',
      '10.1.0.99 base: base',
    ]);
  });

  test("what makes the kernel's server read its exports finds the file that a publish put in the place of the mounted one", () => {
    const directory = join(work, 'kernel');
    const exports = join(directory, "it's exports");
    mkdirSync(join(directory, 'bin'), { recursive: true });
    writeFileSync(exports, 'old\n');
    writeFileSync(join(directory, 'new'), 'new\n');
    // The kernel of this machine has no NFS server; the one thing that counts is which file exportfs(8) would read.
    writeFileSync(join(directory, 'bin/exportfs'), '#!/bin/sh\ncat /etc/exports\n', { mode: 0o755 });
    const script = `export PATH="$1/bin:$PATH"; [ -e /etc/exports ] || { mount -t tmpfs none /etc; : >/etc/exports; }
mount --bind "$2" /etc/exports; cat /etc/exports; mv "$1/new" "$2"; cat /etc/exports; shift 2; "$@"`;
    const reload = reloadCommand('kernel', exports);
    expect(lines('-e', '-c', script, 'sh', directory, exports, ...reload)).toEqual(['old', 'old', 'new']);
  });
});
