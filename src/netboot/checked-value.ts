import { MkrootError } from '../errors.js';

/** One label of a host name (RFC 1123): at most 63 letters, digits and inner hyphens, not digits alone. */
export const hostLabelPattern = /^(?!\d+$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** A host name of one or more labels, at most 64 characters (what Linux can set). */
export const hostNamePattern =
  /^(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** Four decimal octets without leading zeros. */
export const ipv4Pattern = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

const plainPathPattern = /^\/?[A-Za-z0-9._/+=@~-]+$/;

/**
 * A value that may go into a file, or an error that says which value does not fit where.
 * @param place the kind of file, with its article: `a dhcpd configuration`.
 */
export function checkedValue(
  place: string,
  what: string,
  value: string,
  pattern: RegExp,
  why: string,
): string {
  if (pattern.test(value)) return value;
  throw new MkrootError(`Cannot write ${what} "${printable(value)}" to ${place}: ${why}`);
}

/** A node's name: one label, since the domain is added where it is wanted. */
export function hostLabel(place: string, value: string): string {
  return checkedValue(
    place,
    'the host name',
    value,
    hostLabelPattern,
    'it has to be letters, digits and inner hyphens, at most 63, and not digits alone',
  );
}

/** An IPv4 address. */
export function ipv4Address(place: string, what: string, value: string): string {
  return checkedValue(place, what, value, ipv4Pattern, 'it is no IPv4 address');
}

/** A DNS domain without a leading or trailing dot. */
export function domainName(place: string, value: string): string {
  return checkedValue(place, 'the domain', value, hostNamePattern, 'it is no domain name');
}

/** A group of nodes: letters, digits, hyphens and underscores. `all` is every node and always there. */
export function groupName(place: string, value: string): string {
  if (value === 'all' || value === 'ungrouped') {
    throw new MkrootError(`Cannot write the group "${value}" to ${place}: the name has a meaning of its own`);
  }
  return checkedValue(
    place,
    'the group',
    value,
    /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
    'it has to be letters, digits, hyphens and underscores',
  );
}

/** A network interface of the server; ifname(8) allows 15 characters. */
export function interfaceName(place: string, value: string): string {
  return checkedValue(place, 'the interface', value, /^[A-Za-z0-9._-]{1,15}$/, 'it is no interface name');
}

/** A path, of characters that no boot loader and no configuration language reads as anything else. */
export function plainPath(place: string, value: string): string {
  return checkedValue(
    place,
    'the path',
    value,
    plainPathPattern,
    'only letters, digits and . _ / + = @ ~ - can be in it',
  );
}

/** A path below the TFTP root or an HTTP or TFTP URL. */
export function bootFile(place: string, value: string): string {
  return checkedValue(
    place,
    'the boot file',
    value,
    /^((https?|tftp):\/\/[A-Za-z0-9.:-]+)?[A-Za-z0-9._/+=@~-]+$/,
    'only letters, digits and . _ / + = @ ~ - can be in it, and http:// or tftp:// before it',
  );
}

/** A number of seconds, bytes or the like. */
export function wholeNumber(place: string, what: string, value: number, maximum = 2 ** 31): string {
  if (Number.isInteger(value) && value >= 0 && value <= maximum) return String(value);
  throw new MkrootError(
    `Cannot write ${what} "${value}" to ${place}: it is no whole number up to ${maximum}`,
  );
}

function printable(value: string): string {
  return value.replaceAll(
    /[\x00-\x1f\x7f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
