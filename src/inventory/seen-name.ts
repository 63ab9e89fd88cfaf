import { HOSTNAME } from './inventory-schema.js';

/** The host name that a machine told, in lower case and without its domain; nothing if it is none. */
export function seenName(text: string): { readonly hostname?: string } {
  const hostname = text.replace(/\..*$/s, '').toLowerCase();
  return HOSTNAME.test(hostname) && !/^[\d.]+$/.test(text) ? { hostname } : {};
}
