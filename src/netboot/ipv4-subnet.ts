import { MkrootError } from '../errors.js';
import { ipv4Pattern } from './checked-value.js';

/** An IPv4 network with its numbers worked out. */
export interface Ipv4Subnet {
  /** `10.1.0.0/16`, as it was given. */
  readonly text: string;
  /** `10.1.0.0`. */
  readonly network: string;
  readonly prefixLength: number;
  /** `255.255.0.0`. */
  readonly netmask: string;
  readonly broadcast: string;
  contains(address: string): boolean;
}

/** Reads `network/prefix length`. Throws on host bits: `10.1.0.7/16` is mistyped more often than meant. */
export function ipv4Subnet(text: string): Ipv4Subnet {
  const [address = '', length = '', ...rest] = text.split('/');
  const prefixLength = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  if (!ipv4Pattern.test(address) || !(prefixLength >= 1 && prefixLength <= 30) || rest.length > 0) {
    throw new MkrootError(`Cannot use the subnet "${text}": it is not of the form 10.1.0.0/16`);
  }
  const mask = (0xffffffff << (32 - prefixLength)) >>> 0;
  const network = addressNumber(address);
  if ((network & mask) >>> 0 !== network) {
    throw new MkrootError(`Cannot use the subnet "${text}": it has bits beyond its prefix length`, {
      hint: `Write ${addressText((network & mask) >>> 0)}/${prefixLength}.`,
    });
  }
  return {
    text,
    network: address,
    prefixLength,
    netmask: addressText(mask),
    broadcast: addressText((network | ~mask) >>> 0),
    contains: (other) => (addressNumber(other) & mask) >>> 0 === network,
  };
}

/** The address as a number; by it addresses sort as people expect. Throws on what is none. */
export function addressNumber(address: string): number {
  if (!ipv4Pattern.test(address)) {
    throw new MkrootError(`Cannot use the address "${address}": it is no IPv4 address`);
  }
  const [a, b, c, d] = address.split('.') as [string, string, string, string];
  return ((Number(a) * 256 + Number(b)) * 256 + Number(c)) * 256 + Number(d);
}

function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
