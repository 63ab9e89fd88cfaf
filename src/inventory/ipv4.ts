/** An IPv4 subnet; addresses are unsigned 32-bit numbers. */
export interface Subnet {
  readonly first: number;
  readonly last: number;
  /** 0 to 32. */
  readonly prefix: number;
}

/** The number of an address in dotted decimal, or undefined. Leading zeros are refused: some programs read them as octal. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** Dotted decimal. */
export function ipv4Text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** `10.1.0.0/16`, with a prefix from 1 to 30; undefined if it is none, or if the address has bits behind the prefix. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, base = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const first = parseIpv4(base);
  const prefix = Number(length);
  if (first === undefined || prefix > 30 || prefix < 1) return undefined;
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, last: first + size - 1, prefix } : undefined;
}

/** The subnet that holds an address: `10.1.0.0/16` for `10.1.2.3/16`. */
export function subnetOf(text: string): string | undefined {
  const [, base = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const address = parseIpv4(base);
  const prefix = Number(length);
  if (address === undefined || prefix > 30 || prefix < 1) return undefined;
  return `${ipv4Text(address - (address % 2 ** (32 - prefix)))}/${prefix}`;
}

/** 255.255.0.0 for 16. */
export function netmaskText(prefix: number): string {
  return ipv4Text(2 ** 32 - 2 ** (32 - prefix));
}

/** Whether an address lies in a subnet, its first and last included. */
export function contains(
  { first, last }: { readonly first: number; readonly last: number },
  address: number,
): boolean {
  return address >= first && address <= last;
}
