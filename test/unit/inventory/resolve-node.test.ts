import { describe, expect, test } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { resolveNode, resolveNodes } from '../../../src/inventory/resolve-node.js';
import { decode } from './inventory-fixture.js';

const SITE = `cluster:
  domain: cluster.example
  image: compute
  overlays: [cluster]
  kernelArguments: [console=tty0, console=ttyS0, panic=30, quiet]
  variables: { slurm: head, rack: none }
  writableTop: { size: 2g }
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs, dns, ntp] }
    storage1: { address: 10.1.0.2, roles: [nfs] }
networks:
  internal: { subnet: 10.1.0.0/16, gateway: 10.1.0.254, mtu: 9000 }
groups:
  compute:
    overlays: [gpu]
    drivers: [tg3]
    servers: [storage1]
    persistent:
      - { path: /var/log }
      - { path: /home, server: head, export: /srv/home }
nodes:
  n[1-4]:
    group: compute
    ip: 10.1.1.1
    kernelArguments: [panic=0]
  n5: { group: compute, ip: 10.1.1.5 }
overrides:
  n[2-3]: { image: compute-bookworm, variables: { rack: r1 } }
  n3:
    image: storage
    persistent: [{ path: /home, readOnly: true, server: storage1, export: /srv/ro }]
    writableTop: { inodes: 1m }
    serialConsole: ttyS1,57600
`;

describe('a resolved node', () => {
  const inventory = decode(SITE);

  test('has the values of override, entry, group and cluster, the nearest first; lists are joined from far to near', () => {
    expect(resolveNode(inventory, 'n3').node).toMatchObject({
      name: 'n3',
      domain: 'cluster.example',
      ip: '10.1.1.3',
      prefix: 16,
      netmask: '255.255.0.0',
      gateway: '10.1.0.254',
      mtu: 9000,
      group: 'compute',
      image: 'storage',
      boot: 'image',
      architecture: 'amd64',
      overlays: ['cluster', 'gpu'],
      kernelArguments: ['console=tty0', 'console=ttyS0', 'quiet', 'panic=0'],
      drivers: ['tg3'],
      variables: { rack: 'r1', slurm: 'head' },
      writableTop: { kind: 'tmpfs', size: '2g', inodes: '1m' },
      transport: { protocol: 'nfs' },
      serialConsole: { device: 'ttyS1', port: 1, baud: 57_600 },
      persistent: [
        { path: '/home', server: { name: 'storage1' }, export: '/srv/ro', readOnly: true },
        { path: '/var/log', server: { name: 'storage1' }, readOnly: false },
      ],
      dns: ['10.1.0.1'],
    });
  });

  test('has the disk of the nearest source alone: a consent is never joined to another disk', () => {
    const wiped = { device: 'sda', scratch: 'scratch', consent: 'yes-wipe-sda' };
    const withDisks = decode(
      SITE.replace('    drivers: [tg3]\n', (line) => `${line}    disk: ${JSON.stringify(wiped)}\n`).replace(
        'image: storage\n',
        (line) => `${line}    disk: { device: nvme0n1, swap: 8g }\n`,
      ),
    );
    expect(resolveNode(inventory, 'n1').node.disk).toBeUndefined();
    expect(resolveNode(withDisks, 'n1').node.disk).toEqual(wiped);
    expect(resolveNode(withDisks, 'n3').node.disk).toEqual({ device: 'nvme0n1', swap: '8g' });
  });

  test('gets the servers that its group prefers before the others', () => {
    const { servers } = resolveNode(inventory, 'n1').node;
    expect(servers.nfs.map(({ name }) => name)).toEqual(['storage1', 'head']);
    expect(servers.http).toEqual([]);
  });

  test('knows for every value which level said it, and where', () => {
    const { origins } = resolveNode(inventory, 'n2');
    const lines = origins.map(({ field, level, name, position }) =>
      `${field}: ${level} ${name} ${position?.line ?? ''}`.trim(),
    );
    expect(lines).toEqual(
      expect.arrayContaining([
        'ip: node n2 24',
        'image: node n[2-3] 28',
        'variables.rack: node n[2-3] 28',
        'variables.slurm: cluster  6',
        'overlays[0]: cluster  4',
        'overlays[1]: group compute 15',
        'kernelArguments[3]: node n[1-4] 25',
        'mtu: network internal 12',
        'boot: default',
        'architecture: default',
      ]),
    );
  });

  test('is pinned to a generation by the nearest level, unless a nearer one names another image', () => {
    const [old, other] = ['20261101T000000Z-11111111', '20261110T000000Z-22222222'];
    const pinned = decode(
      `${SITE.replace('  compute:\n', `  compute:\n    generation: ${old}\n`)}  n4: { generation: current }
  n[5]: { generation: ${other} }
`,
    );
    expect(resolveNodes(pinned).map(({ name, generation }) => [name, generation])).toEqual([
      ['n1', old],
      ['n2', undefined],
      ['n3', undefined],
      ['n4', undefined],
      ['n5', other],
    ]);
  });

  test('is the same among all and alone', () => {
    expect(resolveNodes(inventory)).toEqual(
      [...inventory.nodes.keys()].map((name) => resolveNode(inventory, name).node),
    );
  });

  test('an unknown one is named with the nearest', () => {
    expect(() => resolveNode(inventory, 'n55')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('did you mean "n5"?'),
        exitCode: ExitCode.NotFound,
      }),
    );
  });
});
