import type { BootEvent, BootPhase, Milestone } from './milestones.js';

/** A milestone that was reached. */
export interface Reached extends Milestone {
  /** Milliseconds since power-on. */
  readonly atMs: number;
  /** What the log said: an address, a file, a version. */
  readonly detail: string;
}

/** The course of one boot: when each milestone was reached first, and why it failed if it did. */
export class Timeline {
  readonly #reached = new Map<string, Reached>();
  #failure: string | undefined;
  #trouble: string | undefined;

  constructor(private readonly milestones: readonly Milestone[]) {
    const [powerOn] = milestones;
    if (powerOn !== undefined) this.#reached.set(powerOn.id, { ...powerOn, atMs: 0, detail: '' });
  }

  /** Takes an event; only the first of each milestone and the first failure count, and the last trouble. True if it was news. */
  add(event: BootEvent, atMs: number): boolean {
    if (event.kind === 'trouble') {
      this.#trouble = event.detail;
      return true;
    }
    if (event.kind === 'failure') {
      const news = this.#failure === undefined;
      this.#failure ??= event.detail;
      return news;
    }
    if (this.#reached.has(event.id)) return false;
    const milestone = this.milestones.find(({ id }) => id === event.id);
    if (milestone === undefined) return false;
    this.#reached.set(event.id, { ...milestone, atMs, detail: event.detail });
    this.#trouble = undefined;
    return true;
  }

  has(id: string): boolean {
    return this.#reached.has(id);
  }

  /** Milliseconds since power-on, or undefined if it was not reached. */
  at(id: string): number | undefined {
    return this.#reached.get(id)?.atMs;
  }

  /** In the order of the boot. */
  get reached(): readonly Reached[] {
    return this.milestones.flatMap(({ id }) => this.#reached.get(id) ?? []);
  }

  /** The last milestone in the order of the boot that was reached. */
  get latest(): Reached | undefined {
    return this.reached.at(-1);
  }

  /** The milestone that should have come next; undefined if the last one was reached. */
  get missing(): Milestone | undefined {
    const latest = this.latest;
    return this.milestones[this.milestones.findIndex(({ id }) => id === latest?.id) + 1];
  }

  /** What the node said last about something that does not work although it goes on; a milestone makes it past. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The node's own words for why it gave up. */
  get failure(): string | undefined {
    return this.#failure;
  }
}

/** A stretch of the boot between two milestones. */
export interface Span {
  /** The milestone that ends it. */
  readonly milestone: Reached;
  /** What was running meanwhile: the phase that the milestone before began or went on with. */
  readonly running: BootPhase;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The boot as stretches without gaps: each ends at one milestone and begins at the one before. */
export function spans(reached: readonly Reached[]): Span[] {
  const inTime = [...reached].sort((a, b) => a.atMs - b.atMs);
  return inTime.slice(1).map((milestone, index) => ({
    milestone,
    running: inTime[index]!.phase,
    fromMs: inTime[index]!.atMs,
    toMs: milestone.atMs,
  }));
}

/** The timeline as a table for the terminal: seconds since power-on, seconds since the milestone before, what. */
export function timelineTable(reached: readonly Reached[]): string[] {
  const rows = reached.map(({ atMs, title, detail }, index) => {
    const before = reached[index - 1]?.atMs ?? 0;
    return `${seconds(atMs)}  ${index === 0 ? '       ' : `+${seconds(atMs - before, 6)}`}  ${title}${detail === '' ? '' : `  (${detail})`}`;
  });
  return ['  time s     step  milestone', ...rows];
}

function seconds(ms: number, width = 8): string {
  return (ms / 1000).toFixed(2).padStart(width);
}
