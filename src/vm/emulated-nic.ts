/** The NIC that QEMU emulates, by the name of its Linux driver. */
export type EmulatedNic = 'e1000' | 'virtio_net';

/** The one that the UEFI firmware OVMF has a driver for; others bring theirs in a ROM. */
export const UEFI_NIC: EmulatedNic = 'virtio_net';

const DEVICE_OF: Readonly<Record<EmulatedNic, string>> = {
  e1000: 'e1000',
  virtio_net: 'virtio-net-pci',
};

/** QEMU's own name for the NIC, for `-device`. */
export function nicDevice(nic: EmulatedNic): string {
  return DEVICE_OF[nic];
}
