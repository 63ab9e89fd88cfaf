import type { Accelerator } from './accelerator.js';
import { type EmulatedNic, nicDevice } from './emulated-nic.js';
import type { MachineType } from './machine-types.js';
import type { UefiFiles } from './uefi.js';

/** How the node reaches its servers. */
export type NodeNetwork =
  /** A tap device that exists where QEMU runs. */
  | { readonly kind: 'tap'; readonly device: string }
  /** The same behind a switch that tags frames (qemu/vlan-switch): its TCP ports on 127.0.0.1. */
  | {
      readonly kind: 'tagged';
      readonly device: string;
      readonly untaggedPort: number;
      readonly taggedPort: number;
    }
  /** QEMU's own network: DHCP and TFTP by QEMU, no privileges. */
  | {
      readonly kind: 'user';
      readonly tftpRoot: string;
      readonly bootFile: string;
      readonly hostname: string;
    };

/** A diskless machine that boots from its NIC, or that QEMU loads kernel and initrd into. */
export interface Machine {
  readonly type: MachineType;
  readonly accelerator: Accelerator;
  readonly nic: EmulatedNic;
  /** Six bytes in hex with colons. */
  readonly mac: string;
  readonly network: NodeNetwork;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  /** File that gets what the guest writes to its second serial port. */
  readonly secondSerial: string;
  /** Files that are disks of the machine, in the order in which it finds them. */
  readonly disks?: readonly string[];
  /** Further NICs, in slots before or behind that of the NIC that the machine boots from. */
  readonly otherNics?: readonly OtherNic[];
  /** UEFI firmware that boots from the NIC; without it a BIOS does. */
  readonly uefi?: UefiFiles;
  /** UEFI boots over HTTP, not by PXE. */
  readonly uefiHttpBoot?: boolean;
  /** Loaded by QEMU itself; without it the firmware boots from the NIC. */
  readonly direct?: { readonly kernel: string; readonly initrd: string; readonly commandLine: string };
  /** Date of the hardware clock at power-on, YYYY-MM-DD; the host's time without it. */
  readonly clock?: string;
  /** QEMU's monitor listens on standard input, between two {@link MONITOR_SWITCH}. */
  readonly monitor?: boolean;
}

/** A NIC that the machine does not boot from. */
export interface OtherNic {
  readonly mac: string;
  /** Tap device. */
  readonly tap: string;
  readonly slot: 'before' | 'behind';
}

/** Name of the boot NIC's network in QEMU's monitor. */
export const BOOT_NETWORK = 'boot';

/** What turns standard input from the serial port to the monitor and back: Ctrl-A c. */
export const MONITOR_SWITCH = '\u0001c';

/**
 * The command that runs the machine (QEMU 5 and later; qemu-system(1)). The first serial port, where the kernel's console
 * is, is QEMU's standard output.
 */
export function qemuArgv(machine: Machine): [string, ...string[]] {
  const { type, accelerator, memory, cpus, secondSerial } = machine;
  return [
    type.program,
    ...['-machine', type.machine],
    ...['-accel', accelerator],
    ...['-cpu', accelerator === 'kvm' ? 'host' : type.cpu],
    ...['-smp', String(cpus)],
    ...['-m', String(memory)],
    ...(machine.clock === undefined ? [] : ['-rtc', `base=${machine.clock}`]),
    '-nodefaults',
    ...['-display', 'none'],
    '-no-reboot',
    ...['-serial', machine.monitor ? 'mon:stdio' : 'stdio'],
    ...['-chardev', `file,id=check,path=${escapeComma(secondSerial)}`],
    ...type.secondSerial,
    ...(machine.uefi === undefined ? [] : flash(machine.uefi)),
    ...(machine.uefiHttpBoot ? WITHOUT_PXE : []),
    ...otherNics(machine, 'before'),
    ...netdevs(machine.network).flatMap((netdev) => ['-netdev', netdev]),
    ...['-device', bootNic(machine)],
    ...otherNics(machine, 'behind'),
    ...['-device', 'virtio-rng-pci'],
    ...(machine.disks ?? []).flatMap((file, index) => [
      ...['-drive', `file=${escapeComma(file)},format=raw,if=none,id=disk${index},cache=unsafe`],
      ...['-device', `virtio-blk-pci,drive=disk${index}`],
    ]),
    ...(machine.direct === undefined
      ? machine.uefi === undefined
        ? ['-boot', 'n']
        : []
      : [
          ...['-kernel', machine.direct.kernel],
          ...['-initrd', machine.direct.initrd],
          ...['-append', machine.direct.commandLine],
        ]),
  ];
}

/** OVMF finds its own driver for a virtio card without a ROM, and boots from the device that has a boot index. */
function bootNic({ nic, mac, otherNics: others, uefi }: Machine): string {
  return [
    `${nicDevice(nic)},netdev=${BOOT_NETWORK},mac=${mac}`,
    ...(uefi === undefined ? [] : ['romfile=']),
    ...(uefi === undefined && others === undefined ? [] : ['bootindex=1']),
  ].join(',');
}

/** OVMF (since 2021) tries HTTP after PXE over IPv4 and IPv6, and leaves out what it is told to. */
const WITHOUT_PXE: readonly string[] = [4, 6].flatMap((version) => [
  '-fw_cfg',
  `name=opt/org.tianocore/IPv${version}PXESupport,string=n`,
]);

/** The two parts of a UEFI firmware as flash memory: its code, and the variables that it writes. */
function flash({ code, variables }: UefiFiles): string[] {
  return [
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${escapeComma(code)}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${escapeComma(variables)}`],
  ];
}

function otherNics({ nic, otherNics: others = [] }: Machine, slot: OtherNic['slot']): string[] {
  return others
    .filter((other) => other.slot === slot)
    .flatMap(({ mac, tap: device }) => [
      ...['-netdev', tap(device, device)],
      ...['-device', `${nicDevice(nic)},netdev=${device},mac=${mac}`],
    ]);
}

function netdevs(network: NodeNetwork): string[] {
  switch (network.kind) {
    case 'tap':
      return [tap(BOOT_NETWORK, network.device)];
    case 'tagged':
      return [
        // QEMU itself joins the tap and the switch's untagged port.
        tap('wire', network.device),
        `socket,id=untagged,connect=127.0.0.1:${network.untaggedPort}`,
        'hubport,id=hub-wire,hubid=1,netdev=wire',
        'hubport,id=hub-untagged,hubid=1,netdev=untagged',
        `socket,id=${BOOT_NETWORK},connect=127.0.0.1:${network.taggedPort}`,
      ];
    case 'user': {
      const { tftpRoot, bootFile, hostname } = network;
      return [
        `user,id=${BOOT_NETWORK},hostname=${hostname},tftp=${escapeComma(tftpRoot)},bootfile=${bootFile}`,
      ];
    }
  }
}

function tap(id: string, device: string): string {
  return `tap,id=${id},ifname=${device},script=no,downscript=no`;
}

/** In QEMU's key=value lists a comma in a value is written twice. */
function escapeComma(value: string): string {
  return value.replaceAll(',', ',,');
}
