import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { hostPorts } from '../../src/cli/host-ports.js';
import { chooseMachine } from '../../src/pipelines/boot-test/choose-machine.js';
import { runStorm, type StormBoot, type StormLab } from '../../src/pipelines/boot-test/run-storm.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import type { Ports } from '../../src/ports/ports.js';
import { costOf, extrapolate, requestsOf, withPredictions } from '../../src/vm/judge-storms.js';
import type { StormPlace } from '../../src/vm/storm-model.js';
import type { Storm } from '../../src/vm/storm-report.js';
import { stormTables } from '../../src/vm/storm-summary.js';
import { SilentProgress } from '../support/silent-progress.js';
import type { BenchContext } from './bench-context.js';
import { type Contender, interleaved } from './measure.js';
import type { Comparison } from './report.js';
import { nameOf, stormBoots } from './storm-boots.js';
import { transportSizes } from './transport-sizes.js';

/** Processors of this machine that play nodes and servers. */
const PROCESSORS = availableParallelism();

/** Mbit/s of a lone node's link: narrow enough that bytes cost time, as in a cluster where many share an uplink. */
const LIMIT = 100;

/** So many nodes at once, of these transports, over an uplink that is slower than this machine's processors play nodes. */
const STORMS = {
  sizes: [2, 4, 8],
  transports: [
    { transport: 'nfs-3', uplinkMbit: 16 },
    { transport: 'squashfs-http', uplinkMbit: 48 },
  ],
} as const;

/** The head node that is extrapolated to. */
const ELSEWHERE: StormPlace = { uplinkMbit: 10_000, nodeMbit: 1_000, serverCpus: 8 };

const TIMEOUT_MS = 600_000;

/**
 * The same root from power-on to multi-user: first one node at a time over a link of a fixed width, by every transport of
 * mkroot, and by the initramfs of initramfs-tools and dracut; then several at once, which holds the model of a storm, fed with
 * the lone node, against what is measured.
 */
export async function benchStorm(context: BenchContext): Promise<Comparison[]> {
  const ports: Ports = { ...hostPorts(), progress: new SilentProgress() };
  const kept = context.logs ?? context.directory;
  mkdirSync(kept, { recursive: true });
  const boots = await stormBoots(ports, context);
  const lab = labOf(ports, context, boots[0]!);
  const seen: Storm[] = [];
  const measured = async (boot: StormBoot, size: number, uplinkMbit: number): Promise<Storm> => {
    const place = { uplinkMbit, nodeMbit: LIMIT, serverCpus: PROCESSORS, emulatorCpus: PROCESSORS };
    const logs = toBytePath(`${kept}/${boot.transport.replaceAll(/\W+/g, '-')}-${size}`);
    const outcome = await runStorm(ports, boot, size, { ...lab, place }, { accelerator: 'tcg', logs });
    if (!('storm' in outcome)) throw new Error(`${boot.transport}: ${outcome.silent}`);
    // After each, so that what broke off after half an hour has left something.
    seen.push(outcome.storm);
    writeFileSync(`${kept}/storms.json`, `${JSON.stringify(seen, null, 2)}\n`);
    return outcome.storm;
  };
  const lone = new Map<string, Storm[]>(boots.map(({ transport }) => [transport, []]));
  const results = await interleaved(
    boots.map(
      (boot): Contender => ({
        name: boot.transport,
        run: async () => {
          const storm = await measured(boot, 1, LIMIT);
          if (storm.reason !== undefined) throw new Error(`${boot.transport}: ${storm.reason}`);
          lone.get(boot.transport)!.push(storm);
          const { seconds, bytes, serverCpuSeconds } = costOf(storm);
          return { seconds, bytes, cpuSeconds: serverCpuSeconds, peakKiB: 0 };
        },
      }),
    ),
    { rounds: context.rounds ?? 1 },
  );
  const ones = [...lone.values()].map(middle);
  const storms: Storm[] = [];
  for (const { transport, uplinkMbit } of STORMS.transports) {
    const boot = boots.find((one) => one.transport === nameOf(transport))!;
    for (const size of STORMS.sizes) {
      const storm = await measured(boot, size, uplinkMbit);
      process.stderr.write(`  ${boot.transport}, ${size} at once: ${storm.reason ?? `${storm.seconds} s`}\n`);
      storms.push(storm);
    }
  }
  const failed = storms.flatMap(({ transport, size, reason }) =>
    reason === undefined ? [] : ` Failed: ${transport}, ${size} at once: ${reason}.`,
  );
  const all = withPredictions([...ones, ...storms]);
  return [
    {
      title: 'boot from power-on to multi-user',
      task: `one virtual machine (QEMU, TCG) over a link of ${LIMIT} Mbit/s each way, the same Debian root; the size is what went to the node on the wire, the processor time that of all servers.${failed.join('')}`,
      results: results.map((result) => ({ ...result, remark: remarkOf(ones, result.name) })),
      targets: [],
      tables: [
        ...stormTables({ storms: all, elsewhere: ELSEWHERE, extrapolation: extrapolate(all, ELSEWHERE) }),
        transportSizes(context),
      ],
    },
  ];
}

function labOf(ports: Ports, context: BenchContext, { subject }: StormBoot): Omit<StormLab, 'place'> {
  const chosen = chooseMachine(ports.fs, {
    image: 'bench',
    root: subject.root,
    network: 'lab',
    accelerator: 'tcg',
    hostArchitecture: 'amd64',
  });
  return {
    chosen,
    nic: chosen.type.nic,
    memory: 1024,
    timeoutMs: TIMEOUT_MS,
    shippedFiles: toBytePath(`${context.repository}/qemu`),
    nodeProgram: process.execPath,
    temporaryParent: toBytePath(context.directory),
  };
}

/** Of several runs the one whose time is in the middle, of an even number the faster of the two there. */
function middle(storms: readonly Storm[]): Storm {
  const sorted = [...storms].sort((a, b) => a.seconds! - b.seconds!);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

function remarkOf(storms: readonly Storm[], name: string): string {
  const storm = storms.find(({ transport }) => transport === name)!;
  const [node] = storm.nodes;
  const frames = (node?.framesToNode ?? 0) + (node?.framesFromNode ?? 0);
  return `${requestsOf(storm).toFixed(0)} requests over NFS and HTTP, ${frames} frames`;
}
