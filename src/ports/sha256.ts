import * as crypto from 'node:crypto';

/**
 * The sha256 of all of some bytes, or of a text in UTF-8. One call takes half the time of a Hash object; Node has it since 20.12.
 */
export function sha256(data: Uint8Array | string, encoding: 'hex' | 'base64url' = 'hex'): string {
  return typeof crypto.hash === 'function'
    ? crypto.hash('sha256', data, encoding)
    : crypto.createHash('sha256').update(data).digest(encoding);
}
