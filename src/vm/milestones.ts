import { plainConsoleLine } from './console-text.js';

/** The parts of a boot, in order. Each milestone belongs to one; the picture gives each its own colour. */
export type BootPhase = 'firmware' | 'loader' | 'kernel' | 'initramfs' | 'system';

/** A point that every good boot passes. */
export interface Milestone {
  readonly id: string;
  /** For people: what has happened when it is reached. */
  readonly title: string;
  readonly phase: BootPhase;
}

/** Stages of `/init` by their number, the contract of docs/boot-protocol.md. */
const INIT_STAGES = [
  ['10', 'start', '/init runs'],
  ['20', 'modules', 'modules'],
  ['30', 'device', 'network device'],
  ['40', 'dhcp', 'DHCP by /init'],
  ['50', 'base', 'mount of the base'],
  ['60', 'layers', 'mount of the layers'],
  ['70', 'overlay', 'overlay'],
  ['80', 'hand-over', 'hand-over'],
  ['90', 'switch-root', 'switch_root'],
] as const;

/** Every milestone, in the order in which a good boot passes them. */
export const MILESTONES: readonly Milestone[] = [
  { id: 'power-on', title: 'power-on', phase: 'firmware' },
  { id: 'firmware-dhcp', title: 'DHCP by the firmware', phase: 'firmware' },
  { id: 'tftp-loader', title: 'boot loader over TFTP', phase: 'loader' },
  { id: 'tftp-kernel', title: 'kernel over TFTP', phase: 'loader' },
  { id: 'tftp-initrd', title: 'initrd over TFTP', phase: 'loader' },
  { id: 'kernel', title: 'kernel starts', phase: 'kernel' },
  ...INIT_STAGES.map(
    ([number, name, title]): Milestone => ({
      id: initMilestoneId(number, name),
      title,
      phase: 'initramfs',
    }),
  ),
  { id: 'init', title: 'init of the system starts', phase: 'system' },
  { id: 'multi-user', title: 'multi-user', phase: 'system' },
  { id: 'self-check', title: 'self-check done', phase: 'system' },
  { id: 'power-off', title: 'power-off', phase: 'system' },
];

/** Id of the milestone that stands for one stage of `/init`. */
function initMilestoneId(number: string, name: string): string {
  return `init-${number}-${name}`;
}

/** What one line of a log says about the boot. */
export type BootEvent =
  | { readonly kind: 'milestone'; readonly id: string; readonly detail: string }
  /** The boot cannot succeed any more; `detail` is the reason in the node's own words. */
  | { readonly kind: 'failure'; readonly detail: string };

const STAGE_LINE = /mkroot: \[(\d\d)\] ([\w-]+)(?:: ?(.*))?$/;
/**
 * `/init` says FAILED whenever something does not work, and what it does next. Only when it gives up, which is a
 * reboot, a shell or nothing at all, has the boot failed.
 */
const STAGE_FAILED = /mkroot: FAILED \[\d\d\] (?!.*; next: (?!reboot in|nothing \(|a shell)).*$/;

const CONSOLE_MILESTONES: readonly (readonly [pattern: RegExp, id: string])[] = [
  [/^net\d: (\d+\.\d+\.\d+\.\d+\/\S+)/, 'firmware-dhcp'],
  [/(PXELINUX \d\S*)/, 'tftp-loader'],
  [/Linux version (\S+)/, 'kernel'],
  [/systemd\[1\]: (systemd \S+) running in system mode/, 'init'],
  [/Reached target (?:\S+ - )?(Multi-User System)/, 'multi-user'],
  [/Reached target (multi-user\.target)/, 'multi-user'],
  [/reboot: (Power down)/, 'power-off'],
];

/** What a node prints when it has given up. A stage of `/init` that failed says so itself. */
const CONSOLE_FAILURES: readonly RegExp[] = [
  STAGE_FAILED,
  /Kernel panic - not syncing: .*/,
  /(?:You are in (?:emergency|rescue) mode|Entering emergency mode|Give root password for maintenance).*/,
  /No bootable device.*/,
  /No more network devices.*/,
  /Unable to locate configuration file.*/,
  /Could not find kernel image: .*/,
  /Failed to load \S+\.c32.*/,
  /Out of memory and no killable processes.*/,
];

/** Names under which the TFTP tree serves its files, as they appear at the end of dnsmasq's log lines. */
export interface ServedFiles {
  readonly loader: string;
  readonly kernel: string;
  /** The last file that the boot loader fetches before it starts the kernel. */
  readonly lastInitrd: string;
}

/** Reads one line of the serial console; undefined if it says nothing about the course of the boot. */
export function eventFromConsole(line: string, served: ServedFiles): BootEvent | undefined {
  const text = plainConsoleLine(line);
  for (const pattern of CONSOLE_FAILURES) {
    const match = pattern.exec(text);
    if (match !== null) return { kind: 'failure', detail: match[0].trimEnd() };
  }
  const stage = STAGE_LINE.exec(text);
  if (stage !== null) {
    const [, number = '', name = '', detail = ''] = stage;
    return { kind: 'milestone', id: initMilestoneId(number, name), detail };
  }
  const loaded = /^Loading (\S+?)\.\.+ ?ok$/.exec(text);
  if (loaded !== null) return eventFromTransfer(loaded[1]!, served);
  for (const [pattern, id] of CONSOLE_MILESTONES) {
    const match = pattern.exec(text);
    if (match !== null) return { kind: 'milestone', id, detail: match[1] ?? '' };
  }
  return undefined;
}

function eventFromTransfer(path: string, { loader, kernel, lastInitrd }: ServedFiles): BootEvent | undefined {
  const ids: readonly (readonly [file: string, id: string])[] = [
    [loader, 'tftp-loader'],
    [kernel, 'tftp-kernel'],
    [lastInitrd, 'tftp-initrd'],
  ];
  const found = ids.find(([file]) => path === file || path.endsWith(`/${file}`));
  return found === undefined ? undefined : { kind: 'milestone', id: found[1], detail: found[0] };
}

/**
 * Reader of dnsmasq's log (dnsmasq 2.80 and later, `--log-facility=-`). The firmware's lease is the first one; what
 * `/init` and the system ask for later says nothing new.
 *
 * A client that closes the connection on the last block makes dnsmasq write "failed sending": PXELINUX does so when a
 * file is an exact multiple of the block size. "file close received" just before tells it from a real failure.
 */
export class DhcpLogReader {
  #closedByClient = false;

  constructor(private readonly served: ServedFiles) {}

  read(line: string): BootEvent | undefined {
    const lease = /DHCPACK\(\S+\) (\d+\.\d+\.\d+\.\d+)/.exec(line);
    if (lease !== null) return { kind: 'milestone', id: 'firmware-dhcp', detail: lease[1]! };
    if (/error 0 .*received from/.test(line)) {
      this.#closedByClient = true;
      return undefined;
    }
    const sent = /(?:(sent)|failed sending) (\S.*) to \d+\.\d+\.\d+\.\d+/.exec(line);
    if (sent === null) return undefined;
    const whole = sent[1] !== undefined || this.#closedByClient;
    this.#closedByClient = false;
    return whole ? eventFromTransfer(sent[2]!, this.served) : undefined;
  }
}
