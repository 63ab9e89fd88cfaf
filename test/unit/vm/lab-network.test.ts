import { describe, expect, it } from 'vitest';
import { otherDnsmasq } from '../../../src/vm/lab-config.js';
import {
  LAB,
  MOVING_ADDRESS_ARRIVES,
  MOVING_ADDRESS_LEAVES,
  networkBatch,
  OTHER_SERVER,
  OTHER_SERVER_JOINS,
  OTHER_SERVER_RISES,
  STANDBY_JOINS,
  STANDBY_SERVER,
} from '../../../src/vm/lab-network.js';

describe('the network of a lab', () => {
  it('takes large packets on every device, the bridge last, for it takes no more than its ports', () => {
    const lines = networkBatch([{ device: 'other2', place: 'lab' }], 9000)
      .trimEnd()
      .split('\n');
    expect(lines.slice(-3)).toEqual([
      'link set tap0 mtu 9000',
      'link set other2 mtu 9000',
      'link set br0 mtu 9000',
    ]);
    expect(networkBatch()).not.toContain('mtu');
  });

  it('moves an address from one NFS server to the other, which announces it', () => {
    expect(STANDBY_JOINS).toContain(`address add ${STANDBY_SERVER.address}/24 dev ${LAB.bridge}\n`);
    expect(MOVING_ADDRESS_LEAVES).toBe(`address del ${STANDBY_SERVER.address}/24 dev ${LAB.bridge}\n`);
    expect(MOVING_ADDRESS_ARRIVES.trimEnd().split('\n')).toEqual([
      `address add ${STANDBY_SERVER.address}/24 dev eth0`,
      'link set eth0 address 00:00:5e:00:01:05',
    ]);
  });
});

describe('a second DHCP server of a lab', () => {
  it('has an address and a range of its own on the same bridge', () => {
    expect(OTHER_SERVER_JOINS).toContain(`link set other master ${LAB.bridge} up`);
    expect(OTHER_SERVER_RISES).toContain(`address add ${OTHER_SERVER.address}/24 dev eth0`);
    const last = (address: string) => Number(address.split('.').at(-1));
    expect(last(OTHER_SERVER.firstLease)).toBeGreaterThan(last(LAB.lastLease));
  });

  it('names another root, or none, and no boot file', () => {
    expect(otherDnsmasq('10.77.0.2:/elsewhere')).toContain(
      'dhcp-option=option:root-path,"10.77.0.2:/elsewhere"\n',
    );
    expect(otherDnsmasq(undefined)).not.toMatch(/root-path|boot/);
  });
});
