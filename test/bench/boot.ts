import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostPorts } from '../../src/cli/host-ports.js';
import { renderKernelCommandLine } from '../../src/netboot/kernel-command-line.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import type { Ports } from '../../src/ports/ports.js';
import { bootNode } from '../../src/stages/boot-test/boot-node.js';
import { prepareLabFiles } from '../../src/stages/boot-test/prepare-lab-files.js';
import { reserveLabDirectory } from '../../src/stages/boot-test/reserve-lab-directory.js';
import { startLabServices } from '../../src/stages/boot-test/start-lab-services.js';
import type { EmulatedNic } from '../../src/vm/emulated-nic.js';
import { TFTP } from '../../src/vm/lab-config.js';
import { LabNamespace } from '../../src/vm/lab-namespace.js';
import { LAB } from '../../src/vm/lab-network.js';
import { machineTypeFor } from '../../src/vm/machine-types.js';
import { bootMilestones } from '../../src/vm/milestones.js';
import { SilentProgress } from '../support/silent-progress.js';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import type { BenchRoot } from './bench-root.js';
import { mkinitramfs } from './chroot-generators.js';
import { type Contender, interleaved, measure, type Result, summarise } from './measure.js';
import type { Comparison } from './report.js';

/**
 * The NICs that QEMU emulates. e1000 behaves like a card with a cable: two seconds until there is a link, one more until it
 * receives. virtio_net has neither, and shows what is left.
 */
const EMULATED: readonly EmulatedNic[] = ['virtio_net', 'e1000'];

const NICS = [...EMULATED, 'tg3'];

const MODULES = [...NICS, 'virtio_pci', 'overlay', 'nfs', 'nfsv3', 'nfsv4'];

const TIMEOUT_MS = 300_000;

/** Where a node was when, in seconds of its kernel's clock, which starts with the kernel. */
interface BootTimes {
  /** The kernel has unpacked the initramfs and starts /init. */
  readonly init: number;
  /** The initramfs has done its work and hands over to the root's init. */
  readonly switchRoot: number;
  /** systemd of the root, read over NFS, says its first word. */
  readonly system: number;
}

/** What initramfs-tools is made to say where mkroot's /init says `[90] switch-root`. */
const LAST_WORDS = 'benchmark: switch_root';

interface BootContender {
  readonly name: string;
  readonly remark?: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/** The same root over NFS in the same virtual machine, by mkroot's initramfs and by that of initramfs-tools. */
export async function benchBoot(context: BenchContext): Promise<Comparison[]> {
  const { directory } = context;
  const root = context.root();
  const nfsRoot = [
    ...['console=ttyS0,115200', 'panic=1', 'root=/dev/nfs', 'ip=dhcp', 'ro'],
    `nfsroot=${LAB.server}:/base,vers=3,tcp,nolock`,
  ].join(' ');
  const overlay = renderKernelCommandLine({
    consoles: ['ttyS0,115200'],
    base: { server: LAB.server, path: '/base' },
    nfsVersion: '3',
    hostname: LAB.hostname,
    panic: 1,
  });
  makeInitramfs(context, root);
  const contenders: BootContender[] = [
    {
      name: 'mkroot',
      remark: 'mounts the root read-only and a writable overlay over it',
      initrd: `${directory}/mkroot.img`,
      commandLine: overlay,
    },
    {
      name: 'initramfs-tools, list',
      remark: `MODULES=list with ${MODULES.join(', ')}; mounts the root read-only, no overlay`,
      initrd: `${directory}/list.img`,
      commandLine: nfsRoot,
    },
    {
      name: 'initramfs-tools, netboot',
      remark: 'MODULES=netboot; mounts the root read-only, no overlay',
      initrd: `${directory}/netboot.img`,
      commandLine: nfsRoot,
    },
  ];
  const comparisons: Comparison[] = [];
  for (const nic of EMULATED) {
    const times = new Map<BootContender, BootTimes[]>(contenders.map((contender) => [contender, []]));
    await interleaved(
      contenders.map(
        (contender): Contender => ({
          name: `${contender.name}, ${nic}`,
          run: async () => {
            const reached = await boot(hostPorts(), context, root, nic, contender);
            times.get(contender)!.push(reached);
            return { seconds: reached.switchRoot, peakKiB: 0 };
          },
        }),
      ),
      { rounds: context.rounds ?? 3 },
    );
    comparisons.push(...comparisonsOf(nic, times));
  }
  return comparisons;
}

function comparisonsOf(
  nic: EmulatedNic,
  times: ReadonlyMap<BootContender, readonly BootTimes[]>,
): Comparison[] {
  const results = (pick: (times: BootTimes) => number) =>
    [...times].map(([contender, boots]): Result => {
      const runs = boots.map((reached) => ({ seconds: pick(reached), peakKiB: 0 }));
      return { ...summarise(contender, runs), bytes: statSync(contender.initrd).size };
    });
  const whole = results(({ switchRoot }) => switchRoot);
  return [
    {
      title: `boot over NFS, ${nic}, kernel start to switch_root`,
      task: 'one virtual machine (QEMU, TCG, 2 processors, 1 GiB) in the lab of `mkroot qemu-test`, the same root over NFS 3; by the time stamps of the kernel.',
      results: whole,
      targets: whole.slice(1).map((other) => ({
        what: `kernel start to switch_root (${nic}), compared with ${other.name}`,
        value: whole[0]!.seconds / other.seconds,
        limit: 0.5,
        unit: '',
      })),
    },
    {
      title: `boot over NFS, ${nic}, /init to switch_root`,
      task: 'the same boots without the kernel’s own start: only what the initramfs does.',
      results: results(({ init, switchRoot }) => switchRoot - init),
      targets: [],
    },
    {
      title: `boot over NFS, ${nic}, kernel start to systemd`,
      task: 'the same boots up to the first line of the root’s systemd, which is read over NFS by then.',
      results: results(({ system }) => system),
      targets: [],
    },
  ];
}

function makeInitramfs(context: BenchContext, root: BenchRoot): void {
  const { directory } = context;
  const nics = NICS.flatMap((nic) => ['--nic', nic]);
  const output = ['--output', `${directory}/mkroot.img`];
  const initrd = ['initrd', '--root', root.path, '--kernel', root.kernel, ...nics, ...output];
  measure({ argv: mkrootArgv(context, ...initrd) }, directory);
  mkinitramfs(root, { name: 'list', modules: 'list', list: MODULES, lastWords: LAST_WORDS }, directory);
  mkinitramfs(
    root,
    { name: 'netboot', modules: 'netboot', list: ['overlay'], lastWords: LAST_WORDS },
    directory,
  );
}

/** One boot from power-on until systemd of the root says its first word, in a lab of its own. */
async function boot(
  ports: Ports,
  context: BenchContext,
  root: BenchRoot,
  nic: EmulatedNic,
  { initrd, commandLine }: BootContender,
): Promise<BootTimes> {
  const quiet: Ports = { ...ports, progress: new SilentProgress() };
  const type = machineTypeFor('amd64');
  const logs = `${context.directory}/boot-logs`;
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs);
  const directory = reserveLabDirectory(quiet, toBytePath(context.directory));
  const files = prepareLabFiles(
    ports.fs,
    directory,
    { root: root.path, kernel: `${root.path}/boot/vmlinuz-${root.kernel}`, initrd },
    {
      hostname: LAB.hostname,
      modules: [],
      reportPort: type.reportPort,
      shippedFiles: `${context.repository}/qemu/self-check`,
    },
    commandLine,
  );
  // No stages of mkroot's /init: all contenders are watched for the same.
  const milestones = bootMilestones([]);
  const namespace = await LabNamespace.open(quiet);
  try {
    let listener: ((line: string) => void) | undefined;
    const services = await startLabServices(quiet, namespace, files, {
      logs,
      onDhcpLine: (line) => listener?.(line),
    });
    const { problem, consoleTail } = await bootNode(quiet, {
      machine: {
        type,
        accelerator: 'tcg',
        nic,
        mac: LAB.mac,
        network: { kind: 'tap', device: LAB.tap },
        memory: 1024,
        cpus: 2,
        secondSerial: `${logs}/second-serial`,
      },
      enter: (argv) => namespace.enter(argv),
      served: { loader: TFTP.loader, kernel: TFTP.kernel, lastInitrd: files.lastInitrd },
      milestones: milestones.slice(0, milestones.findIndex(({ id }) => id === 'init') + 1),
      timeoutMs: TIMEOUT_MS,
      consoleLog: `${logs}/console.log`,
      listenToDhcpLog: (wanted) => {
        listener = wanted;
      },
      labProblem: services.dead,
      onNews: () => {},
    });
    if (problem !== undefined) {
      throw new Error(`${initrd} did not boot: ${problem}\n${consoleTail.join('\n')}`);
    }
  } finally {
    await namespace.close();
    rmSync(directory, { recursive: true, force: true });
  }
  return bootTimes(readFileSync(`${logs}/console.log`, 'latin1'));
}

/** Reads the kernel's time stamps on the console. */
function bootTimes(console: string): BootTimes {
  const at = (message: RegExp): number => {
    const found = new RegExp(`\\[ *(\\d+\\.\\d+)\\] ${message.source}`).exec(console);
    if (found === null) throw new Error(`The console does not show ${message.source}`);
    return Number(found[1]);
  };
  return {
    init: at(/Run \/init as init process/),
    switchRoot: at(new RegExp(`(mkroot: \\[90\\] switch-root|${LAST_WORDS})`)),
    system: at(/systemd\[1\]: systemd \S+ running/),
  };
}
