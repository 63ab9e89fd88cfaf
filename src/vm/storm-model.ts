/** What one node's boot costs, as it was measured. */
export interface BootCost {
  /** Seconds from power-on to multi-user. */
  readonly seconds: number;
  /** To the node, on the wire, until multi-user. */
  readonly bytes: number;
  /** Processor time of all servers for one node. */
  readonly serverCpuSeconds: number;
  /** Of this, the part of the busiest server that has one thread, which no further processor makes faster. */
  readonly serialCpuSeconds: number;
  /** Processor time of the machine that played the node, where one did. */
  readonly emulatorCpuSeconds: number;
}

/** What nodes that boot at once share, and what each has for itself. */
export interface StormPlace {
  /** The head node's link, in Mbit/s. */
  readonly uplinkMbit: number;
  /** Each node's link, in Mbit/s. */
  readonly nodeMbit: number;
  /** Processors of the head node. */
  readonly serverCpus: number;
  /** Processors that play all nodes and servers, in a lab; absent where nodes are hardware. */
  readonly emulatorCpus?: number;
}

/** What sets the pace of a storm. */
export type Bottleneck = 'node' | 'uplink' | 'server' | 'emulation';

/** How long a storm takes by the model. */
export interface StormForecast {
  readonly nodes: number;
  /** Seconds until the last node is at multi-user. */
  readonly seconds: number;
  /** Of these, the part in which nodes wait for bytes. */
  readonly transferSeconds: number;
  readonly bottleneck: Bottleneck;
}

const BITS = 8;
const MEGA = 1e6;

/** Seconds that all bytes of `nodes` boots take at least, and what of the three makes it so. */
function transfer(
  { bytes, serverCpuSeconds, serialCpuSeconds }: BootCost,
  { uplinkMbit, nodeMbit, serverCpus }: StormPlace,
  nodes: number,
): { readonly seconds: number; readonly bottleneck: Exclude<Bottleneck, 'emulation'> } {
  const terms: readonly (readonly [Exclude<Bottleneck, 'emulation'>, number])[] = [
    ['node', (bytes * BITS) / (nodeMbit * MEGA)],
    ['uplink', (nodes * bytes * BITS) / (uplinkMbit * MEGA)],
    ['server', nodes * Math.max(serverCpuSeconds / serverCpus, serialCpuSeconds)],
  ];
  const [bottleneck, seconds] = terms.reduce((worst, term) => (term[1] > worst[1] ? term : worst));
  return { seconds, bottleneck };
}

/**
 * Seconds of a boot in which nothing is waited for: what was measured without the transfer, which took as long as its
 * slowest part where it was measured. Never less than nothing.
 * @param measured the place where `nodes` boots at once gave this cost
 */
export function ownSeconds(cost: BootCost, measured: StormPlace, nodes: number): number {
  return Math.max(0, cost.seconds - transfer(cost, measured, nodes).seconds);
}

/**
 * The model: all nodes are switched on together, do the same work, and share the uplink evenly, so they stay in step and
 *
 *     T(N) = own + max(bytes / node link, N * bytes / uplink, N * server CPU / server processors,
 *                   N * CPU of the busiest server with one thread)
 *
 * Transfer and a node's own work do not overlap, since a node that boots waits for what it reads: the model is on the slow side.
 * In a lab T(N) is never less than what its processors need to play all nodes and servers,
 *
 *     N * (emulator CPU + server CPU) / processors of the lab
 *
 * which do overlap with the transfer: while one node waits for bytes another is played.
 */
export function forecast(own: number, cost: BootCost, place: StormPlace, nodes: number): StormForecast {
  const { seconds: transferSeconds, bottleneck } = transfer(cost, place, nodes);
  const played = emulation(cost, place, nodes);
  const inStep = own + transferSeconds;
  return played > inStep
    ? { nodes, seconds: played, transferSeconds, bottleneck: 'emulation' }
    : { nodes, seconds: inStep, transferSeconds, bottleneck };
}

function emulation(
  { emulatorCpuSeconds, serverCpuSeconds }: BootCost,
  { emulatorCpus }: StormPlace,
  nodes: number,
) {
  return emulatorCpus === undefined ? 0 : (nodes * (emulatorCpuSeconds + serverCpuSeconds)) / emulatorCpus;
}
