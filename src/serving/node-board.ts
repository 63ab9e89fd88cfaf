import type { DhcpLogEvent } from './dhcp-log.js';
import type { NodeReport } from './node-report.js';

/** How far a node's boot has come. `trouble` is a failure after which it goes on trying, `failed` one that ends the boot. */
export type NodePhase =
  | 'unseen'
  | 'firmware'
  | 'loader'
  | 'kernel'
  | 'init'
  | 'trouble'
  | 'failed'
  | 'up'
  | 'down';

/** A node as it was published. */
export interface KnownNode {
  readonly name: string;
  readonly group: string;
  readonly address: string;
  readonly mac?: string;
  readonly image: string;
  readonly generation: string;
}

/** What is known of a node's boot. */
export interface NodeState {
  readonly node: string;
  readonly phase: NodePhase;
  /** Stage of /init, in `init`, `trouble` and `failed`. */
  readonly stage?: { readonly number: number; readonly name: string };
  /** The file that was fetched, or the node's own line. */
  readonly detail: string;
  /** Since when it is in this phase and stage (ISO 8601, UTC); empty for `unseen`. */
  readonly since: string;
  readonly firmware?: 'bios' | 'uefi';
  /** The address that it was given. */
  readonly lease?: string;
  /** How it fetched its kernel. */
  readonly kernel?: 'TFTP' | 'HTTP';
  /** What it says it booted. */
  readonly booted?: { readonly image: string; readonly generation: string };
  /** Id of the boot that it last reported from, and its uptime in seconds then. */
  readonly boot?: string;
  readonly uptime?: number;
}

/** A machine that is not in the inventory. */
export interface UnknownMachine {
  readonly mac: string;
  readonly ip: string;
  /** What it calls itself; empty if it did not say. */
  readonly name: string;
  readonly firmware?: 'bios' | 'uefi';
  /** When it was last heard of (ISO 8601, UTC). */
  readonly seen: string;
}

/** Machines that nobody knows, of which so many are remembered: a report costs its sender nothing. */
const UNKNOWN_LIMIT = 64;

/** After these words /init does not go on; see `failure.sh`. */
const GIVES_UP = /; next: (reboot|nothing|a shell)/;

/**
 * What every node is doing, put together from DHCP, from files that are fetched and from reports. It believes everything
 * it is told and forgets nothing but what later news replace: it is for display.
 */
export class NodeBoard {
  #nodes = new Map<string, KnownNode>();
  #byAddress = new Map<string, KnownNode>();
  #byMac = new Map<string, KnownNode>();
  readonly #states = new Map<string, NodeState>();
  readonly #unknown = new Map<string, UnknownMachine>();

  constructor(
    nodes: readonly KnownNode[],
    private readonly now: () => Date,
    before: readonly NodeState[] = [],
  ) {
    this.setNodes(nodes);
    for (const state of before) this.#states.set(state.node, state);
  }

  /** After a publish. */
  setNodes(nodes: readonly KnownNode[]): void {
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    this.#byAddress = new Map(nodes.map((node) => [node.address, node]));
    this.#byMac = new Map(nodes.flatMap((node) => (node.mac === undefined ? [] : [[node.mac, node]])));
  }

  /** Every node of the inventory, in its order, and what is known of it. */
  get nodes(): readonly { readonly known: KnownNode; readonly state: NodeState }[] {
    return [...this.#nodes.values()].map((known) => ({ known, state: this.#stateOf(known) }));
  }

  /** The latest last. */
  get unknown(): readonly UnknownMachine[] {
    return [...this.#unknown.values()];
  }

  /** @returns what is known of the node now if that is news. */
  dhcp(event: DhcpLogEvent): NodeState | undefined {
    if (event.kind === 'file') return this.fetched(event.ip, event.path, 'TFTP');
    const { mac, ip, firmware } = event;
    const known = this.#byMac.get(mac);
    if (known === undefined) {
      this.#noteUnknown({ mac, ip, name: '', ...(firmware === undefined ? {} : { firmware }) });
      return undefined;
    }
    const { boot: _boot, uptime: _uptime, stage: _stage, kernel: _kernel, ...kept } = this.#stateOf(known);
    // Firmware that asks is a machine that was switched on; what asks later belongs to the boot that is under way.
    if (firmware !== undefined)
      return this.#set({ ...kept, phase: 'firmware', detail: ip, firmware, lease: ip });
    const state = this.#stateOf(known);
    return state.lease === ip ? undefined : this.#set({ ...state, lease: ip });
  }

  /** A file went out to an address. */
  fetched(ip: string, path: string, how: 'TFTP' | 'HTTP'): NodeState | undefined {
    const known = this.#byAddress.get(ip);
    if (known === undefined) return undefined;
    const state = this.#stateOf(known);
    const kernel = /.*\/images\/(.*)\/vmlinuz[^/]*$/.exec(path);
    if (kernel !== null) {
      return this.#set({ ...withoutStage(state), phase: 'kernel', kernel: how, detail: kernel[1]! });
    }
    // Files that a node fetches later, once it runs, say nothing about its boot.
    if (state.phase !== 'firmware' && state.phase !== 'loader') return undefined;
    return this.#set({ ...state, phase: 'loader', detail: path.slice(path.lastIndexOf('/') + 1) });
  }

  /**
   * Takes a report.
   * @returns the node that it is from, and what is known of it now if that is news.
   */
  report(report: NodeReport, client: string): { known: KnownNode; news: NodeState | undefined } | undefined {
    const known = this.#nodes.get(report.node) ?? this.#byMac.get(report.mac);
    if (known === undefined) {
      const { mac, node, firmware } = report;
      this.#noteUnknown({ mac, ip: client, name: node, firmware });
      return undefined;
    }
    const { boot: _boot, uptime: _uptime, ...before } = this.#stateOf(known);
    const state = this.#stateOf(known);
    // Two that were sent at nearly the same time may come in the other order.
    const isLate = report.boot !== '' && report.boot === state.boot && report.uptime < (state.uptime ?? 0);
    if (isLate) return { known, news: undefined };
    const phase = phaseOf(report);
    const news = this.#set({
      ...withoutStage(before),
      phase,
      ...(report.stage === undefined ? {} : { stage: report.stage }),
      detail: report.detail,
      firmware: report.firmware,
      lease: report.ip,
      ...(report.generation === '' ? {} : { booted: { image: report.image, generation: report.generation } }),
      boot: report.boot,
      uptime: report.uptime,
    });
    return { known, news };
  }

  #stateOf({ name }: KnownNode): NodeState {
    return this.#states.get(name) ?? { node: name, phase: 'unseen', detail: '', since: '' };
  }

  #set(next: NodeState): NodeState | undefined {
    const before = this.#states.get(next.node);
    const moved = before?.phase !== next.phase || before.stage?.number !== next.stage?.number;
    const since = moved ? this.now().toISOString() : before.since;
    const state = { ...next, since };
    this.#states.set(next.node, state);
    return moved || JSON.stringify(before) !== JSON.stringify(state) ? state : undefined;
  }

  #noteUnknown(machine: Omit<UnknownMachine, 'seen'>): void {
    const before = this.#unknown.get(machine.mac);
    this.#unknown.delete(machine.mac);
    this.#unknown.set(machine.mac, { ...before, ...machine, seen: this.now().toISOString() });
    for (const oldest of this.#unknown.keys()) {
      if (this.#unknown.size <= UNKNOWN_LIMIT) break;
      this.#unknown.delete(oldest);
    }
  }
}

function phaseOf({ state, detail }: NodeReport): NodePhase {
  if (state === 'ok') return 'init';
  if (state === 'failed') return GIVES_UP.test(detail) ? 'failed' : 'trouble';
  return state;
}

function withoutStage({ stage: _stage, ...rest }: NodeState): NodeState {
  return rest;
}
