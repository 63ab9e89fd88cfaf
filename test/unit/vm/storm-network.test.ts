import { describe, expect, it } from 'vitest';
import { stormMac, stormNetworkBatch, stormShaping, stormTap } from '../../../src/vm/storm-network.js';

const network = { nodes: 2, nodeMbit: 100, uplinkMbit: 30 };

describe('the network of a storm', () => {
  it('has the head node on a cable, with the address that servers are configured for, and a tap per node', () => {
    const lines = stormNetworkBatch(network).split('\n');
    expect(lines).toContain('link add br0 type veth peer name uplink');
    expect(lines).toContain('address add 10.77.0.1/24 dev br0');
    expect(lines.filter((line) => line.startsWith('tuntap'))).toEqual([
      'tuntap add node1 mode tap',
      'tuntap add node2 mode tap',
    ]);
  });

  it('has a switch that answers for no address: what is sent to the head node goes through the shaped cable', () => {
    expect(stormNetworkBatch(network)).toContain('link set switch arp off up\n');
  });

  it('gives each node a MAC address of its own, whose end is its number', () => {
    expect([1, 10, 100].map(stormMac)).toEqual([
      '52:54:00:78:00:01',
      '52:54:00:78:00:0a',
      '52:54:00:78:00:64',
    ]);
    expect(stormTap(100)).toBe('node100');
  });
});

describe('the shaping of a storm', () => {
  const lines = stormShaping(network).split('\n');
  const classes = (device: string) => lines.filter((line) => line.startsWith(`class add dev ${device} `));
  const kbit = (line: string, what: string) => Number(new RegExp(`${what} (\\d+)kbit`).exec(line)?.[1]);

  it('never gives all classes together more than the uplink, and none more than its link', () => {
    for (const device of ['br0', 'uplink']) {
      const [whole, ...parts] = classes(device);
      expect(kbit(whole!, 'rate')).toBe(30_000);
      expect(parts).toHaveLength(3);
      expect(parts.reduce((sum, line) => sum + kbit(line, 'rate'), 0)).toBeLessThanOrEqual(30_000);
      for (const line of parts) expect(kbit(line, 'ceil')).toBe(30_000);
    }
    const narrow = stormShaping({ nodes: 2, nodeMbit: 5, uplinkMbit: 1_000 }).split('\n');
    const nodes = narrow.filter((line) => /classid 1:[12] /.test(line));
    expect(nodes).toHaveLength(4);
    for (const line of nodes) expect([kbit(line, 'rate'), kbit(line, 'ceil')]).toEqual([5_000, 5_000]);
  });

  it('finds a node by the end of the destination on the way out, of the source on the way in', () => {
    const filters = lines.filter((line) => line.startsWith('filter'));
    expect(filters).toHaveLength(4);
    expect(filters[1]).toMatch(/^filter add dev br0 .*0x0002 0xffff at -10 flowid 1:2$/);
    expect(filters[3]).toMatch(/^filter add dev uplink .*0x0002 0xffff at -4 flowid 1:2$/);
  });
});
