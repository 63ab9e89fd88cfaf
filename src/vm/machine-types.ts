import { ExitCode, MkrootError } from '../errors.js';
import type { EmulatedNic } from './emulated-nic.js';

/** What QEMU emulates so that images of an architecture can boot. */
export interface MachineType {
  /** The emulator, and the Debian package that brings it. */
  readonly program: string;
  readonly package: string;
  /** Values of `-machine`, and of `-cpu` where QEMU translates the guest's instructions. */
  readonly machine: string;
  readonly cpu: string;
  /** What the kernel calls the first serial port, with its speed: the console. */
  readonly console: string;
  /** How a second serial port is had, and its device in the guest: the self-check's report. */
  readonly secondSerial: readonly [option: string, device: string];
  readonly reportPort: string;
  /** Unless another one is asked for. */
  readonly nic: EmulatedNic;
  /** `pxe`: the firmware boots from the NIC. `direct`: QEMU loads kernel and initrd itself. */
  readonly start: 'pxe' | 'direct';
}

/** A PC with BIOS. SeaBIOS, iPXE and PXELINUX are what 32-bit and 64-bit kernels have in common. */
const PC: MachineType = {
  program: 'qemu-system-x86_64',
  package: 'qemu-system-x86, with ipxe-qemu for its boot ROMs',
  // graphics=off makes SeaBIOS repeat on the serial port what it, iPXE and PXELINUX print.
  machine: 'q35,graphics=off',
  cpu: 'max',
  console: 'ttyS0,115200',
  secondSerial: ['-serial', 'chardev:check'],
  reportPort: '/dev/ttyS1',
  nic: 'e1000',
  start: 'pxe',
};

/** By the Debian names of architectures. */
const MACHINE_TYPES: Readonly<Record<string, MachineType>> = {
  amd64: PC,
  i386: PC,
  arm64: {
    program: 'qemu-system-aarch64',
    package: 'qemu-system-arm',
    machine: 'virt',
    // `max` checks pointers by a cipher that costs more than all the rest when it is emulated.
    cpu: 'cortex-a57',
    console: 'ttyAMA0,115200',
    // The board has one port for Linux; a PCI card is the first of the 8250 kind.
    secondSerial: ['-device', 'pci-serial,chardev=check'],
    reportPort: '/dev/ttyS0',
    nic: 'virtio_net',
    start: 'direct',
  },
};

/**
 * The machine that boots images of an architecture.
 * @throws MkrootError with exit code NotFound that names those that there is one for.
 */
export function machineTypeFor(architecture: string): MachineType {
  const found = Object.hasOwn(MACHINE_TYPES, architecture) ? MACHINE_TYPES[architecture] : undefined;
  if (found !== undefined) return found;
  throw new MkrootError(`Cannot make a boot test for "${architecture}": there is no machine for it`, {
    exitCode: ExitCode.NotFound,
    hint: `Boot tests are there for ${Object.keys(MACHINE_TYPES).join(', ')}.`,
  });
}

/** Whether a processor of one architecture runs guests of another by KVM. */
export function canUseKvm(guest: string, host: string): boolean {
  return guest === host || (guest === 'i386' && host === 'amd64');
}
