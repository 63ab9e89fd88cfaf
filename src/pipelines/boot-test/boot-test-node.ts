import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../../errors.js';
import { bootStages } from '../../netboot/boot-stages.js';
import type { BootFiles } from '../../netboot/dhcp-service.js';
import { renderKernelCommandLine } from '../../netboot/kernel-command-line.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { type BootNodeOptions, bootNode } from '../../stages/boot-test/boot-node.js';
import { processorsFor } from '../../vm/accelerator.js';
import type { BootReport, ReportedFile } from '../../vm/boot-report.js';
import { failureOf } from '../../vm/boot-verdict.js';
import { bootMilestones, type Milestone } from '../../vm/milestones.js';
import { type NodeVigil, withVigilCheck } from '../../vm/node-vigil.js';
import type { Machine } from '../../vm/qemu-argv.js';
import { clusterCheckNames } from '../../vm/self-check-report.js';
import { withOwnVariables } from '../../vm/uefi.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import { type NodePersistent, persistentChecks } from './lab-persistent.js';
import type { NodeMachine } from './node-machine.js';

/** Where a node of a cluster test boots. */
export interface NodeBootPlace {
  /** Puts the command into the lab's namespaces. */
  readonly enter: (argv: readonly string[]) => [string, ...string[]];
  readonly labProblem: () => string | undefined;
  /** Hands over the function that wants the lines of the DHCP and TFTP server's log that are about this node. */
  readonly listenToDhcpLog: BootNodeOptions['listenToDhcpLog'];
  /** Directory for this boot's logs. */
  readonly logs: BytePath;
  /** Directories of the node that outlive its reboots. */
  readonly persistent: readonly NodePersistent[];
  /** What the servers tell machines to load. */
  readonly bootFiles: BootFiles;
  /** How many boots it has behind it in this lab. */
  readonly bootsBefore: number;
  /** Stays up until this lets it go, and then resets; without it the node powers itself off. */
  readonly vigil?: NodeVigil;
  readonly options: ClusterTestOptions;
}

/** Boots one node of a cluster from what is published and says how it went. */
export async function bootTestNode(
  ports: Ports,
  machine: NodeMachine,
  {
    enter,
    labProblem,
    listenToDhcpLog,
    logs,
    persistent,
    bootFiles,
    bootsBefore,
    vigil,
    options,
  }: NodeBootPlace,
): Promise<BootReport> {
  const { fs } = ports;
  const { test, boot, chosen, firmware } = machine;
  fs.mkdir(logs);
  const consoleLog = `${logs}/console.log`;
  const milestones = milestonesFor(machine);
  const choices = chosen.accelerators;
  let fallback: string | undefined;
  for (const [index, accelerator] of choices.entries()) {
    const what = chosen.direct ? 'kernel by QEMU' : firmware === 'uefi' ? 'UEFI' : 'BIOS';
    const task = ports.progress.task(
      `${test.node.name} (${test.node.group}, ${what}, ${accelerator.toUpperCase()})`,
      { follow: true },
    );
    const startedAt = ports.clock.now().toISOString();
    let attempt: Awaited<ReturnType<typeof bootNode>>;
    try {
      attempt = await bootNode(ports, {
        machine: machineArguments(ports, machine, {
          accelerator,
          logs,
          options,
          monitor: vigil !== undefined,
        }),
        enter,
        served: { loader: loaderFile(machine, bootFiles), kernel: 'vmlinuz', lastInitrd: boot.initrdName },
        milestones,
        timeoutMs: options.timeoutMs,
        consoleLog,
        listenToDhcpLog,
        labProblem,
        onNews: (news, atMs) => task.update(`${(atMs / 1000).toFixed(1)} s ${news}`),
        ...(vigil === undefined
          ? {}
          : { direction: { director: vigil, end: 'reset', toServers: async () => {} } }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      task.fail();
      throw error;
    }
    if (attempt.silent && index + 1 < choices.length) {
      fs.rename(consoleLog, `${logs}/console-${accelerator}.log`);
      fallback = `${accelerator.toUpperCase()}: ${attempt.problem}`;
      task.skipped(`given up, ${attempt.problem}; trying again with ${choices[index + 1]!.toUpperCase()}`);
      continue;
    }
    const reported = attempt.selfCheck.checks;
    const checks = [
      ...(vigil === undefined ? reported : withVigilCheck(reported)),
      ...persistentChecks(fs, test.node.name, persistent, bootsBefore + 1),
    ];
    const failure = failureOf({
      ...attempt,
      goalReached: vigil !== undefined && attempt.problem === undefined,
      checks,
      requiredChecks: clusterCheckNames(
        boot.layers.cluster.length,
        persistent.map(({ path }) => path),
      ),
    });
    if (failure === undefined) task.done(vigil === undefined ? 'power-off reached' : 'reset');
    else task.fail(failure.reason);
    return {
      result: failure === undefined ? 'pass' : 'fail',
      image: `${boot.image} ${boot.generation}`,
      startedAt,
      network: 'lab',
      accelerator,
      ...(fallback === undefined ? {} : { fallback }),
      root: displayPath(boot.layers.base),
      kernel: reportedFile(ports, boot.kernel),
      initrd: reportedFile(ports, boot.initrd),
      milestones: attempt.timeline.reached,
      checks,
      endedMs: attempt.endedMs,
      ...(failure === undefined ? {} : { failure }),
      notTested: chosen.direct
        ? ['the firmware and the boot loader: QEMU loaded kernel and initrd itself']
        : [],
      logs: displayPath(logs),
    };
  }
  throw new MkrootError('Cannot boot: there is no accelerator to try', { exitCode: ExitCode.Internal });
}

function machineArguments(
  { fs }: Ports,
  machine: NodeMachine,
  {
    accelerator,
    logs,
    options,
    monitor,
  }: Pick<NodeBootPlace, 'logs' | 'options'> & Required<Pick<Machine, 'accelerator' | 'monitor'>>,
): Machine {
  const { test, boot, chosen, nic, tap, uefi } = machine;
  return {
    type: chosen.type,
    accelerator,
    nic,
    mac: test.published.mac,
    network: { kind: 'tap', device: tap },
    memory: options.memory,
    cpus: options.cpus ?? processorsFor(accelerator),
    monitor,
    secondSerial: `${logs}/self-check.log`,
    ...(uefi === undefined ? {} : { uefi: withOwnVariables(fs, uefi, `${logs}/uefi-variables.fd`) }),
    ...(chosen.direct
      ? {
          direct: {
            kernel: boot.kernel,
            initrd: boot.initrd,
            commandLine: renderKernelCommandLine({
              ...machine.bootFiles.files.boot.parameters,
              image: boot.image,
              generation: boot.generation,
              bootMac: test.published.mac,
            }),
          },
        }
      : {}),
  };
}

/** The file that marks the boot loader's start: iPXE's script where iPXE goes on with that, else the loader itself. */
function loaderFile({ firmware }: NodeMachine, bootFiles: BootFiles): string {
  const path = bootFiles.ipxe ?? (firmware === 'uefi' ? bootFiles.efiX64 : undefined) ?? bootFiles.bios;
  return path.slice(path.lastIndexOf('/') + 1);
}

/** All of a boot, without those of a firmware that takes no part. */
function milestonesFor({ chosen }: NodeMachine): readonly Milestone[] {
  const titles: Readonly<Record<string, string>> = {
    'tftp-loader': 'boot loader',
    'tftp-kernel': 'kernel fetched',
    'tftp-initrd': 'initrd fetched',
  };
  return bootMilestones(bootStages)
    .filter(
      ({ id, phase }) => !chosen.direct || id === 'power-on' || (phase !== 'firmware' && phase !== 'loader'),
    )
    .map((milestone) => ({ ...milestone, title: titles[milestone.id] ?? milestone.title }));
}

function reportedFile({ fs }: Ports, path: BytePath): ReportedFile {
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(path)) hash.update(chunk);
  return { path: displayPath(path), size: fs.lstat(path)?.size ?? 0, sha256: hash.digest('hex') };
}
