import { bootStages } from '../../netboot/boot-stages.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { type BootAttempt, bootNode } from '../../stages/boot-test/boot-node.js';
import { joinSegments } from '../../stages/boot-test/join-segments.js';
import {
  type BootSubject,
  type LabFiles,
  prepareLabFiles,
} from '../../stages/boot-test/prepare-lab-files.js';
import { type LabCounters, readLabCounters } from '../../stages/boot-test/read-lab-counters.js';
import { reserveLabDirectory } from '../../stages/boot-test/reserve-lab-directory.js';
import { startLabServices } from '../../stages/boot-test/start-lab-services.js';
import { type Accelerator, processorsFor } from '../../vm/accelerator.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import { TFTP } from '../../vm/lab-config.js';
import type { Traffic } from '../../vm/lab-counters.js';
import { LabNamespace } from '../../vm/lab-namespace.js';
import { LAB } from '../../vm/lab-network.js';
import { bootMilestones, type Milestone } from '../../vm/milestones.js';
import { type ByteMark, bytesByPhase } from '../../vm/phase-bytes.js';
import type { StormPlace } from '../../vm/storm-model.js';
import { stormMac, stormNetworkBatch, stormShaping, stormTap } from '../../vm/storm-network.js';
import type { Storm, StormNode } from '../../vm/storm-report.js';
import type { ChosenMachine } from './choose-machine.js';

/** What all nodes of a storm boot. */
export interface StormBoot {
  /** What the report calls it: a transport, or whose initramfs it is. */
  readonly transport: string;
  readonly subject: BootSubject;
  readonly commandLine: string;
  /** Directory that the lab serves over HTTP. */
  readonly httpDirectory?: BytePath;
}

/** How storms are made, whatever boots. */
export interface StormLab {
  readonly place: StormPlace;
  readonly chosen: ChosenMachine;
  readonly nic: EmulatedNic;
  /** MiB of each node. */
  readonly memory: number;
  /** Processors of each node; what suits the accelerator by default. */
  readonly cpus?: number;
  /** Milliseconds for each node, from power-on to multi-user. */
  readonly timeoutMs: number;
  /** The directory qemu/ of the package. */
  readonly shippedFiles: BytePath;
  /** Path of Node.js, which runs the lab's HTTP server. */
  readonly nodeProgram: string;
  readonly temporaryParent: BytePath;
  readonly signal?: AbortSignal;
}

/** A storm, or nothing if a guest never came to its kernel, which another accelerator may mend. */
export type StormOutcome = { readonly storm: Storm } | { readonly silent: string };

/**
 * Switches `size` nodes on at once, in a lab of their own with links of the wanted width, and counts until each is at
 * multi-user: what went over its link, its requests, and the processor time of the servers.
 */
export async function runStorm(
  ports: Ports,
  boot: StormBoot,
  size: number,
  lab: StormLab,
  { accelerator, logs }: { readonly accelerator: Accelerator; readonly logs: BytePath },
): Promise<StormOutcome> {
  const { fs, runner, progress } = ports;
  const { place, signal } = lab;
  fs.mkdir(logs);
  const directory = reserveLabDirectory(ports, lab.temporaryParent);
  const task = progress.task(
    `${boot.transport}, ${size === 1 ? 'one node' : `${size} nodes`} (${accelerator.toUpperCase()})`,
  );
  let namespace: LabNamespace | undefined;
  let endServers = () => {};
  try {
    namespace = await LabNamespace.open(ports, signal);
    const inside = namespace;
    const files = prepareFiles(ports, boot, lab, directory);
    const network = { nodes: size, nodeMbit: place.nodeMbit, uplinkMbit: place.uplinkMbit };
    const services = await startLabServices(ports, inside, files, {
      logs,
      onDhcpLine: () => {},
      network: stormNetworkBatch(network),
      ...(boot.httpDirectory === undefined ? {} : { http: httpServer(boot.httpDirectory, lab) }),
      ...(signal === undefined ? {} : { signal }),
    });
    endServers = services.end;
    await runner.run({
      argv: inside.enter(['tc', '-batch', '-']),
      input: Buffer.from(stormShaping(network)),
    });
    const meter = new Meter(() => readLabCounters(fs, inside));
    const up = new Set<number>();
    const boots = await Promise.all(
      Array.from({ length: size }, (_, index) => index + 1).map((node) =>
        bootOne(
          ports,
          { boot, lab, files, accelerator, logs, directory, node, meter },
          inside,
          () => {
            const name = services.dead();
            return name === undefined
              ? undefined
              : `${name}, a server of the lab, ended; see ${logs}/${name}.log`;
          },
          (title) => {
            if (title === 'multi-user') up.add(node);
            task.update(`${up.size} of ${size} up; node ${node}: ${title}`);
          },
        ),
      ),
    );
    const silent = boots.find(({ attempt }) => attempt.silent);
    if (silent !== undefined) {
      const problem = silent.attempt.problem ?? 'nothing was printed';
      task.skipped(`given up, ${problem}`);
      return { silent: problem };
    }
    const storm = stormOf(boot.transport, place, boots, meter, httpRequests(ports, logs));
    if (storm.reason === undefined) task.done(`up after ${storm.seconds?.toFixed(1)} s`);
    else task.fail(storm.reason);
    return { storm };
  } catch (error) {
    task.fail();
    throw error;
  } finally {
    endServers();
    await namespace?.close();
    fs.remove(directory);
  }
}

/** What the servers and the machines have used, and each node's traffic, whenever a node reaches something. */
class Meter {
  readonly #begun: LabCounters;
  readonly #processes = new Map<number, { readonly name: string; readonly seconds: number }>();

  constructor(private readonly read: () => LabCounters) {
    this.#begun = read();
    this.#note(this.#begun);
  }

  /** The traffic of a tap since it was made. */
  traffic(tap: string): Traffic | undefined {
    const now = this.read();
    this.#note(now);
    return now.traffic.get(tap);
  }

  /** Processor seconds since the beginning, by the name of the process; of one that has ended, as last seen. */
  get seconds(): ReadonlyMap<string, number> {
    const before = new Map(this.#begun.processes.map(({ pid, cpuSeconds }) => [pid, cpuSeconds]));
    const sums = new Map<string, number>();
    for (const [pid, { name, seconds }] of this.#processes) {
      sums.set(name, (sums.get(name) ?? 0) + seconds - (before.get(pid) ?? 0));
    }
    return sums;
  }

  #note({ processes }: LabCounters): void {
    for (const { pid, name, cpuSeconds } of processes)
      this.#processes.set(pid, { name, seconds: cpuSeconds });
  }
}

interface BootedNode {
  readonly mac: string;
  readonly attempt: BootAttempt;
  readonly marks: readonly ByteMark[];
  readonly traffic: Traffic | undefined;
}

interface NodeOfStorm {
  readonly boot: StormBoot;
  readonly lab: StormLab;
  readonly files: LabFiles;
  readonly accelerator: Accelerator;
  readonly logs: BytePath;
  readonly directory: BytePath;
  /** From 1. */
  readonly node: number;
  readonly meter: Meter;
}

async function bootOne(
  ports: Ports,
  { boot, lab, files, accelerator, logs, directory, node, meter }: NodeOfStorm,
  namespace: LabNamespace,
  labProblem: () => string | undefined,
  onNews: (title: string) => void,
): Promise<BootedNode> {
  const { chosen, signal } = lab;
  const [mac, tap] = [stormMac(node), stormTap(node)];
  const marks: ByteMark[] = [{ phase: chosen.direct ? 'kernel' : 'firmware', bytesToNode: 0 }];
  let traffic: Traffic | undefined;
  const segments = [files.initrd, ...(files.driverSegment === undefined ? [] : [files.driverSegment])];
  const attempt = await bootNode(ports, {
    machine: {
      type: chosen.type,
      accelerator,
      nic: lab.nic,
      mac,
      network: { kind: 'tap', device: tap },
      memory: lab.memory,
      cpus: lab.cpus ?? processorsFor(accelerator),
      secondSerial: `${logs}/node-${node}-report.log`,
      ...(chosen.direct
        ? {
            direct: {
              kernel: files.kernel.path,
              initrd: joinSegments(ports.fs, `${directory}/direct-${node}.img`, segments),
              commandLine: boot.commandLine,
            },
          }
        : {}),
    },
    enter: (argv) => namespace.enter(argv),
    served: { loader: TFTP.loader, kernel: TFTP.kernel, lastInitrd: files.lastInitrd },
    milestones: milestonesUntilReport(chosen),
    timeoutMs: lab.timeoutMs,
    consoleLog: `${logs}/node-${node}-console.log`,
    listenToDhcpLog: () => {},
    labProblem,
    onReached: ({ id, phase }) => {
      if (traffic !== undefined) return;
      const now = meter.traffic(tap);
      if (now !== undefined) marks.push({ phase, bytesToNode: now.bytesToNode });
      if (id === 'multi-user') traffic = now;
    },
    onNews,
    ...(signal === undefined ? {} : { signal }),
  });
  return { mac, attempt, marks, traffic };
}

/** A node has done its part when it has reported what it counted. */
function milestonesUntilReport({ direct }: ChosenMachine): readonly Milestone[] {
  const all = bootMilestones(bootStages);
  return all
    .slice(0, all.findIndex(({ id }) => id === 'self-check') + 1)
    .filter(({ id, phase }) => !direct || id === 'power-on' || (phase !== 'firmware' && phase !== 'loader'));
}

function prepareFiles(
  { fs }: Ports,
  { subject, commandLine }: StormBoot,
  { chosen, shippedFiles }: StormLab,
  directory: BytePath,
): LabFiles {
  const expected = {
    hostname: LAB.hostname,
    modules: [],
    reportPort: chosen.type.reportPort,
    shippedFiles: `${shippedFiles}/storm`,
  };
  return prepareLabFiles(fs, directory, subject, expected, commandLine);
}

function httpServer(directory: BytePath, { nodeProgram, shippedFiles }: StormLab) {
  return {
    program: [nodeProgram, `${shippedFiles}/http-server/http-server.mjs`],
    directory,
    faults: [],
  };
}

function stormOf(
  transport: string,
  place: StormPlace,
  boots: readonly BootedNode[],
  meter: Meter,
  requests: number,
): Storm {
  const used = [...meter.seconds];
  const isEmulator = ([name]: readonly [string, number]) => name.startsWith('qemu-');
  const failed = boots.find(({ attempt }) => attempt.problem !== undefined);
  const times = boots.map(({ attempt }) => attempt.timeline.at('multi-user'));
  const reached = times.filter((ms) => ms !== undefined);
  return {
    transport,
    size: boots.length,
    result: failed === undefined ? 'pass' : 'fail',
    ...(failed === undefined ? {} : { reason: reasonOf(failed) }),
    place,
    nodes: boots.flatMap((boot) => nodeOf(boot) ?? []),
    ...(reached.length < boots.length ? {} : { seconds: Math.max(...reached) / 1000 }),
    httpRequests: requests,
    serverCpuSeconds: Object.fromEntries(
      used.filter((one) => !isEmulator(one) && one[1] > 0).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    emulatorCpuSeconds: used.filter(isEmulator).reduce((total, [, seconds]) => total + seconds, 0),
  };
}

function nodeOf({ mac, attempt, marks, traffic }: BootedNode): StormNode | undefined {
  const ms = attempt.timeline.at('multi-user');
  if (ms === undefined || traffic === undefined) return undefined;
  const counted = attempt.selfCheck.checks.find(({ name }) => name === 'nfs-requests')?.detail;
  return {
    mac,
    seconds: ms / 1000,
    ...traffic,
    nfsRequests: Number(counted ?? 0),
    phases: bytesByPhase(marks),
  };
}

function reasonOf({ mac, attempt }: BootedNode): string {
  const missing = attempt.timeline.missing?.title;
  return `${mac} did not come to ${missing ?? 'its end'}: ${attempt.problem}`;
}

/** The lab's HTTP server writes a line for each. */
function httpRequests({ fs }: Ports, logs: BytePath): number {
  const log = `${logs}/http.log`;
  if (fs.lstat(log) === undefined) return 0;
  return Buffer.from(fs.readFile(log)).toString('latin1').match(/^GET /gm)?.length ?? 0;
}
