/**
 * A MAC address in lower case with colons, or undefined if it is none. Accepted are pairs with colons or hyphens
 * (`52-54-00-12-34-56`), Cisco's dots (`5254.0012.3456`), plain digits, and single digits as lease files may have them
 * (`0:1:2:a:b:c`). A group address (RFC 7042, lowest bit of the first byte) is no address of a device.
 */
export function normalizeMac(text: string): string | undefined {
  const parts = /^[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){4}$/i.test(text)
    ? text.split(/[:-]/)
    : /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$|^[0-9a-f]{12}$/i.test(text)
      ? text.replaceAll('.', '').match(/../g)!
      : [];
  if (parts.length !== 6) return undefined;
  const bytes = parts.map((part) => part.padStart(2, '0').toLowerCase());
  const unusable = bytes.every((byte) => byte === '00') || (Number.parseInt(bytes[0]!, 16) & 1) === 1;
  return unusable ? undefined : bytes.join(':');
}
