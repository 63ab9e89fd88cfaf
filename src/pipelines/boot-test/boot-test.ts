import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { Task } from '../../ports/progress.js';
import { bootNode } from '../../stages/boot-test/boot-node.js';
import { requireLabTools } from '../../stages/boot-test/require-lab-tools.js';
import { writeBootReport } from '../../stages/boot-test/write-boot-report.js';
import { processorsFor } from '../../vm/accelerator.js';
import type { BootReport } from '../../vm/boot-report.js';
import { failureOf } from '../../vm/boot-verdict.js';
import { TFTP } from '../../vm/lab-config.js';
import { LabNamespace } from '../../vm/lab-namespace.js';
import { LAB, VLAN_SWITCH } from '../../vm/lab-network.js';
import type { NodeNetwork } from '../../vm/qemu-argv.js';
import { ScenarioDirector } from '../../vm/scenario-director.js';
import { selfCheckNames } from '../../vm/self-check-report.js';
import { withOwnVariables } from '../../vm/uefi.js';
import { endOf, milestonesFor } from './boot-goal.js';
import { type BootTest, machineFor } from './boot-test-machine.js';
import type { BootTestOptions } from './boot-test-options.js';
import { inLab } from './in-lab.js';
import { disksOf, nicsOf, type RunningLab, startLab } from './start-lab.js';

const NOT_TESTED_WITHOUT_LAB: readonly string[] = [
  'the mount of the base and the layers over NFS',
  'the overlay, switch_root and the system itself',
  'the self-check inside the node and its power-off',
];

/** Where QEMU loads the kernel itself. */
const NOT_TESTED_WITHOUT_FIRMWARE: readonly string[] = [
  'the firmware and the boot loader: QEMU loaded kernel and initrd itself',
];

/**
 * Boots an image over the network in a virtual machine and tells how it went:
 * lab files -> namespaces -> servers -> machine (KVM, then TCG if silent) -> report. A boot that fails is a result, not
 * an error; errors are what keeps the test from being made. Whatever happens, nothing of the lab stays behind.
 */
export async function bootTest(ports: Ports, wanted: BootTestOptions): Promise<BootReport> {
  const options = machineFor(ports.fs, wanted);
  requireLabTools(ports, options.chosen.type, options.network === 'lab');
  const purpose = {
    ...options,
    what: 'the boot test',
    makeLogs: () => makeLogDirectory(ports, options),
    write: writeBootReport,
  };
  return inLab(ports, purpose, async ({ directory, logs, atEnd }) => {
    const task = ports.progress.task('Lab');
    const lab = await watched(task, async () => {
      // First of all, since this is what fails without the rights for it.
      const namespace =
        options.network === 'lab' ? await LabNamespace.open(ports, options.signal) : undefined;
      if (namespace !== undefined) atEnd(() => namespace.close());
      const running = await startLab(ports, options, { directory, logs, namespace });
      atEnd(running.endServers);
      task.done(
        namespace === undefined
          ? 'DHCP and TFTP by QEMU itself'
          : `DHCP, TFTP and NFS at ${LAB.server} in namespaces of their own`,
      );
      return running;
    });
    return bootWithFallback(ports, options, lab);
  });
}

async function bootWithFallback(ports: Ports, options: BootTest, lab: RunningLab): Promise<BootReport> {
  const { scenario, chosen } = options;
  const { firmware } = chosen;
  const choices = chosen.accelerators;
  const milestones = milestonesFor({ ...options, direct: chosen.direct });
  const consoleLog = `${lab.logs}/console.log`;
  let fallback: string | undefined;
  for (const [index, accelerator] of choices.entries()) {
    const started = firmware === undefined ? '' : `${firmware.toUpperCase()}, `;
    const task = ports.progress.task(`Boot (${started}${accelerator.toUpperCase()})`);
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
          disks: disksOf(scenario, options.kept),
          cpus: options.cpus ?? processorsFor(accelerator),
          ...(chosen.uefi === undefined
            ? {}
            : {
                uefi: withOwnVariables(ports.fs, chosen.uefi, `${lab.directory}/uefi-variables.fd`),
                uefiHttpBoot: firmware === 'uefi-http',
              }),
          secondSerial: `${lab.logs}/self-check.log`,
          ...(lab.direct === undefined ? {} : { direct: lab.direct }),
          ...(scenario === undefined ? {} : { monitor: true, otherNics: nicsOf(scenario) }),
        },
        enter: lab.enter,
        served: {
          loader: chosen.uefi === undefined ? TFTP.loader : TFTP.ipxeScript,
          kernel: TFTP.kernel,
          lastInitrd: lab.files.lastInitrd,
        },
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
      ...(firmware === undefined ? {} : { firmware }),
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
