import { randomBytes } from 'node:crypto';
import type { Clock } from '../../ports/clock.js';
import type { Network } from '../../ports/network.js';
import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpOffer,
  dhcpDiscover,
  parseDhcpOffer,
} from '../../serving/dhcp-discover.js';

/** How often it is asked; a datagram may get lost. */
const ASK_AT_MS = [0, 1_000, 2_000] as const;

/** How long answers are waited for: a server may take three seconds to see whether an address is free. */
const WAIT_MS = 5_000;

/**
 * Asks whether somebody answers DHCP on the network that has our address `address`. Asks as a machine that nobody knows and
 * as some of the nodes: another server may answer known machines alone.
 * @returns what was offered, each server once.
 */
export async function findDhcpServers(
  { network, clock }: { readonly network: Network; readonly clock: Clock },
  address: string,
  macs: readonly string[],
  signal: AbortSignal,
): Promise<readonly DhcpOffer[]> {
  const found = new Map<string, DhcpOffer>();
  const unknown = Buffer.concat([Buffer.of(0x02), randomBytes(5)]);
  const clients = [unknown, ...macs.map((mac) => Buffer.from(mac.replaceAll(':', ''), 'hex'))];
  const messages = clients.map((mac) => ({ mac, transaction: randomBytes(4).readUInt32BE() }));
  const transactions = new Set(messages.map(({ transaction }) => transaction));
  const socket = await network.broadcast({
    address,
    localPort: DHCP_CLIENT_PORT,
    remotePort: DHCP_SERVER_PORT,
    onMessage: (message, from) => {
      const offer = parseDhcpOffer(message, from, transactions);
      if (offer !== undefined && !found.has(offer.server)) found.set(offer.server, offer);
    },
  });
  try {
    const started = clock.monotonicMs();
    let asked = 0;
    while (found.size === 0 && clock.monotonicMs() - started < WAIT_MS) {
      if (clock.monotonicMs() - started >= (ASK_AT_MS[asked] ?? Number.POSITIVE_INFINITY)) {
        asked += 1;
        for (const { mac, transaction } of messages) socket.send(dhcpDiscover(transaction, mac));
      }
      await clock.sleep(50, signal);
    }
  } finally {
    socket.close();
  }
  return [...found.values()];
}
