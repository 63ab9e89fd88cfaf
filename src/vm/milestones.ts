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

/** A numbered stage of `/init` (docs/boot-protocol.md). */
export interface InitStage {
  readonly number: number;
  readonly name: string;
}

/** Every milestone of a boot whose `/init` has these stages, in the order in which a good boot passes them. */
export function bootMilestones(stages: readonly InitStage[]): readonly Milestone[] {
  return [
    { id: 'power-on', title: 'power-on', phase: 'firmware' },
    { id: 'firmware-dhcp', title: 'DHCP by the firmware', phase: 'firmware' },
    { id: 'tftp-loader', title: 'boot loader over TFTP', phase: 'loader' },
    { id: 'tftp-kernel', title: 'kernel over TFTP', phase: 'loader' },
    { id: 'tftp-initrd', title: 'initrd over TFTP', phase: 'loader' },
    { id: 'kernel', title: 'kernel starts', phase: 'kernel' },
    ...stages.map(
      (stage): Milestone => ({
        id: initMilestoneId(stage),
        title: `/init: ${stage.name}`,
        phase: 'initramfs',
      }),
    ),
    { id: 'init', title: 'init of the system starts', phase: 'system' },
    { id: 'multi-user', title: 'multi-user', phase: 'system' },
    { id: 'self-check', title: 'self-check done', phase: 'system' },
    { id: 'power-off', title: 'power-off', phase: 'system' },
  ];
}

/** Id of the milestone that stands for one stage of `/init`. */
export function initMilestoneId({ number, name }: InitStage): string {
  return `init-${number}-${name}`;
}

/** What one line of a log says about the boot. */
export type BootEvent =
  | { readonly kind: 'milestone'; readonly id: string; readonly detail: string }
  /** Something does not work and the node goes on trying, in its own words. */
  | { readonly kind: 'trouble'; readonly detail: string }
  /** The boot cannot succeed any more; `detail` is the reason in the node's own words. */
  | { readonly kind: 'failure'; readonly detail: string };

/** What a line of `/init` says: a stage was reached, or something failed and this is what happens next. */
export type StageLine =
  | (InitStage & { readonly kind: 'reached'; readonly detail: string })
  | (InitStage & { readonly kind: 'failed'; readonly reason: string; readonly next: string });

/** Reads the lines of `/init` on the console; undefined for every other line. */
export type ReadStageLine = (line: string) => StageLine | undefined;

/** After a failure `/init` may try again or do without; only with these words has it given up. */
const GIVES_UP = /^(reboot|nothing|a shell|$)/;

const CONSOLE_MILESTONES: readonly (readonly [pattern: RegExp, id: string])[] = [
  [/^net\d: (\d+\.\d+\.\d+\.\d+\/\S+)/, 'firmware-dhcp'],
  [/Station IP address is (\d+\.\d+\.\d+\.\d+)/, 'firmware-dhcp'],
  [/(PXELINUX \d\S*)/, 'tftp-loader'],
  [/^(GNU GRUB {2}version \S+)/, 'tftp-loader'],
  [/Linux version (\S+)/, 'kernel'],
  [/systemd\[1\]: (systemd \S+) running in system mode/, 'init'],
  [/INIT: version (\S+) booting/, 'init'],
  [/Reached target (?:\S+ - )?(Multi-User System)/, 'multi-user'],
  [/Reached target (multi-user\.target)/, 'multi-user'],
  [/reboot: (Power down)/, 'power-off'],
];

/** What a node prints when it has given up, apart from `/init`. */
const CONSOLE_FAILURES: readonly RegExp[] = [
  /Kernel panic - not syncing: .*/,
  /(?:You are in (?:emergency|rescue) mode|Entering emergency mode|Give root password for maintenance).*/,
  /No bootable device.*/,
  /No more network devices.*/,
  // PXELINUX 6.
  /No configuration file found.*/,
  /Loading \S+?\.\.\.+ ?failed: .*/,
  /Booting kernel failed: .*/,
  /Failed to load (?:COM32 file )?\S+\.c32.*/,
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
export function eventFromConsole(
  line: string,
  served: ServedFiles,
  readStageLine: ReadStageLine,
): BootEvent | undefined {
  const text = plainConsoleLine(line);
  const stage = readStageLine(text);
  if (stage !== undefined) return eventFromStage(stage);
  for (const pattern of CONSOLE_FAILURES) {
    const match = pattern.exec(text);
    if (match !== null) return { kind: 'failure', detail: match[0].trimEnd() };
  }
  // PXELINUX, and iPXE, which counts the percents of a long transfer and takes them back.
  const loaded = /^(?:Loading )?(\S+?)\.\.+.*\bok\s*$/.exec(text);
  if (loaded !== null) return eventFromTransfer(loaded[1]!, served);
  for (const [pattern, id] of CONSOLE_MILESTONES) {
    const match = pattern.exec(text);
    if (match !== null) return { kind: 'milestone', id, detail: match[1] ?? '' };
  }
  return undefined;
}

function eventFromStage(stage: StageLine): BootEvent | undefined {
  if (stage.kind === 'reached') {
    return { kind: 'milestone', id: initMilestoneId(stage), detail: stage.detail };
  }
  const detail = `/init: ${stage.name}: ${stage.reason}`;
  return GIVES_UP.test(stage.next) ? { kind: 'failure', detail } : { kind: 'trouble', detail };
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
