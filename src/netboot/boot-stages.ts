/** One numbered stage of /init. */
export interface BootStage {
  readonly number: number;
  readonly name: string;
  /** What has been achieved when the stage's line appears. */
  readonly meaning: string;
}

/**
 * The stages that /init announces, in order. initramfs-skel/lib/mkroot/stages.sh holds the same table for the target; a test
 * keeps them equal. The numbers leave room for stages in between and are never reused.
 */
export const bootStages: readonly BootStage[] = [
  { number: 10, name: 'start', meaning: '/init runs, its settings and the command line are read' },
  { number: 20, name: 'modules', meaning: 'the drivers of the devices that were found are loaded' },
  { number: 30, name: 'device', meaning: 'a network device has a link' },
  { number: 40, name: 'dhcp', meaning: 'the node has an address, by DHCP or from ip=' },
  { number: 50, name: 'base', meaning: 'the base layer is mounted' },
  { number: 60, name: 'layers', meaning: 'cluster and host layers are mounted' },
  { number: 70, name: 'overlay', meaning: 'the union of layers and writable top is mounted' },
  { number: 75, name: 'persistent', meaning: 'what outlives reboots is mounted over the union' },
  { number: 80, name: 'hand-over', meaning: 'name, machine-id, DNS and network hand-over are written' },
  { number: 90, name: 'switch-root', meaning: 'the real init is about to be executed' },
];

/** A line in which /init says that a stage is reached. */
export interface StageReached {
  readonly kind: 'reached';
  readonly number: number;
  readonly name: string;
  readonly detail: string;
}

/** A line in which /init says that something failed and what it does next. */
export interface StageFailed {
  readonly kind: 'failed';
  readonly number: number;
  readonly name: string;
  /** The server and the error message, as /init wrote them. */
  readonly reason: string;
  readonly next: string;
}

/**
 * Reads one line of a node's console: `mkroot: [NN] name: detail` or `mkroot: FAILED [NN] name: reason; next: what`, after
 * whatever the kernel puts in front (a time stamp in brackets). Undefined for every other line.
 */
export function parseStageLine(line: string): StageReached | StageFailed | undefined {
  const match = /(?:^|[\]\s])mkroot: (FAILED )?\[(\d{2})\] ([a-z-]+): (.*?)\r*$/.exec(line);
  if (match === null) return undefined;
  const [, failed, digits = '', name = '', text = ''] = match;
  const number = Number(digits);
  if (failed === undefined) return { kind: 'reached', number, name, detail: text };
  const separator = text.lastIndexOf('; next: ');
  return separator < 0
    ? { kind: 'failed', number, name, reason: text, next: '' }
    : { kind: 'failed', number, name, reason: text.slice(0, separator), next: text.slice(separator + 8) };
}
