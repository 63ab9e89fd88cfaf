import { MkrootError } from '../errors.js';
import { macBytes } from './kernel-command-line.js';

/** One thing that pxelinux can boot. */
export interface PxelinuxEntry {
  /** A word. */
  readonly label: string;
  /** Path of the kernel, relative to the TFTP root. */
  readonly kernel: string;
  /** Paths of the initrds; they are loaded one after the other, and the kernel unpacks them in that order. */
  readonly initrds: readonly string[];
  /** The kernel command line, by renderKernelCommandLine. */
  readonly commandLine: string;
  /** Lets pxelinux append BOOTIF=01-MAC (IPAPPEND 2), so that /init takes the device that firmware booted from. Default true. */
  readonly appendBootDevice?: boolean;
}

/** A pxelinux configuration file (syslinux wiki, "Config" and "PXELINUX"). */
export interface PxelinuxConfiguration {
  readonly entries: readonly PxelinuxEntry[];
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
    if (/[\r\n]/.test(entry.commandLine)) {
      throw new MkrootError(
        `Cannot write the entry "${entry.label}" to a pxelinux file: its command line has a line end`,
      );
    }
    lines.push(
      '',
      `LABEL ${word('the label', entry.label)}`,
      `  KERNEL ${file(entry.kernel)}`,
      ...(entry.initrds.length === 0 ? [] : [`  INITRD ${entry.initrds.map(file).join(',')}`]),
      ...(entry.commandLine === '' ? [] : [`  APPEND ${entry.commandLine}`]),
      ...(entry.appendBootDevice === false ? [] : ['  IPAPPEND 2']),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Where pxelinux looks first: `pxelinux.cfg/01-aa-bb-cc-dd-ee-ff`, 01 being the hardware type Ethernet. */
export function pxelinuxPathForMac(mac: string): string {
  return `pxelinux.cfg/01-${macBytes(mac).join('-')}`;
}

/** Where pxelinux looks next: the IPv4 address as eight upper-case hexadecimal digits. */
export function pxelinuxPathForAddress(address: string): string {
  const octets = address.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255)) {
    throw new MkrootError(`Cannot name a pxelinux file after "${address}": it is no IPv4 address`);
  }
  return `pxelinux.cfg/${octets.map((octet) => octet.toString(16).padStart(2, '0').toUpperCase()).join('')}`;
}

/** Where pxelinux looks last. */
export const pxelinuxDefaultPath = 'pxelinux.cfg/default';
