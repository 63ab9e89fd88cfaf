/** RFC 2131: a server listens on 67, a client on 68. */
export const DHCP_SERVER_PORT = 67;
/** See {@link DHCP_SERVER_PORT}. */
export const DHCP_CLIENT_PORT = 68;

const MAGIC_COOKIE = [0x63, 0x82, 0x53, 0x63] as const;
const [DISCOVER, OFFER] = [1, 2];

/** Who offered something. */
export interface DhcpOffer {
  /** Address of the server. */
  readonly server: string;
  /** The address that it would give; undefined if it has boot files only (proxyDHCP). */
  readonly address: string | undefined;
}

/**
 * A DHCPDISCOVER (RFC 2131) as PXE firmware sends it (RFC 4578), so that servers of addresses and of boot files both answer,
 * to everybody. It takes no lease: no request follows.
 * @param mac six bytes.
 */
export function dhcpDiscover(transaction: number, mac: Uint8Array): Uint8Array {
  const head = Buffer.alloc(236);
  head.set([1, 1, 6, 0]); // a request, Ethernet, six bytes, no relay
  head.writeUInt32BE(transaction, 4);
  head.writeUInt16BE(0x8000, 10); // answer by broadcast
  head.set(mac, 28);
  const option = (code: number, bytes: ArrayLike<number>) => [code, bytes.length, ...Array.from(bytes)];
  return Buffer.from([
    ...head,
    ...MAGIC_COOKIE,
    ...option(53, [DISCOVER]),
    ...option(55, [1, 3, 43, 60, 66, 67]),
    ...option(60, Buffer.from('PXEClient:Arch:00000:UNDI:002001')),
    ...option(93, [0, 0]),
    ...option(94, [1, 2, 1]),
    ...option(97, [0, ...Buffer.alloc(16, 0x6d)]),
    255,
  ]);
}

/**
 * Reads an answer to one of our transactions; undefined for anything else that comes to the port.
 * @param from the sender's address, for servers that do not name themselves.
 */
export function parseDhcpOffer(
  message: Uint8Array,
  from: string,
  transactions: ReadonlySet<number>,
): DhcpOffer | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < 240 || bytes[0] !== 2 || !transactions.has(bytes.readUInt32BE(4))) return undefined;
  if (!MAGIC_COOKIE.every((byte, index) => bytes[236 + index] === byte)) return undefined;
  const options = optionsOf(bytes.subarray(240));
  if (options.get(53)?.[0] !== OFFER) return undefined;
  const server = options.get(54);
  const given = dotted(bytes.subarray(16, 20));
  return {
    server: server?.length === 4 ? dotted(server) : from,
    address: given === '0.0.0.0' ? undefined : given,
  };
}

function optionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length && bytes[at] !== 255; ) {
    if (bytes[at] === 0) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    found.set(bytes[at]!, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}

function dotted(bytes: Uint8Array): string {
  return [...bytes].join('.');
}
