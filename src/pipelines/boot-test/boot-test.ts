import { ExitCode, MkrootError } from '../../errors.js';
import { bootStages } from '../../netboot/boot-stages.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { Task } from '../../ports/progress.js';
import { bootNode } from '../../stages/boot-node.js';
import { joinSegments } from '../../stages/join-segments.js';
import type { ExpectedNode } from '../../stages/place-self-check.js';
import { type LabFiles, prepareLabFiles } from '../../stages/prepare-lab-files.js';
import { requireLabTools } from '../../stages/require-lab-tools.js';
import { removeStaleLabs, reserveLabDirectory } from '../../stages/reserve-lab-directory.js';
import { type ServiceVerb, startLabServices } from '../../stages/start-lab-services.js';
import { writeBootReport } from '../../stages/write-boot-report.js';
import { processorsFor } from '../../vm/accelerator.js';
import type { BootReport } from '../../vm/boot-report.js';
import { failureOf } from '../../vm/boot-verdict.js';
import type { EmulatedNic } from '../../vm/emulated-nic.js';
import { TFTP } from '../../vm/lab-config.js';
import { LabNamespace } from '../../vm/lab-namespace.js';
import { LAB, LAB_DISK, VLAN_SWITCH } from '../../vm/lab-network.js';
import { bootMilestones, type Milestone } from '../../vm/milestones.js';
import type { Machine, NodeNetwork, OtherNic } from '../../vm/qemu-argv.js';
import type { ScenarioBoot } from '../../vm/scenario.js';
import { ScenarioDirector } from '../../vm/scenario-director.js';
import { selfCheckNames } from '../../vm/self-check-report.js';
import type { BootTestOptions } from './boot-test-options.js';
import { type ChosenMachine, chooseMachine } from './choose-machine.js';
import { type KnownInitrd, knowInitrd } from './know-initrd.js';
import { labCommandLine } from './lab-command-line.js';
import { scenarioServers } from './scenario-servers.js';

/** Milestones of the system that a scenario's own process 1 does not pass. */
const OF_THE_SYSTEM: readonly string[] = ['init', 'multi-user', 'self-check'];

/** The last milestone that QEMU's own network can show: it has no NFS server. */
const USER_NETWORK_GOAL = 'init-40-dhcp';

const NOT_TESTED_WITHOUT_LAB: readonly string[] = [
  'the mount of the base and the layers over NFS',
  'the overlay, switch_root and the system itself',
  'the self-check inside the node and its power-off',
];

/** Where QEMU loads the kernel itself. */
const NOT_TESTED_WITHOUT_FIRMWARE: readonly string[] = [
  'the firmware and the boot loader: QEMU loaded kernel and initrd itself',
];

/** What every part of a boot test goes by: the options, and the machine that they come to. */
interface BootTest extends BootTestOptions {
  readonly chosen: ChosenMachine;
  readonly nic: EmulatedNic;
}

/**
 * Boots an image over the network in a virtual machine and tells how it went:
 * lab files -> namespaces -> servers -> machine (KVM, then TCG if silent) -> report. A boot that fails is a result, not
 * an error; errors are what keeps the test from being made. Whatever happens, nothing of the lab stays behind.
 */
export async function bootTest(ports: Ports, wanted: BootTestOptions): Promise<BootReport> {
  const { fs } = ports;
  const options = withMachine(fs, wanted);
  requireLabTools(ports, options.chosen.type, options.network === 'lab');
  const logs = options.report ?? makeLogDirectory(ports, options);
  fs.mkdir(logs);
  removeStaleLabs(ports, options.temporaryParent);
  const directory = reserveLabDirectory(ports, options.temporaryParent);
  let namespace: LabNamespace | undefined;
  let endServers = () => {};
  let keepLogs = true;
  try {
    const task = ports.progress.task('Lab');
    const lab = await watched(task, async () => {
      // First of all, since this is what fails without the rights for it.
      if (options.network === 'lab') namespace = await LabNamespace.open(ports, options.signal);
      const running = await startLab(ports, options, { directory, logs, namespace });
      endServers = running.endServers;
      task.done(
        namespace === undefined
          ? 'DHCP and TFTP by QEMU itself'
          : `DHCP, TFTP and NFS at ${LAB.server} in namespaces of their own`,
      );
      return running;
    });
    const report = await bootWithFallback(ports, options, lab);
    keepLogs = report.result === 'fail' || options.keep || options.report !== undefined;
    writeBootReport(fs, logs, report);
    if (keepLogs) return report;
    const { logs: _, ...rest } = report;
    return rest;
  } catch (error) {
    if (options.signal?.aborted) {
      keepLogs = options.report !== undefined;
      throw new MkrootError('Cannot finish the boot test: interrupted', {
        exitCode: ExitCode.Interrupted,
        cause: error,
      });
    }
    throw error;
  } finally {
    endServers();
    await namespace?.close();
    if (options.keep) ports.progress.note(`Kept the lab's files: ${displayPath(directory)}`);
    else fs.remove(directory);
    if (!keepLogs || fs.readdir(logs).length === 0) fs.remove(logs);
  }
}

function withMachine(fs: Ports['fs'], options: BootTestOptions): BootTest {
  const { scenario, subject, ...rest } = options;
  const start = scenario === undefined ? undefined : (scenario.start ?? 'direct');
  const chosen = chooseMachine(fs, {
    ...rest,
    root: subject.root,
    ...(start === undefined ? {} : { start }),
  });
  return { ...options, chosen, nic: options.nic ?? chosen.type.nic };
}

interface RunningLab {
  readonly files: LabFiles;
  readonly initrd: KnownInitrd;
  readonly logs: BytePath;
  readonly enter: (argv: readonly string[]) => [string, ...string[]];
  readonly listenToDhcpLog: (listener: ((line: string) => void) | undefined) => void;
  readonly problem: () => string | undefined;
  /** A step of a scenario, such as `nfs stop`. */
  readonly toServers: (step: string) => Promise<void>;
  readonly endServers: () => void;
  readonly direct: Machine['direct'];
}

/** Lays out the files of a lab and starts its servers; in QEMU's own network there are none to start. */
async function startLab(
  ports: Ports,
  options: BootTest,
  {
    directory,
    logs,
    namespace,
  }: { directory: BytePath; logs: BytePath; namespace: LabNamespace | undefined },
): Promise<RunningLab> {
  const initrd = await knowInitrd(ports, options, `${directory}/${TFTP.driverSegment}`);
  const expected: ExpectedNode = {
    hostname: options.scenario?.hostname ?? LAB.hostname,
    modules: initrd.modules,
    reportPort: options.chosen.type.reportPort,
    shippedFiles: `${options.shippedFiles}/self-check`,
    files: {
      ...options.scenario?.files,
      ...(options.scenario?.persistent === undefined
        ? {}
        : { '/etc/mkroot/persistent': options.scenario.persistent }),
    },
    ...(options.kept === undefined ? {} : { kept: options.kept }),
    ...(options.scenario?.guest === undefined ? {} : { guestScript: options.scenario.guest }),
  };
  const commandLine = labCommandLine(options, options.chosen.type.console);
  const files = prepareLabFiles(
    ports.fs,
    directory,
    {
      ...options.subject,
      ...initrd.segment,
      ...(options.baseImage === undefined ? {} : { image: directoryOf(options.baseImage.path) }),
    },
    namespace === undefined ? undefined : expected,
    commandLine,
  );
  let dhcpListener: ((line: string) => void) | undefined;
  const services =
    namespace === undefined
      ? undefined
      : await startLabServices(ports, namespace, files, {
          logs,
          onDhcpLine: (line) => dhcpListener?.(line),
          furtherTaps: nicsOf(options.scenario).map(({ tap, place }) => ({ device: tap, place })),
          ...scenarioServers(options),
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        });
  return {
    files,
    initrd,
    logs,
    enter: (argv) => namespace?.enter(argv) ?? nonEmpty(argv),
    listenToDhcpLog: (listener) => {
      dhcpListener = listener;
    },
    problem: () => {
      const name = services?.dead();
      return name === undefined ? undefined : `${name}, a server of the lab, ended; see ${logs}/${name}.log`;
    },
    toServers: async (step) => {
      const [name, verb] = step.split(' ') as ['nfs' | 'dhcp' | 'http', ServiceVerb];
      await services?.control(name, verb);
    },
    endServers: () => services?.end(),
    direct: options.chosen.direct
      ? {
          kernel: files.kernel.path,
          initrd: joinSegments(ports.fs, `${directory}/direct.img`, [
            files.initrd,
            ...(files.driverSegment === undefined ? [] : [files.driverSegment]),
          ]),
          commandLine,
        }
      : undefined,
  };
}

function directoryOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The NICs beside the one that the node boots from. */
function nicsOf(scenario: ScenarioBoot | undefined): (OtherNic & { readonly place: 'lab' | 'elsewhere' })[] {
  const { nics = ['lab'], bootNic = 1 } = scenario ?? {};
  return nics.flatMap((place, index) =>
    index + 1 === bootNic
      ? []
      : [
          {
            mac: `52:54:00:77:01:0${index + 1}`,
            tap: `other${index + 1}`,
            place,
            slot: index + 1 < bootNic ? ('before' as const) : ('behind' as const),
          },
        ],
  );
}

async function bootWithFallback(ports: Ports, options: BootTest, lab: RunningLab): Promise<BootReport> {
  const { scenario, chosen } = options;
  const choices = chosen.accelerators;
  const milestones = milestonesFor(options);
  const consoleLog = `${lab.logs}/console.log`;
  let fallback: string | undefined;
  for (const [index, accelerator] of choices.entries()) {
    const task = ports.progress.task(`Boot (${accelerator.toUpperCase()})`);
    const startedAt = ports.clock.now().toISOString();
    const director = scenario === undefined ? undefined : new ScenarioDirector(scenario);
    const attempt = await watched(task, () =>
      bootNode(ports, {
        machine: {
          type: chosen.type,
          accelerator,
          nic: options.nic,
          mac: scenario?.mac ?? LAB.mac,
          network: nodeNetwork(options, lab.files.tftpRoot),
          memory: scenario?.memory ?? options.memory,
          ...(scenario?.clock === undefined ? {} : { clock: scenario.clock }),
          ...(scenario?.disk === undefined || options.kept === undefined
            ? {}
            : { disk: `${options.kept}/${LAB_DISK}` }),
          cpus: options.cpus ?? processorsFor(accelerator),
          secondSerial: `${lab.logs}/self-check.log`,
          ...(lab.direct === undefined ? {} : { direct: lab.direct }),
          ...(scenario === undefined ? {} : { monitor: true, otherNics: nicsOf(scenario) }),
        },
        enter: lab.enter,
        served: { loader: TFTP.loader, kernel: TFTP.kernel, lastInitrd: lab.files.lastInitrd },
        milestones,
        timeoutMs: options.timeoutMs,
        consoleLog,
        listenToDhcpLog: lab.listenToDhcpLog,
        labProblem: lab.problem,
        onNews: (what, atMs) => task.update(`${(atMs / 1000).toFixed(1)} s ${what}`),
        ...(director === undefined
          ? {}
          : { direction: { director, end: endOf(scenario), toServers: lab.toServers } }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    );
    if (attempt.silent && index + 1 < choices.length) {
      ports.fs.rename(consoleLog, `${lab.logs}/console-${accelerator}.log`);
      fallback = `${accelerator.toUpperCase()}: ${attempt.problem}`;
      task.skipped(`given up, ${attempt.problem}; trying again with ${choices[index + 1]!.toUpperCase()}`);
      continue;
    }
    const checks = [...lab.initrd.checks, ...attempt.selfCheck.checks];
    const failure = failureOf({
      ...attempt,
      problem: attempt.problem ?? director?.problem(attempt.endedMs, checks),
      goalReached: endOf(scenario) !== 'milestone' && attempt.problem === undefined,
      checks,
      requiredChecks:
        milestones.at(-1)?.id === 'power-off' && scenario?.init !== 'guest'
          ? selfCheckNames(lab.initrd.modules)
          : [],
    });
    if (failure === undefined) task.done(`${attempt.timeline.latest?.title ?? 'nothing'} reached`);
    else task.fail(failure.reason);
    return {
      result: failure === undefined ? 'pass' : 'fail',
      image: options.image,
      startedAt,
      network: options.network,
      accelerator,
      ...(fallback === undefined ? {} : { fallback }),
      root: displayPath(options.subject.root),
      kernel: lab.files.kernel,
      initrd: lab.files.initrd,
      ...(lab.files.driverSegment === undefined ? {} : { driverSegment: lab.files.driverSegment }),
      milestones: attempt.timeline.reached,
      checks,
      ...(director === undefined
        ? {}
        : {
            proved: director.proved,
            endedMs: attempt.endedMs,
            secondsFromLastStep: director.sinceLastStep(attempt.endedMs),
          }),
      ...(failure === undefined ? {} : { failure }),
      notTested: [
        ...(options.network === 'user' ? NOT_TESTED_WITHOUT_LAB : []),
        ...(chosen.type.start === 'direct' ? NOT_TESTED_WITHOUT_FIRMWARE : []),
      ],
      logs: displayPath(lab.logs),
    };
  }
  throw new MkrootError('Cannot boot: there is no accelerator to try', { exitCode: ExitCode.Internal });
}

async function watched<T>(task: Task, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    task.fail();
    throw error;
  }
}

/** How a boot ends that may end otherwise than by reaching its last milestone. */
function endOf(scenario: ScenarioBoot | undefined): 'milestone' | 'reset' | 'seen' {
  return scenario?.end === 'reset' || scenario?.end === 'seen' ? scenario.end : 'milestone';
}

/** Milestones up to the one that ends the test, without those of a firmware that takes no part. */
function milestonesFor({ network, scenario, chosen }: BootTest): readonly Milestone[] {
  const all = bootMilestones(bootStages);
  const goal = network === 'user' ? USER_NETWORK_GOAL : (scenario?.end ?? 'power-off');
  const upToGoal =
    endOf(scenario) !== 'milestone'
      ? all.filter(({ id }) => id !== 'power-off')
      : all.slice(0, all.findIndex(({ id }) => id === goal) + 1);
  return upToGoal.filter(
    ({ id, phase }) =>
      (!chosen.direct || id === 'power-on' || (phase !== 'firmware' && phase !== 'loader')) &&
      !(scenario?.init === 'guest' && OF_THE_SYSTEM.includes(id)),
  );
}

function nodeNetwork({ network, scenario }: BootTest, tftpRoot: BytePath): NodeNetwork {
  if (network === 'user') return { kind: 'user', tftpRoot, bootFile: TFTP.loader, hostname: LAB.hostname };
  if (scenario?.vlan === undefined) return { kind: 'tap', device: LAB.tap };
  return {
    kind: 'tagged',
    device: LAB.tap,
    untaggedPort: VLAN_SWITCH.untagged,
    taggedPort: VLAN_SWITCH.tagged,
  };
}

function makeLogDirectory({ fs }: Ports, { logsParent, temporaryParent, image }: BootTestOptions): BytePath {
  const name = image.replaceAll(/[^\w.-]+/g, '_').replace(/^_+/, '') || 'root';
  try {
    fs.mkdir(logsParent);
    return fs.makeTemporaryDirectory(`${logsParent}/${name}-`);
  } catch (error) {
    if (!(error instanceof MkrootError)) throw error;
    return fs.makeTemporaryDirectory(`${temporaryParent}/mkroot-boot-${name}-`); // not root: no state directory
  }
}

function nonEmpty(argv: readonly string[]): [string, ...string[]] {
  const [program = '', ...rest] = argv;
  return [program, ...rest];
}
