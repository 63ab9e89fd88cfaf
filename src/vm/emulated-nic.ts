/** The NIC that QEMU emulates, by the name of its Linux driver. */
export type EmulatedNic = 'e1000' | 'virtio_net';

const DEVICE_OF: Readonly<Record<EmulatedNic, string>> = {
  e1000: 'e1000',
  virtio_net: 'virtio-net-pci',
};

/** QEMU's own name for the NIC, for `-device`. */
export function nicDevice(nic: EmulatedNic): string {
  return DEVICE_OF[nic];
}
