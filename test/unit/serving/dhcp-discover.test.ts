import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dhcpDiscover, parseDhcpOffer } from '../../../src/serving/dhcp-discover.js';

const MAC = Buffer.from('525400000001', 'hex');
const SERVER = [53, 1, 2, 54, 4, 10, 1, 0, 9, 255];

/** An answer to transaction 7. */
function offer(options: readonly number[], { op = 2, given = [10, 1, 200, 5] } = {}): Buffer {
  const head = Buffer.from(dhcpDiscover(7, MAC).subarray(0, 240));
  head[0] = op;
  head.set(given, 16);
  return Buffer.from([...head, ...options]);
}

const read = (message: Uint8Array) => parseDhcpOffer(message, '10.1.0.77', new Set([7]));

describe('a search for DHCP servers', () => {
  it('asks as RFC 2131 and RFC 4578 have it: a broadcast answer, the MAC, type DISCOVER, a PXE client', () => {
    const message = Buffer.from(dhcpDiscover(0x01020304, MAC));
    expect([...message.subarray(0, 12)]).toEqual([1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0]);
    expect(message.subarray(28, 34)).toEqual(MAC);
    expect([...message.subarray(236, 243)]).toEqual([0x63, 0x82, 0x53, 0x63, 53, 1, 1]);
    expect(message.toString('latin1')).toContain('PXEClient:Arch:00000');
    expect(message.at(-1)).toBe(255);
  });

  it('knows an offer of an address, one of boot files only, and a server that does not name itself', () => {
    expect(read(offer(SERVER))).toEqual({ server: '10.1.0.9', address: '10.1.200.5' });
    expect(read(offer([0, 0, ...SERVER], { given: [0, 0, 0, 0] }))).toEqual({
      server: '10.1.0.9',
      address: undefined,
    });
    expect(read(offer([53, 1, 2, 255]))).toEqual({ server: '10.1.0.77', address: '10.1.200.5' });
  });

  it('takes nothing else for one: requests, other transactions and types, what is cut off', () => {
    expect(read(offer(SERVER, { op: 1 }))).toBeUndefined();
    expect(parseDhcpOffer(offer(SERVER), 'x', new Set([8]))).toBeUndefined();
    expect(read(offer([53, 1, 6, 255]))).toBeUndefined();
    expect(read(offer([]))).toBeUndefined();
    expect(read(offer(SERVER).subarray(0, 239))).toBeUndefined();
  });

  it('survives whatever comes to the port', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 400 }), (options, bytes) => {
        read(offer([...options]));
        read(bytes);
      }),
    );
  });
});
