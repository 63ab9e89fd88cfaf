import { describe, expect, it } from 'vitest';
import { otherDnsmasq } from '../../../src/vm/lab-config.js';
import { LAB, OTHER_SERVER, OTHER_SERVER_JOINS, OTHER_SERVER_RISES } from '../../../src/vm/lab-network.js';

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
