import type { Accelerator } from './accelerator.js';

/** The NIC that QEMU emulates, by the name of its Linux driver. */
export type EmulatedNic = 'e1000' | 'virtio_net';

/** How the node reaches its servers. */
export type NodeNetwork =
  /** A tap device that exists where QEMU runs. */
  | { readonly kind: 'tap'; readonly device: string }
  /** QEMU's own network: DHCP and TFTP by QEMU, no privileges. */
  | {
      readonly kind: 'user';
      readonly tftpRoot: string;
      readonly bootFile: string;
      readonly hostname: string;
    };

/** A diskless PC with BIOS that boots from its NIC. */
export interface Machine {
  readonly accelerator: Accelerator;
  readonly nic: EmulatedNic;
  /** Six bytes in hex with colons. */
  readonly mac: string;
  readonly network: NodeNetwork;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  /** File that gets what the guest writes to its second serial port, /dev/ttyS1. */
  readonly secondSerial: string;
}

const DEVICE_OF: Readonly<Record<EmulatedNic, string>> = {
  e1000: 'e1000',
  virtio_net: 'virtio-net-pci',
};

/**
 * The command that runs the machine (QEMU 5 and later; qemu-system(1)). The first serial port, where the kernel's console
 * is, is QEMU's standard output. `graphics=off` makes SeaBIOS repeat on it what it, iPXE and PXELINUX print.
 */
export function qemuArgv(machine: Machine): [string, ...string[]] {
  const { accelerator, nic, mac, memory, cpus, secondSerial } = machine;
  return [
    'qemu-system-x86_64',
    ...['-machine', 'q35,graphics=off'],
    ...['-accel', accelerator],
    ...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
    ...['-smp', String(cpus)],
    ...['-m', String(memory)],
    '-nodefaults',
    ...['-display', 'none'],
    '-no-reboot',
    ...['-serial', 'stdio'],
    ...['-chardev', `file,id=check,path=${escapeComma(secondSerial)}`],
    ...['-serial', 'chardev:check'],
    ...['-netdev', netdev(machine.network)],
    ...['-device', `${DEVICE_OF[nic]},netdev=boot,mac=${mac}`],
    ...['-device', 'virtio-rng-pci'],
    ...['-boot', 'n'],
  ];
}

function netdev(network: NodeNetwork): string {
  if (network.kind === 'tap') {
    return `tap,id=boot,ifname=${network.device},script=no,downscript=no`;
  }
  const { tftpRoot, bootFile, hostname } = network;
  return `user,id=boot,hostname=${hostname},tftp=${escapeComma(tftpRoot)},bootfile=${bootFile}`;
}

/** In QEMU's key=value lists a comma in a value is written twice. */
function escapeComma(value: string): string {
  return value.replaceAll(',', ',,');
}
