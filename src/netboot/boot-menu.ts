import { MkrootError } from '../errors.js';
import { plainPath, wholeNumber } from './checked-value.js';
import { renderKernelCommandLine } from './kernel-command-line.js';
import type { BootChoice, NetbootSite, NodeBoot, SerialPort } from './netboot-site.js';

/** The image: kernel, initrds and command line. */
export interface ImageEntry {
  readonly kind: 'image';
  readonly label: string;
  /** For people. */
  readonly title: string;
  /** Paths below the TFTP root. */
  readonly kernel: string;
  readonly initrds: readonly string[];
  /** Words with a blank between them; the boot device is not among them, since each loader knows it by a variable. */
  readonly commandLine: string;
}

/** A memory test: one program for each kind of firmware. */
export interface MemoryTestEntry {
  readonly kind: 'memtest';
  readonly label: string;
  readonly title: string;
  readonly bios: string;
  readonly efi: string;
}

/** The firmware's next boot device. */
export interface LocalBootEntry {
  readonly kind: 'local';
  readonly label: string;
  readonly title: string;
}

/** What one machine can boot, for any boot loader. */
export interface BootMenu {
  /** The default is among them. */
  readonly entries: readonly (ImageEntry | MemoryTestEntry | LocalBootEntry)[];
  readonly defaultLabel: string;
  /** Seconds. */
  readonly timeout: number;
  readonly serial?: SerialPort;
}

/** Where Debian's memtest86+ is expected below the TFTP root. */
export const defaultMemoryTest: NonNullable<NetbootSite['memoryTest']> = {
  bios: 'memtest/memtest86+x64.bin',
  efi: 'memtest/memtest86+x64.efi',
};

/** Label of each choice; the same word in every boot loader. */
export const bootLabels: Readonly<Record<BootChoice, string>> = {
  image: 'mkroot',
  local: 'local',
  memtest: 'memtest',
};

const place = 'a boot menu';

/** The menu of a machine: its default first, then the other choices in a fixed order. Without `boot` only its local disk. */
export function bootMenu(boot: NodeBoot | undefined, memoryTest = defaultMemoryTest): BootMenu {
  if (boot === undefined) {
    return { entries: [localEntry], defaultLabel: bootLabels.local, timeout: 0 };
  }
  const first = boot.default ?? 'image';
  const offered = new Set<BootChoice>([first, ...(boot.menu ?? [])]);
  const others = (['image', 'local', 'memtest'] as const).filter(
    (choice) => choice !== first && offered.has(choice),
  );
  const { timeout = 0, serial } = boot;
  wholeNumber(place, 'the time-out', timeout, 3600);
  if (serial !== undefined) {
    wholeNumber(place, 'the serial port', serial.port, 3);
    wholeNumber(place, 'the baud rate', serial.baud, 4_000_000);
  }
  return {
    entries: [first, ...others].map((choice) => entry(choice, boot, memoryTest)),
    defaultLabel: bootLabels[first],
    timeout,
    ...(serial === undefined ? {} : { serial }),
  };
}

const localEntry: LocalBootEntry = {
  kind: 'local',
  label: bootLabels.local,
  title: 'Boot from the local disk',
};

function entry(choice: BootChoice, boot: NodeBoot, memoryTest: NonNullable<NetbootSite['memoryTest']>) {
  if (choice === 'local') return localEntry;
  if (choice === 'memtest') {
    return {
      kind: 'memtest',
      label: bootLabels.memtest,
      title: 'Test the memory',
      bios: pathBelowRoot(memoryTest.bios),
      efi: pathBelowRoot(memoryTest.efi),
    } as const;
  }
  const { name, generation, kernel, initrds } = boot.image;
  const commandLine = renderKernelCommandLine(
    { ...boot.parameters, image: name, generation },
    addedWords(kernel, initrds),
  );
  return {
    kind: 'image',
    label: bootLabels.image,
    title: `${name} ${generation}`,
    kernel: pathBelowRoot(kernel),
    initrds: initrds.map(pathBelowRoot),
    commandLine,
  } as const;
}

/** The longest that PXELINUX, GRUB and iPXE put on the command line by themselves. */
function addedWords(kernel: string, initrds: readonly string[]): string {
  return `BOOT_IMAGE=(tftp,255.255.255.255)/${kernel} initrd=${initrds.join(',')} BOOTIF=01-00-00-00-00-00-00`;
}

function pathBelowRoot(path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..')) {
    throw new MkrootError(`Cannot write the path "${path}" to ${place}: it has to lie below the TFTP root`);
  }
  return plainPath(place, path);
}
