/** What a line of dnsmasq's log says about a machine. */
export type DhcpLogEvent =
  /** A lease was given; `firmware` if it was the machine's firmware (or iPXE) that asked. */
  | { readonly kind: 'lease'; readonly mac: string; readonly ip: string; readonly firmware?: 'bios' | 'uefi' }
  /** A file went out over TFTP, whole. */
  | { readonly kind: 'file'; readonly ip: string; readonly path: string };

/** Transactions whose vendor class is remembered until their lease is given. */
const REMEMBERED = 4096;

/**
 * Reader of dnsmasq's log (dnsmasq 2.80 and later, `--log-dhcp --log-facility=-`). With `--log-dhcp` each line has the
 * number of its transaction, by which the vendor class of a client (RFC 4578: PXEClient:Arch:00007:...) is known when its
 * lease is given.
 *
 * A client that closes the connection on the last block makes dnsmasq write "failed sending": PXELINUX does so when a
 * file is an exact multiple of the block size. "file close received" just before tells it from a real failure.
 */
export class DhcpLog {
  readonly #classes = new Map<string, 'bios' | 'uefi'>();
  #closedBy: string | undefined;

  read(line: string): DhcpLogEvent | undefined {
    const vendor = /: (\d+) vendor class: PXEClient:Arch:(\d{5})/.exec(line);
    if (vendor !== null) {
      const [, transaction = '', architecture] = vendor;
      this.#classes.set(transaction, architecture === '00000' ? 'bios' : 'uefi');
      for (const oldest of this.#classes.keys()) {
        if (this.#classes.size <= REMEMBERED) break;
        this.#classes.delete(oldest);
      }
      return undefined;
    }
    const lease = /: (\d+) DHCPACK\(\S+\) (\d+\.\d+\.\d+\.\d+) ([0-9a-f:]{17})( |$)/.exec(line);
    if (lease !== null) {
      const [, transaction = '', ip = '', mac = ''] = lease;
      const firmware = this.#classes.get(transaction);
      this.#classes.delete(transaction);
      return { kind: 'lease', mac, ip, ...(firmware === undefined ? {} : { firmware }) };
    }
    const closed = /error 0 .*received from (\d+\.\d+\.\d+\.\d+)/.exec(line);
    if (closed !== null) {
      this.#closedBy = closed[1];
      return undefined;
    }
    const sent = /(?:(sent)|failed sending) (\S.*) to (\d+\.\d+\.\d+\.\d+)$/.exec(line.trimEnd());
    if (sent === null) return undefined;
    const [, whole, path = '', ip = ''] = sent;
    const closedByClient = this.#closedBy === ip;
    this.#closedBy = undefined;
    return whole !== undefined || closedByClient ? { kind: 'file', ip, path } : undefined;
  }
}
