import { normalizeName } from './module-name.js';

/**
 * The module that makes the bus on which the devices of a driver appear, where that is not part of every kernel (Debian 12: `virtio_pci` is a
 * module) and no module depends on it, so that modules.dep does not name it.
 */
export function busModuleOf(driver: string): string | undefined {
  return /^virtio_(?:net|blk|scsi)$/.test(normalizeName(driver)) ? 'virtio_pci' : undefined;
}
