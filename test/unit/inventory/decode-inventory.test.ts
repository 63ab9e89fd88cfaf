import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLUSTER, decode, problems } from './inventory-fixture.js';

describe('a good inventory', () => {
  test('a path with white space is absolute, and a merge key is told as what it is', () => {
    const settings = 'compute: { persistent: [{ path: "/a b" }], <<: {}, variables: { <<: {} } }';
    expect(problems(CLUSTER.replace('compute: {}', settings))).toEqual([
      expect.stringMatching(/path "\/a b" has characters that no mount can have/),
      expect.stringMatching(/: merge keys \(<<\) are not supported; write the fields out$/),
      expect.stringMatching(/: merge keys \(<<\) are not supported; write the fields out$/),
    ]);
  });

  test('a range counts addresses up from the first, over the end of a byte', () => {
    const { nodes } = decode(
      `${CLUSTER}nodes:\n  n[001-300]: { group: compute, ip: 10.1.1.1 }\n  m[1-4,7]: { group: compute, ip: '10.1.3.[11-14,17]' }\n`.replace(
        'n[001-300]: { group: compute, ip: 10.1.1.1 }',
        'n[001-300]:\n    group: compute\n    ip: 10.1.1.1',
      ),
    );
    expect(nodes.size).toBe(305);
    expect(nodes.get('n001')?.ip.value).toBe('10.1.1.1');
    expect(nodes.get('n255')?.ip.value).toBe('10.1.1.255');
    expect(nodes.get('n256')?.ip.value).toBe('10.1.2.0');
    expect(nodes.get('m7')?.ip.value).toBe('10.1.3.17');
  });

  test.each(['52:54:00:AB:cd:0f', '52-54-00-ab-cd-0f', '5254.00ab.cd0f', '525400abcd0f'])(
    'the MAC address %s is 52:54:00:ab:cd:0f',
    (mac) => {
      const { nodes } = decode(`${CLUSTER}nodes:\n  n1: { group: compute, ip: 10.1.1.1, mac: ${mac} }\n`);
      expect(nodes.get('n1')?.mac?.value).toBe('52:54:00:ab:cd:0f');
    },
  );

  test('what YAML takes for numbers is read as it is spelt: a MAC address of digits, NFS 4.1, names with zeros', () => {
    const { nodes, cluster } = decode(
      `${CLUSTER.replace('image: compute', 'image: compute\n  transport: { nfsVersion: 4.1 }')}nodes:\n  007: { group: compute, ip: 10.1.1.1, mac: 005254001234 }\n`,
    );
    expect([...nodes.keys()]).toEqual(['007']);
    expect(nodes.get('007')?.mac?.value).toBe('00:52:54:00:12:34');
    expect(cluster.settings.transport?.nfsVersion).toBe('4.1');
  });

  test('CSV rows complete nodes of nodes.yaml and add others, with the place of each value', () => {
    const { nodes } = decode(
      `${CLUSTER}nodes:\n  n[1-2]:\n    group: compute\n    ip: 10.1.1.1\ncsv: nodes.csv\n`,
      {
        'nodes.csv':
          '# inventoried in May\nname,mac,ip,group,variables.rack\nn2,52:54:00:00:00:02,,,"r 1"\nx1,52:54:00:00:00:03,10.1.1.9,compute,\n',
      },
    );
    const { ip, mac } = nodes.get('n2') ?? {};
    expect(ip?.value).toBe('10.1.1.2');
    expect(ip?.position()).toMatchObject({ file: 'nodes.yaml', line: 12 });
    expect(mac?.value).toBe('52:54:00:00:00:02');
    expect(mac?.position()).toEqual({ file: 'nodes.csv', line: 3, column: 4 });
    expect(nodes.get('n2')?.sources[0]?.settings.variables).toEqual({ rack: 'r 1' });
    expect(nodes.get('x1')).toMatchObject({ group: { value: 'compute' }, ip: { value: '10.1.1.9' } });
  });
});

describe('mistakes', () => {
  test('are told all at once, each with its place and what was probably meant, whatever else is wrong', () => {
    const text = `cluster:
  domain: foo_bar
  image: comptue
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nsf] }
networks:
  internal: { subnet: 10.1.0.0/16, range: 10.1.9.1-10.1.9.254, gateway: 10.2.0.254, mtu: big }
  other: { subnet: 10.1.2.0/24 }
  third: { subnet: 10.1.2.0/22 }
groups:
  compute: { overlays: [cluter], servers: [haed1], kernelArgument: [a] }
  stor_age: {}
nodes:
  n[1-4: { group: compute }
  n[1-4]:
    group: compute
    ip: 10.1.1.1
    mac: 52:54:00:00:00:zz
  n[3-6]:
    group: comptue
    ip: 10.1.255.252
  n_[7-9]: { group: compute, ip: 10.1.1.9 }
  a: { group: compute, ip: 10.1.9.7, mac: 525400000001 }
  b: { group: compute, ip: 10.1.0.0, mac: 5254.0000.0001, image: [] }
  c: { group: [compute], ip: 10.1.1.1, network: intrenal }
  d[1-3]: { group: compute, ip: '10.1.7.[1-4]', mac: [52:54:00:00:00:09] }
  f: { ip: 300.1.1.1, group: compute, variables: { a-b: 1 } }
  head: { ip: 10.1.0.1, group: compute }
overrides:
  n99: {}
csv: [nodes.csv, missing.csv]
`;
    const csv = 'name,mc,ip\nn1,,10.1.4.1\nz1,,\nz1\n"un,x\n';
    expect(problems(text, { 'nodes.csv': csv })).toMatchInlineSnapshot(`
      [
        "nodes.yaml:2:11: cluster.domain "foo_bar" is not a domain name",
        "nodes.yaml:3:10: image "comptue" is not known; did you mean "compute"?",
        "nodes.yaml:5:52: cluster.servers.head.roles[2] "nsf" is not known (dhcp, tftp, http, nfs, dns, ntp, syslog)",
        "nodes.yaml:7:73: networks.internal.gateway "10.2.0.254" is not an address for a machine in 10.1.0.0/16",
        "nodes.yaml:7:90: networks.internal.mtu must be a number, not "big"",
        "nodes.yaml:8:20: networks.other.subnet "10.1.2.0/24" overlaps that of internal, in line 7",
        "nodes.yaml:9:20: networks.third.subnet "10.1.2.0/22" is not a subnet: the address has bits behind the prefix; did you mean "10.1.0.0/22"?",
        "nodes.yaml:11:25: there is no directory overlays/cluter; did you mean "cluster"?",
        "nodes.yaml:11:44: server "haed1" is not known; known are head",
        "nodes.yaml:11:52: unknown field "kernelArgument" in groups.compute; did you mean "kernelArguments"?",
        "nodes.yaml:12:3: groups "stor_age" is not a host name (letters, digits and hyphens, at most 63, without a domain)",
        "nodes.yaml:14:3: "n[1-4": a bracket is not closed",
        "nodes.yaml:18:10: nodes.n[1-4].mac "52:54:00:00:00:zz" is not a MAC address, such as 52:54:00:12:34:56 (hyphens, dots and upper case will do, too)",
        "nodes.yaml:19:3: n3 is there already, in line 15; the same for 1 more",
        "nodes.yaml:20:12: group "comptue" is not known; did you mean "compute"?; the same for 1 more",
        "nodes.yaml:21:9: ip of n6: 10.1.255.255 is the broadcast address of 10.1.0.0/16 (network internal)",
        "nodes.yaml:22:3: "n_7" is not a host name (letters, digits and hyphens, at most 63, without a domain); the same for 2 more",
        "nodes.yaml:23:28: ip of a: 10.1.9.7 lies in the range that DHCP hands out freely in 10.1.0.0/16 (network internal)",
        "nodes.yaml:24:28: ip of b: 10.1.0.0 is the address of the network 10.1.0.0/16 (network internal) itself",
        "nodes.yaml:24:43: mac 52:54:00:00:00:01 of b is that of a, in line 23",
        "nodes.yaml:24:66: nodes.b.image must be a text, not a list",
        "nodes.yaml:25:15: nodes.c.group must be a text, not a list",
        "nodes.yaml:25:30: ip 10.1.1.1 of c is that of n1, in line 17",
        "nodes.yaml:25:49: network "intrenal" is not known; did you mean "internal"?",
        "nodes.yaml:26:33: ip has 4 addresses for 3 nodes",
        "nodes.yaml:26:54: mac has 1 address for 3 nodes; give as many in a list, or put them into a CSV file",
        "nodes.yaml:27:12: ip "300.1.1.1" is not an IPv4 address, such as 10.1.0.1",
        "nodes.yaml:27:52: nodes.f.variables "a-b" is not a name of a variable (letters, digits and _, no digit first)",
        "nodes.yaml:30:3: overrides "n99": there is no node n99",
        "nodes.yaml:31:18: csv "missing.csv" does not exist (relative paths start at nodes.yaml)",
        "nodes.csv:1:6: unknown column "mc"; did you mean "mac"?",
        "nodes.csv:2:5: ip of n1 is given already, in nodes.yaml:17",
        "nodes.csv:3:1: z1 is not in nodes.yaml, and its row names no group",
        "nodes.csv:3:1: z1 has no address (ip)",
        "nodes.csv:4:1: z1 is there already, in line 3",
        "nodes.csv:5:1: a quote is opened here and never closed",
        "nodes.csv:5:1: "un,x" is not a host name (letters, digits and hyphens, at most 63, without a domain)",
      ]
    `);
  });

  test.each([
    ['an address outside of the subnet', 'ip: 10.2.0.1', 'ip of n1: 10.2.0.1 is outside of 10.1.0.0/16'],
    ['the address of the network', 'ip: 10.1.0.0', 'is the address of the network 10.1.0.0/16'],
    ['the broadcast address', 'ip: 10.1.255.255', 'is the broadcast address of 10.1.0.0/16'],
    ['the gateway', 'ip: 10.1.0.254', 'is the gateway of 10.1.0.0/16'],
    ['a server', 'ip: 10.1.0.1', 'ip 10.1.0.1 of n1 is that of server head'],
    ['the dynamic range', 'ip: 10.1.9.77', 'lies in the range that DHCP hands out freely'],
    ['no address', 'image: compute', 'n1 has no address (ip)'],
    ['zeros that some programs read as octal', 'ip: 10.1.001.010', '"10.1.001.010" is not an IPv4 address'],
    ['a group address', 'ip: 10.1.1.1, mac: 01:00:5e:00:00:01', 'is not a MAC address'],
    ['an unknown network', 'ip: 10.1.1.1, network: internl', 'did you mean "internal"?'],
    ['a persistent root', 'ip: 10.1.1.1, persistent: [{ path: / }]', 'is the root itself'],
    [
      'one for a shell',
      "ip: 10.1.1.1, persistent: [{ path: '/$(x)' }]",
      'has characters that no mount can have',
    ],
    [
      'one with an empty part',
      'ip: 10.1.1.1, persistent: [{ path: /var//log }]',
      'has an empty part, or one that',
    ],
    [
      'one in memory',
      'ip: 10.1.1.1, persistent: [{ path: /run/x }]',
      'is where the kernel and systemd mount their own',
    ],
    [
      'a disk without a label',
      'ip: 10.1.1.1, writableTop: { kind: disk }',
      'writableTop of kind disk needs the label of the disk',
    ],
    [
      'an image with a part of the memory',
      'ip: 10.1.1.1, writableTop: { kind: image, size: 50% }',
      'an image has a size of its own',
    ],
    ['a disk for nothing', 'ip: 10.1.1.1, disk: { device: sda }', 'disk needs swap, scratch or both'],
    [
      'a consent for another disk',
      'ip: 10.1.1.1, disk: { device: sda, swap: 1g, consent: yes-wipe-sdb }',
      'the consent is for sdb, and the disk is sda',
    ],
    [
      'a consent that is none',
      'ip: 10.1.1.1, disk: { device: sda, swap: 1g, consent: "yes" }',
      'is neither if-empty nor yes-wipe-DEVICE',
    ],
    [
      'a partition in the place of a disk',
      'ip: 10.1.1.1, disk: { device: nvme0n1p1, swap: 1g }',
      'is not what the kernel calls a whole disk',
    ],
    [
      'swap without a unit',
      'ip: 10.1.1.1, disk: { device: sda, swap: "8", scratch: s }',
      'is not a size: a number with k, m or g',
    ],
    [
      'an unknown server of a transport',
      'ip: 10.1.1.1, transport: { servers: [haed] }',
      'server "haed" is not known',
    ],
    ['an unknown image', 'ip: 10.1.1.1, image: compute-bokworm', 'did you mean "compute-bookworm"?'],
  ])('%s is a problem in its line', (_, fields, expected) => {
    const found = problems(`${CLUSTER}nodes:\n  n1: { group: compute, ${fields} }\n`);
    expect(found).toEqual([expect.stringContaining(expected)]);
    expect(found[0]).toMatch(/^nodes\.yaml:10:\d+: /);
  });

  test.each([
    ['arm64, firmware: bios', 'nodes.yaml:10:', 'bios is contradictory, machines of arm64 have no BIOS'],
    [
      'i386, firmware: uefi',
      'nodes.yaml:10:',
      'uefi is contradictory, there is no boot loader here for 32-bit UEFI',
    ],
  ])(
    'a firmware that its architecture does not have is a problem in its line: %s',
    (fields, place, expected) => {
      const found = problems(
        `${CLUSTER}nodes:\n  n1: { group: compute, ip: 10.1.1.1, architecture: ${fields} }\n`,
      );
      expect(found).toEqual([expect.stringContaining(`firmware of n1: ${expected}`)]);
      expect(found[0]).toContain(place);
    },
  );

  test('a firmware of the group that does not go with the architecture of nodes is told once, at the nearer of both', () => {
    const found = problems(
      `${CLUSTER.replace('image: compute', 'image: compute\n  firmware: bios')}nodes:\n  n[1-3]: { group: compute, ip: 10.1.1.1, architecture: arm64 }\n`,
    );
    expect(found).toEqual([
      expect.stringMatching(
        /^nodes\.yaml:11:57: firmware of n1: bios is contradictory.*; the same for 2 more$/,
      ),
    ]);
  });

  test('an image that nobody names, and a persistent path that nobody serves', () => {
    expect(
      problems(`networks: { a: { subnet: 10.0.0.0/24 } }
groups: { compute: { persistent: [{ path: /home }] } }
nodes: { n1: { group: compute, ip: 10.0.0.1 } }
`),
    ).toEqual([
      'nodes.yaml:2:35: persistent path "/home" needs a server: none in cluster.servers has the role nfs',
      'nodes.yaml:3:10: n1 has no image; name one here, in group compute or in cluster',
    ]);
  });

  test.each([
    ['nothing', '', 'the inventory is empty'],
    ['an unclosed bracket', 'nodes: [', 'this is not YAML'],
    ['an alias that holds itself', 'nodes: &a { n1: *a }\n', 'nodes.yaml:1:17: this stands for something'],
    ['thirty thousand brackets', `nodes: ${'['.repeat(30_000)}`, 'this is nested too deeply'],
    ["JavaScript's own name", `${CLUSTER}  __proto__: {}\n`, 'nodes.yaml:9:3: "__proto__" cannot be a name'],
    ['a control character', `${CLUSTER}csv: "\\e[2J"\n`, 'csv "\\x1b[2J" does not exist'],
    [
      'a group without fields',
      `${CLUSTER}  storage:\n`,
      'groups.storage must be a mapping, not nothing; write {}',
    ],
  ])('%s is reported without a crash', (_, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });

  test('any text decodes or is refused with places', () => {
    const word = fc.constantFrom(
      ...[
        'cluster',
        'networks',
        'groups',
        'nodes',
        'overrides',
        'csv',
        'n[1-3]',
        'ip',
        'mac',
        'group',
        'compute',
      ],
      ...[
        '10.1.1.1',
        '10.1.1.[1-3]',
        ': ',
        '\n',
        '\n  ',
        '\n    ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '&a ',
        '*a',
        '~',
        '__proto__',
      ],
    );
    const text = fc.array(word, { maxLength: 25 }).map((words) => `${CLUSTER}nodes:\n  ${words.join('')}`);
    const csv = fc.array(fc.constantFrom('name', 'ip', ',', '\n', '"', 'n1', '10.1.1.1', ' ', ';', '#'), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(text, csv, (sample, cells) => {
        for (const line of problems(`${sample}\ncsv: a.csv\n`, { 'a.csv': cells.join('') })) {
          expect(line).toMatch(/^(nodes\.yaml|a\.csv):\d+:\d+: \S/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
