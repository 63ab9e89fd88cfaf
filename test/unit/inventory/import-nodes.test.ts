import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSightings, SIGHTING_FORMATS } from '../../../src/inventory/decode-sightings.js';
import { planImport } from '../../../src/inventory/import-nodes.js';
import { writeRows } from '../../../src/inventory/write-rows.js';
import { CLUSTER, decode } from './inventory-fixture.js';

const DNSMASQ = `1700000300 52:54:00:00:00:03 10.1.9.3 * 01:52:54:00:00:00:03
1700000100 52:54:00:00:00:01 10.1.9.1 n2.cluster.example 01:52:54:00:00:00:01
1700000200 52:54:00:00:00:02 10.1.9.2 pxe-client *
half a line
duid 00:01:00:01:2c:aa
1700000300 1234 fd00::1 n9 00:01
`;

const DHCPD = `# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001{;";
lease 10.1.9.1 {
  starts 4 2026/05/14 09:00:00;
  binding state active;
  hardware ethernet 52:54:00:00:00:01;
  uid "\\001RT\\000{";
  client-hostname "n2";
}
lease 10.1.9.2 { hardware ethernet 52:54:00:00:00:02; }
lease 10.1.9.7 { hardware ethernet 52:54:00:00:00:01; }
lease 10.1.9.8 { binding state free; }
host fixed { dynamic; hardware ethernet 52:54:00:00:00:04; fixed-address 10.1.1.4; }
lease 10.1.9.9 {
  hardware ethernet 52:54:0`;

describe('machines that were seen', () => {
  test('in dnsmasq.leases, in the order of expiry; IPv6 and broken lines are left out', () => {
    const { sightings, problems } = decodeSightings('dnsmasq.leases', DNSMASQ, 'l');
    expect(sightings).toEqual([
      { mac: '52:54:00:00:00:01', ip: '10.1.9.1', hostname: 'n2', line: 2 },
      { mac: '52:54:00:00:00:02', ip: '10.1.9.2', hostname: 'pxe-client', line: 3 },
      { mac: '52:54:00:00:00:03', ip: '10.1.9.3', line: 1 },
    ]);
    expect(problems.map(({ position }) => position.line)).toEqual([4]);
  });

  test('in dhcpd.leases, the last lease of each at the place of its first; an unfinished one is left out', () => {
    const { sightings, problems } = decodeSightings('dhcpd.leases', DHCPD, 'l');
    expect(sightings).toEqual([
      { mac: '52:54:00:00:00:01', ip: '10.1.9.7', hostname: 'n2', line: 12 },
      { mac: '52:54:00:00:00:02', ip: '10.1.9.2', line: 11 },
      { mac: '52:54:00:00:00:04', ip: '10.1.1.4', fixed: true, hostname: 'fixed', line: 14 },
    ]);
    expect(problems).toEqual([
      { position: { file: 'l', line: 15, column: 1 }, message: 'this declaration is not finished yet' },
    ]);
  });

  test('in ethers, by name or by address', () => {
    const text = '# rack 1\n0:1:2:a:b:c n1 # top\n52-54-00-00-00-02\t10.1.1.2\nff:ff:ff:ff:ff:ff all\n';
    expect(decodeSightings('ethers', text, 'e')).toEqual({
      sightings: [
        { mac: '00:01:02:0a:0b:0c', hostname: 'n1', line: 2 },
        { mac: '52:54:00:00:00:02', ip: '10.1.1.2', fixed: true, line: 3 },
      ],
      problems: [
        {
          position: { file: 'e', line: 4, column: 1 },
          message: '"ff:ff:ff:ff:ff:ff" is not a MAC address of a network card',
        },
      ],
    });
  });

  test('in ethers, a MAC address of two names is taken for neither, and that is told; a name and an address go together', () => {
    const text =
      '52:54:00:00:00:01 n001\n52:54:00:00:00:02 n2\n52:54:00:00:00:01 n002\n52:54:00:00:00:02 10.1.1.2\n';
    expect(decodeSightings('ethers', text, 'e')).toEqual({
      sightings: [{ mac: '52:54:00:00:00:02', hostname: 'n2', ip: '10.1.1.2', fixed: true, line: 4 }],
      problems: [
        {
          position: { file: 'e', line: 3, column: 1 },
          message: '52:54:00:00:00:01 is n002 here, and n001 in line 1: taken for neither',
        },
      ],
    });
  });

  test.each([
    ['garbage', [1]],
    ['# nothing yet\nauthoring-byte-order little-endian;\n', []],
    ['\n52:54:00:00:00:01 n1\n', [2]],
  ])('in dhcpd.leases, %j: what is no declaration is told', (text, lines) => {
    const { sightings, problems } = decodeSightings('dhcpd.leases', text, 'l');
    expect(sightings).toEqual([]);
    expect(problems.map(({ position }) => position.line)).toEqual(lines);
  });

  test.each(SIGHTING_FORMATS)(
    'in any text as %s: machines with MAC addresses, nothing else, and no crash',
    (format) => {
      const words = [
        'lease ',
        '10.1.1.1 ',
        '{',
        '}',
        ';',
        '"',
        '\\',
        'hardware ethernet ',
        '52:54:00:00:00:01 ',
        '\n',
        '#',
        '9 ',
        'duid',
        '* ',
      ];
      const text = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(fc.constantFrom(...words)).map((all) => all.join('')),
      );
      fc.assert(
        fc.property(text, (sample) => {
          for (const { mac } of decodeSightings(format, sample, 'f').sightings) {
            expect(mac).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
          }
        }),
        { numRuns: 500 },
      );
    },
  );
});

describe('an import', () => {
  const inventory = decode(
    `${CLUSTER}nodes:\n  n[1-3]:\n    group: compute\n    ip: 10.1.1.1\n  n4: { group: compute, ip: 10.1.1.4, mac: 52:54:00:00:00:44 }\n`,
  );
  const seen = (mac: string, hostname?: string, ip?: string) => ({
    mac: `52:54:00:00:00:${mac}`,
    line: 1,
    ...(hostname === undefined ? {} : { hostname }),
    ...(ip === undefined ? {} : { ip }),
  });

  test('gives a machine to the node whose name it told, others to the names in turn, new ones a group and an address', () => {
    const { nodes, passedOver } = planImport(
      inventory,
      [seen('02'), seen('03'), seen('01', 'n2'), seen('44'), seen('05', 'localhost', '10.1.9.5')],
      { names: ['n1', 'n2', 'n3', 'n4', 'n5'], group: 'compute', firstAddress: '10.1.1.4' },
    );
    expect(nodes.map(({ name, mac, ip }) => [name, mac.slice(-2), ip])).toEqual([
      ['n1', '02', undefined],
      ['n3', '03', undefined],
      ['n2', '01', undefined],
      ['n5', '05', '10.1.1.5'],
    ]);
    expect(passedOver).toMatchObject([{ reason: 'it is n4 already', conflict: false }]);
  });

  test('passes over what contradicts the inventory, and says where', () => {
    const { nodes, passedOver } = planImport(
      inventory,
      [seen('01', 'n4'), seen('02', 'n1'), seen('03', 'n1'), seen('06')],
      {},
    );
    expect(nodes).toMatchObject([{ name: 'n1', mac: '52:54:00:00:00:02' }]);
    expect(passedOver.map(({ reason }) => reason)).toEqual([
      'it says that it is n4, which has 52:54:00:00:00:44 in nodes.yaml:13; if its board was changed: mkroot node set n4 --mac 52:54:00:00:00:01',
      'it says that it is n1, as another one does',
      'it told no name of the inventory',
    ]);
  });

  test('knows a node by an address that is kept for it, but not by a lease', () => {
    const own = (mac: string, ip: string, hostname?: string) => ({
      ...seen(mac, hostname, ip),
      fixed: true as const,
    });
    const { nodes, passedOver } = planImport(
      inventory,
      [
        seen('09', undefined, '10.1.1.2'),
        own('03', '10.1.1.3'),
        own('02', '10.1.1.3', 'n2'),
        own('05', '10.1.1.4'),
      ],
      { names: ['n3', 'n1'] },
    );
    expect(nodes.map(({ name, mac }) => [name, mac.slice(-2)])).toEqual([
      ['n1', '09'],
      ['n3', '03'],
    ]);
    expect(passedOver.map(({ reason }) => reason)).toEqual([
      'it is n2 by its name and n3 by its address',
      expect.stringContaining('it says that it is n4, which has 52:54:00:00:00:44 in nodes.yaml:13; if its'),
    ]);
  });

  test('is written into empty fields and behind the last row; comments and other fields stay', () => {
    const csv = '# rack 1\nname,ip,variables.note\nn1,10.1.1.1,"a, b"\n# rack 2\nn2\n';
    expect(
      writeRows(csv, 'nodes.csv', [
        { name: 'n1', mac: 'm1' },
        { name: 'n2', mac: 'm2' },
        { name: 'n3', mac: 'm3', ip: '10.1.1.3', group: 'compute' },
      ]),
    ).toBe(
      '# rack 1\nname,ip,variables.note,mac,group\nn1,10.1.1.1,"a, b",m1\n# rack 2\nn2,,,m2\nn3,10.1.1.3,,m3,compute\n',
    );
    expect(writeRows('', 'nodes.csv', [{ name: 'n1', mac: 'm1' }])).toBe('name,mac\nn1,m1\n');
    expect(() => writeRows('name,mac\nn1,m0\n', 'nodes.csv', [{ name: 'n1', mac: 'm1' }])).toThrow(
      'line 2 has "m0" for n1',
    );
  });
});
