import { ExitCode, MkrootError } from '../../../src/errors.js';
import { decodeInventory } from '../../../src/inventory/decode-inventory.js';
import type { Inventory } from '../../../src/inventory/inventory.js';

/** A cluster that everything else in an inventory can be added to. */
export const CLUSTER = `cluster:
  image: compute
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16, range: 10.1.9.1-10.1.9.254, gateway: 10.1.0.254, mtu: 9000 }
groups:
  compute: {}
`;

/** Decodes an inventory; `files` are its CSV files by name. */
export function decode(text: string, files: Readonly<Record<string, string>> = {}): Inventory {
  return decodeInventory(text, {
    file: 'nodes.yaml',
    images: ['compute', 'compute-bookworm', 'storage'],
    overlays: ['cluster', 'gpu'],
    overlayExists: (name) => ['cluster', 'gpu'].includes(name),
    readCsv: (name) => files[name],
  });
}

/** The problems of an inventory, one per line. */
export function problems(text: string, files?: Readonly<Record<string, string>>): string[] {
  try {
    decode(text, files);
  } catch (error) {
    if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) {
      return error.details.map((line) => line.trim());
    }
    throw error;
  }
  return [];
}
