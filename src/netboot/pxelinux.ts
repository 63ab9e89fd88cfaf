import { MkrootError } from '../errors.js';
import type { BootMenu } from './boot-menu.js';
import { ipv4Pattern } from './checked-value.js';
import { macBytes } from './kernel-command-line.js';

/** A kernel that pxelinux can boot. */
export interface PxelinuxEntry {
  /** A word. */
  readonly label: string;
  /** For people. */
  readonly title?: string;
  /** Path of the kernel, relative to the TFTP root. */
  readonly kernel: string;
  /** Paths of the initrds; they are loaded one after the other, and the kernel unpacks them in that order. */
  readonly initrds: readonly string[];
  /** The kernel command line, by renderKernelCommandLine. */
  readonly commandLine: string;
  /** Lets pxelinux append BOOTIF=01-MAC (IPAPPEND 2), so that /init takes the device that firmware booted from. Default true. */
  readonly appendBootDevice?: boolean;
}

/** Leaves the machine to its firmware, which goes on to the next boot device (LOCALBOOT 0). */
export interface PxelinuxLocalBoot {
  readonly label: string;
  readonly title?: string;
  readonly localBoot: true;
}

/** A pxelinux configuration file (syslinux wiki, "Config" and "PXELINUX"). */
export interface PxelinuxConfiguration {
  readonly entries: readonly (PxelinuxEntry | PxelinuxLocalBoot)[];
  /** Label that is booted; the first entry by default. */
  readonly defaultLabel?: string;
  /** Tenths of a second before the default boots; 0 or absent boots at once, without a prompt. */
  readonly timeout?: number;
  /** Serial port for boot loader messages: number and baud rate. It has to be the first directive of the file. */
  readonly serial?: { readonly port: number; readonly baud: number };
}

function word(what: string, value: string): string {
  if (!/^[!-~]+$/.test(value)) {
    throw new MkrootError(`Cannot write ${what} "${value}" to a pxelinux file: it has to be one word`);
  }
  return value;
}

function file(value: string): string {
  if (value.includes(',')) {
    throw new MkrootError(
      `Cannot write the path "${value}" to a pxelinux file: INITRD separates its files by commas`,
    );
  }
  return word('the path', value);
}

/** KERNEL guesses by the name what a file is; these endings are no Linux kernels to it. */
const misleadingKernelName = /\.(0|bin|bs|bss|c32|cbt|com|img)$/;

function kernelLines({ kernel, initrds, commandLine, appendBootDevice }: PxelinuxEntry): string[] {
  // A lone hyphen means: no arguments at all.
  if (commandLine === '-')
    throw new MkrootError('Cannot write "-" to a pxelinux file as a whole command line');
  return [
    `  ${misleadingKernelName.test(kernel) ? 'LINUX' : 'KERNEL'} ${file(kernel)}`,
    ...(initrds.length === 0 ? [] : [`  INITRD ${initrds.map(file).join(',')}`]),
    ...(commandLine === '' ? [] : [`  APPEND ${text('the command line', commandLine)}`]),
    ...(appendBootDevice === false ? [] : ['  IPAPPEND 2']),
  ];
}

function text(what: string, value: string): string {
  if (/[\x00-\x1f\x7f]/.test(value)) {
    throw new MkrootError(
      `Cannot write ${what} "${value}" to a pxelinux file: it has a line end or control character`,
    );
  }
  return value;
}

/** The configuration file of a machine's menu. */
export function renderPxelinuxMenu({ entries, defaultLabel, timeout, serial }: BootMenu): string {
  return renderPxelinux({
    entries: entries.map((entry) => {
      const { label, title } = entry;
      if (entry.kind === 'local') return { label, title, localBoot: true };
      if (entry.kind === 'memtest') {
        return { label, title, kernel: entry.bios, initrds: [], commandLine: '', appendBootDevice: false };
      }
      return {
        label,
        title,
        kernel: entry.kernel,
        initrds: entry.initrds,
        commandLine: entry.commandLine,
      };
    }),
    defaultLabel,
    timeout: timeout * 10,
    ...(serial === undefined ? {} : { serial }),
  });
}

/** The text of a configuration file. */
export function renderPxelinux({ entries, defaultLabel, timeout, serial }: PxelinuxConfiguration): string {
  const first = entries[0];
  if (first === undefined) throw new MkrootError('Cannot write a pxelinux file: there is nothing to boot');
  const chosen = defaultLabel ?? first.label;
  if (!entries.some((entry) => entry.label === chosen)) {
    throw new MkrootError(`Cannot make "${chosen}" the default of a pxelinux file: there is no such label`);
  }
  const lines = [
    ...(serial === undefined ? [] : [`SERIAL ${serial.port} ${serial.baud}`]),
    `DEFAULT ${word('the label', chosen)}`,
    `PROMPT ${timeout === undefined || timeout === 0 ? 0 : 1}`,
    ...(timeout === undefined || timeout === 0 ? [] : [`TIMEOUT ${timeout}`]),
  ];
  for (const entry of entries) {
    lines.push('', `LABEL ${word('the label', entry.label)}`);
    if (entry.title !== undefined) lines.push(`  MENU LABEL ${text('the title', entry.title)}`);
    lines.push(...('localBoot' in entry ? ['  LOCALBOOT 0'] : kernelLines(entry)));
  }
  return `${lines.join('\n')}\n`;
}

/** Where pxelinux looks first: `pxelinux.cfg/01-aa-bb-cc-dd-ee-ff`, 01 being the hardware type Ethernet. */
export function pxelinuxPathForMac(mac: string): string {
  return `pxelinux.cfg/01-${macBytes(mac).join('-')}`;
}

/** Where pxelinux looks next: the IPv4 address as eight upper-case hexadecimal digits. */
export function pxelinuxPathForAddress(address: string): string {
  return `pxelinux.cfg/${hexadecimalAddress(address)}`;
}

/** An IPv4 address as boot loaders put it into file names: 10.77.0.254 is 0A4D00FE. */
export function hexadecimalAddress(address: string): string {
  if (!ipv4Pattern.test(address)) {
    throw new MkrootError(`Cannot name a boot file after "${address}": it is no IPv4 address`);
  }
  return address
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0').toUpperCase())
    .join('');
}

/** Where pxelinux looks last. */
export const pxelinuxDefaultPath = 'pxelinux.cfg/default';
