import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import type { NetbootNode, NetbootSite } from '../../../src/netboot/netboot-site.js';
import { renderNetbootTree } from '../../../src/netboot/netboot-tree.js';
import { structureOf } from '../../support/config-readers.js';
import { computeBoot } from '../../support/small-site.js';

/** A site of one node in which each value can be another one. `text` is put where the name says. */
function siteWith(place: string, text: string): NetbootSite {
  const at = (name: string, value: string) => (name === place ? text : value);
  const boot = computeBoot('n1');
  const node: NetbootNode = {
    name: at('name', 'n1'),
    mac: at('MAC', '52:54:00:00:00:01'),
    address: at('address', '10.1.0.11'),
    groups: [at('group', 'compute')],
    variables: { [at('variable', 'role')]: at('value', 'worker'), list: [at('listed value', 'x')] },
    sshHostKeys: [at('host key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmH1KdVNJ2D')],
    boot: {
      ...boot,
      image: {
        name: at('image', 'compute'),
        generation: at('generation', 'g1'),
        kernel: at('kernel', 'images/vmlinuz'),
        initrds: [at('initrd', 'images/initrd')],
      },
      parameters: {
        ...boot.parameters,
        consoles: [at('console', 'ttyS0')],
        hostname: at('hostname', 'n1'),
        host: { path: at('host layer', '/srv/hosts/n1') },
        extra: [at('argument', 'quiet')],
      },
      menu: ['local', 'memtest'],
      timeout: 5,
    },
    directories: [{ path: at('directory', '/srv/hosts/n1'), access: 'ro' }],
  };
  return {
    domain: at('domain', 'cluster.example'),
    networks: [
      {
        name: at('network', 'net'),
        subnet: at('subnet', '10.1.0.0/16'),
        range: { first: at('range', '10.1.2.1'), last: '10.1.2.9' },
        gateway: at('gateway', '10.1.0.1'),
        dns: [at('dns', '10.1.0.1')],
        ntp: [at('ntp', '10.1.0.1')],
      },
    ],
    nodes: [node],
    hosts: [{ name: at('host', 'head'), address: at('host address', '10.1.0.1') }],
    server: {
      address: at('server', '10.1.0.1'),
      interfaces: [at('interface', 'br0')],
      tftpRoot: at('TFTP root', '/srv/tftp'),
      httpRoot: at('HTTP root', 'http://10.1.0.1/'),
    },
    directories: [{ path: at('shared directory', '/srv/images'), access: 'ro' }],
    bootFiles: {
      bios: at('BIOS loader', 'pxelinux.0'),
      efiX64: at('UEFI loader', 'snponly.efi'),
      ipxe: at('iPXE script', 'ipxe/boot.ipxe'),
    },
    memoryTest: { bios: at('memory test', 'memtest.bin'), efi: 'memtest.efi' },
  };
}

const places =
  `name,MAC,address,group,variable,value,listed value,host key,image,generation,kernel,initrd,console,hostname,host layer,argument,
directory,domain,network,subnet,range,gateway,dns,ntp,host,host address,server,interface,TFTP root,HTTP root,shared directory,BIOS loader,UEFI loader,
iPXE script,memory test`.split(/,\s*/);

/** Every file's structure, sorted: names of files and order of lines may follow from values. */
function structure(site: NetbootSite): string[] {
  return [...renderNetbootTree(site)]
    .flatMap(([path, text]) => {
      const kind = path
        .replace(/dsh\/group\/[A-Za-z0-9][A-Za-z0-9_-]*$/, 'GROUP')
        .replace(/(01-[0-9a-f-]{17}|[0-9A-F]{8}$|\d+\.\d+\.\d+\.\d+)/, 'NODE');
      return structureOf(path, text).map((thing) => `${kind}: ${thing}`);
    })
    .sort();
}

/** What means something to at least one of the formats, among what does not. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...'\n\r\t\0\x7f "\'\\`;:,#=%$|&<>*!?~^@+-_./()[]{}aZ09',
      '$' + '{',
      '$(',
      '{{',
      '%n',
      '||',
      ' # ',
      '\u2028',
      'é',
      '\ud800',
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

const ordinary = structure(siteWith('', ''));

/** Whether a value is refused or stays in its place. */
function staysInPlace(place: string, text: string): void {
  let found: string[];
  try {
    found = structure(siteWith(place, text));
  } catch (error) {
    expect(error, `${place} = ${JSON.stringify(text)}`).toBeInstanceOf(MkrootError);
    return;
  }
  // genders leaves a variable out that it cannot hold; nothing else may come or go.
  expect(found, `${place} = ${JSON.stringify(text)}`).toEqual(ordinary);
}

describe('no value breaks out of its place in any file', () => {
  test.each(places)('%s', (place) => {
    const usual = JSON.parse(JSON.stringify(siteWith(place, '\u0001'))) as unknown;
    expect(JSON.stringify(usual)).toContain('\\u0001');
    fc.assert(
      fc.property(hostile, fc.constantFrom('', 'x', '/', 'a/', '10.1.0.', 'http://h/'), (text, before) => {
        staysInPlace(place, `${before}${text}`);
        staysInPlace(place, `${before}x${text}x`);
      }),
      { numRuns: 50 },
    );
  });

  test('seeds that say what each format fears', () => {
    const seeds = [
      'a\nKERNEL evil',
      "a' ; reboot '",
      'a"; filename "evil',
      'a,b',
      '*(rw)',
      'a}',
      '$' + '{evil}',
      'a # b',
      '#a',
      ';',
      '||',
      '-',
    ];
    for (const place of places) for (const seed of seeds) staysInPlace(place, seed);
  });
});
