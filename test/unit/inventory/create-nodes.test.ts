import { describe, expect, test } from 'vitest';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { type NewNodes, planCreation, writeCreation } from '../../../src/inventory/create-nodes.js';
import type { Site } from '../../../src/inventory/load-inventory.js';
import { resolveNode } from '../../../src/inventory/resolve-node.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const SITE: Site = { directory: '/site', workingDirectory: '/site', images: ['compute', 'storage'] };

const NODES = `cluster:
  image: compute
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16, range: 10.1.1.7-10.1.1.8 }
groups:
  compute: {}
  storage: {}
nodes:
  # the first rack
  n[001-004]: { group: compute, ip: 10.1.1.1 }   # counted up
  s1: { group: storage, ip: 10.1.1.6 }

# the end
`;

function create(request: Partial<NewNodes> & { names: string }, text = NODES) {
  const fs = memoryFileSystem({ '/site/nodes.yaml': text });
  const creation = planCreation(fs, SITE, { macs: [], ...request });
  expect(Buffer.from(fs.readFile('/site/nodes.yaml')).toString()).toBe(text);
  writeCreation(fs, SITE, creation);
  return { ...creation, written: Buffer.from(fs.readFile('/site/nodes.yaml')).toString() };
}

function errorOf(request: Partial<NewNodes> & { names: string }, text = NODES): MkrootError {
  try {
    create(request, text);
  } catch (error) {
    if (error instanceof MkrootError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('creating nodes', () => {
  test('adds one line behind the other nodes and keeps every other; the inventory has it', () => {
    const { written, inventory } = create({ names: 'n005', group: 'compute', macs: ['52-54-00-00-00-05'] });
    expect(written).toBe(
      NODES.replace(
        '  s1: { group: storage, ip: 10.1.1.6 }\n',
        (line) => `${line}  n005: { group: compute, ip: "10.1.1.5", mac: "52-54-00-00-00-05" }\n`,
      ),
    );
    expect(resolveNode(inventory, 'n005').node).toMatchObject({ ip: '10.1.1.5', mac: '52:54:00:00:00:05' });
  });

  test('takes free addresses behind the group: none of nodes, servers, gateway, range or network itself', () => {
    // .6 is a node of another group, .7 and .8 are handed out by DHCP.
    expect(create({ names: 'n[005-007]', group: 'compute' }).addresses).toEqual([
      '10.1.1.5',
      '10.1.1.9',
      '10.1.1.10',
    ]);
    expect(create({ names: 's2', group: 'storage' }).addresses).toEqual(['10.1.1.9']);
    // After the end of a network its beginning; the first address is that of the server.
    const small = NODES.replace('10.1.0.0/16, range: 10.1.1.7-10.1.1.8', '10.1.0.0/29, gateway: 10.1.0.2')
      .replace('n[001-004]', 'n1')
      .replace('10.1.1.1', '10.1.0.6')
      .replace('10.1.1.6', '10.1.0.4');
    expect(create({ names: 'n[2-3]', group: 'compute' }, small).addresses).toEqual(['10.1.0.3', '10.1.0.5']);
    expect(errorOf({ names: 'n[2-4]', group: 'compute' }, small).message).toBe(
      'Cannot create "n[2-4]": network internal (10.1.0.0/29) has only 2 free addresses',
    );
  });

  test('a first address that is given is counted up; several nodes get one entry', () => {
    const { written } = create({ names: 'n[005-006]', group: 'compute', ip: '10.1.3.1', image: 'storage' });
    expect(written).toContain('  n[005-006]: { group: compute, ip: "10.1.3.1", image: storage }\n');
  });

  test('the first node of a cluster, and the only group, need not be named', () => {
    const text = NODES.slice(0, NODES.indexOf('  storage: {}'));
    const { written, addresses } = create({ names: 'n1' }, text);
    expect(addresses).toEqual(['10.1.0.2']);
    expect(written).toBe(`${text}nodes:\n  n1: { group: compute, ip: "10.1.0.2" }\n`);
  });

  test.each([
    [
      { names: 'n003', group: 'compute' },
      /n003 is there already, in nodes\.yaml:12:3/,
      ExitCode.InvalidInput,
    ],
    [{ names: 'n005' }, /nothing says which group it is in/, ExitCode.Usage],
    [
      { names: 'n[005-006]', group: 'compute', macs: ['52:54:00:00:00:05'] },
      /1 MAC addresses .* 2 nodes/,
      ExitCode.Usage,
    ],
    [{ names: 'n5', group: 'compute', ip: '10.1' }, /"10\.1" is not an IPv4 address/, ExitCode.Usage],
    [
      { names: 'n5', group: 'compute', network: 'wan' },
      /there is no network "wan" \(internal\)/,
      ExitCode.Usage,
    ],
    [{ names: 'n[5', group: 'compute' }, /a bracket is not closed/, ExitCode.Usage],
    [{ names: 'n5', group: 'compute', ip: '10.1.1.1' }, /would not be usable/, ExitCode.InvalidInput],
    [{ names: 'n5', group: 'gpu' }, /would not be usable/, ExitCode.InvalidInput],
    [{ names: 'head', group: 'compute' }, /would not be usable/, ExitCode.InvalidInput],
  ])('of %j is refused and writes nothing', (request, message, exitCode) => {
    expect(errorOf(request)).toMatchObject({ message: expect.stringMatching(message), exitCode });
  });

  test('in which of several networks has to be clear', () => {
    const two = NODES.replace('groups:', '  other: { subnet: 10.2.0.0/16 }\ngroups:\n  gpu: {}');
    expect(errorOf({ names: 'g1', group: 'gpu' }, two).message).toContain(
      'several networks (internal, other)',
    );
    expect(create({ names: 'g1', group: 'gpu', network: 'other' }, two).addresses).toEqual(['10.2.0.1']);
    expect(create({ names: 'n005', group: 'compute' }, two).addresses).toEqual(['10.1.1.5']);
  });
});
