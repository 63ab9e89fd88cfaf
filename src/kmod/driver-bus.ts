import type { ModuleIndex } from './module-file.js';
import { normalizeName } from './module-name.js';

/** Drivers of devices on USB: network cards, disks. */
const ON_USB = /(^|\/)drivers\/(net\/usb|usb\/storage)\//;

/**
 * The modules that make the bus on which the devices of a driver appear, where that is not part of every kernel and no module depends on
 * it, so that modules.dep does not name it: `virtio_pci` (a module in Debian 12), and for USB the controllers of PCI from USB 2 on (modules in
 * Debian). Boards without PCI have controllers of their own, which have to be named.
 */
export function busModulesOf(driver: string, modules: Pick<ModuleIndex, 'find'>): readonly string[] {
  const name = normalizeName(driver);
  if (/^virtio_(?:net|blk|scsi)$/.test(name)) return ['virtio_pci'];
  return ON_USB.test(modules.find(name)?.relative ?? '') ? ['xhci_pci', 'ehci_pci'] : [];
}
