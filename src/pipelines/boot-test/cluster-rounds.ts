import { ExitCode, MkrootError } from '../../errors.js';
import { defaultBootFiles } from '../../netboot/dhcp-service.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { prepareTestNode } from '../../stages/boot-test/prepare-test-node.js';
import type { HeadNode } from '../../stages/boot-test/start-head-node.js';
import { tapName } from '../../vm/cluster-network.js';
import type { ClusterReport, NodeTestReport } from '../../vm/cluster-report.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';
import { NodeVigil } from '../../vm/node-vigil.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { bootTestNode } from './boot-test-node.js';
import { chooseTestNodes, type TestCluster } from './choose-test-nodes.js';
import type { StandIns } from './cluster-stand-ins.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import { type NodePersistent, prepareNodePersistent } from './lab-persistent.js';
import { type NodeMachine, nodeMachine, withHostLayer } from './node-machine.js';

/** How long a system may take to settle after multi-user while several machines are emulated at once. */
const SETTLE_SECONDS = 240;

/** A boot of all nodes that is ready to begin. */
export interface Round {
  readonly site: NetbootSite;
  readonly machines: readonly NodeMachine[];
  /** By the node's name. */
  readonly persistent: ReadonlyMap<string, readonly NodePersistent[]>;
}

/** Finds out what the nodes boot now, makes what stands in for it, and tells each node what it has to find. */
export async function prepareRound(
  ports: Ports,
  standIns: StandIns,
  { site, nodes }: TestCluster,
  options: ClusterTestOptions,
  bootsBefore = 0,
): Promise<Round> {
  const { fs } = ports;
  const published = nodes.map((test, index) =>
    nodeMachine(fs, standIns.state, test, tapName(index), options),
  );
  const machines: NodeMachine[] = [];
  const persistent = new Map<string, readonly NodePersistent[]>();
  const staysUp = bootsBefore < options.during.length;
  const shippedFiles = `${options.shippedFiles}/self-check`;
  // What later boots need has to be there before the servers start.
  if (options.during.length > 0) await standIns.copyBootFiles();
  await standIns.refresh();
  for (const asPublished of published) {
    const { node, published: entry } = asPublished.test;
    const { initrd, layers } = asPublished.boot;
    const copy = standIns.hostVersion(node.name, layers.host);
    const machine = withHostLayer(asPublished, copy.layer);
    machines.push(machine);
    const server = site.server.address;
    const nics = published.filter(({ boot }) => boot.initrd === initrd).map(({ nic }) => nic);
    await standIns.drivers(machine.boot, [...new Set(nics)]);
    const kept = await prepareNodePersistent(ports, standIns, { node, server, layers, bootsBefore });
    persistent.set(node.name, kept);
    await prepareTestNode(ports, {
      layers,
      target: copy.target,
      hostLayer: copy.layer,
      expected: {
        hostname: entry.boot.parameters.hostname ?? node.name,
        modules: [],
        reportPort: machine.chosen.type.reportPort,
        shippedFiles,
        settleSeconds: SETTLE_SECONDS,
        ...(staysUp
          ? { guestScript: Buffer.from(fs.readFile(`${shippedFiles}/stay-up.sh`)).toString('utf8') }
          : {}),
      },
      own: { server, path: copy.layer },
      others: otherNode(site, node.name),
      persistent: kept,
    });
    const { files, why } = machine.bootFiles;
    if (why !== undefined) await standIns.bootFiles(files, site, why);
  }
  return { site, machines, persistent };
}

/** What belongs to the node after this one: its layers, and what it keeps over reboots. */
function otherNode({ nodes, server }: NetbootSite, name: string) {
  const index = nodes.findIndex((node) => node.name === name);
  const others = [...nodes.slice(index + 1), ...nodes.slice(0, index)];
  const other = others.find(({ boot }) => boot.parameters.host !== undefined);
  const layer = other?.boot.parameters.host?.path;
  if (other === undefined || layer === undefined) return [];
  const kept = (other.directories ?? []).filter(({ access }) => access === 'rw').map(({ path }) => path);
  return [layer, ...kept].map((path) => ({ node: other.name, server: server.address, path }));
}

/** A lab whose head node serves. */
export interface ClusterLab {
  readonly composer: LayerComposer;
  readonly standIns: StandIns;
  readonly namespace: LabNamespace;
  readonly head: HeadNode;
  /** Wants the lines of the DHCP and TFTP server's log that are about an address; undefined for no more. */
  readonly listen: (address: string, listener: ((line: string) => void) | undefined) => void;
  readonly logs: BytePath;
  readonly options: ClusterTestOptions;
}

/** Boots all nodes at once, again after each command that is run while they are up; ends with the first round that fails. */
export async function runRounds(ports: Ports, lab: ClusterLab, first: Round): Promise<ClusterReport> {
  const { composer, standIns, options } = lab;
  const startedAt = ports.clock.now().toISOString();
  const during: string[] = [];
  let round = first;
  let nodes = await bootRound(ports, lab, round, 0, during);
  const names = first.machines.map(({ test }) => test.node.name).join(',');
  for (let boots = 1; boots <= options.during.length && allPass(nodes); boots += 1) {
    const cluster = chooseTestNodes(ports.fs, composer, { nodes: names, groups: [] });
    const mounts = standIns.mounts.length;
    round = await prepareRound(ports, standIns, cluster, options, boots);
    if (standIns.mounts.length > mounts) {
      throw new MkrootError('Cannot boot the nodes again: what is published now is of another image', {
        exitCode: ExitCode.Usage,
        hint: 'Test it by itself: mkroot qemu-test --nodes',
      });
    }
    const again = await bootRound(ports, lab, round, boots, during);
    nodes = nodes.map((node, index) => {
      const { result, boots: more } = again[index]!;
      return { ...node, result, boots: [...node.boots, ...more] };
    });
  }
  return {
    result: allPass(nodes) ? 'pass' : 'fail',
    startedAt,
    nodes,
    during,
    replaced: standIns.replaced,
  };
}

function allPass(nodes: readonly NodeTestReport[]): boolean {
  return nodes.every(({ result }) => result === 'pass');
}

/** @param ran commands that were run while nodes were up; this round's is added */
async function bootRound(
  ports: Ports,
  { namespace, head, listen, logs, options }: ClusterLab,
  { site, machines, persistent }: Round,
  bootsBefore: number,
  ran: string[],
): Promise<readonly NodeTestReport[]> {
  const command = options.during[bootsBefore];
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const boots = machines.map((machine) => {
    const { published, node } = machine.test;
    const vigil = command === undefined ? undefined : new NodeVigil();
    const booted = bootTestNode(ports, machine, {
      enter: (argv) => namespace.enter(argv),
      labProblem: head.problem,
      listenToDhcpLog: (listener) => listen(published.address, listener),
      logs: options.during.length === 0 ? `${logs}/${node.name}` : `${logs}/${node.name}-${bootsBefore + 1}`,
      persistent: persistent.get(node.name) ?? [],
      bootFiles: site.bootFiles ?? defaultBootFiles,
      bootsBefore,
      ...(vigil === undefined ? {} : { vigil }),
      options: { ...options, signal },
    }).then(
      (boot): NodeTestReport => ({
        node: node.name,
        group: node.group,
        address: published.address,
        firmware: machine.firmware,
        result: boot.result,
        boots: [boot],
      }),
    );
    return { vigil, booted };
  });
  const booted = boots.map((boot) => boot.booted);
  try {
    if (command !== undefined) {
      const up = Promise.all(boots.map(({ vigil }) => vigil?.up)).then(() => true);
      const gone = Promise.race(booted).then(() => false);
      if (await Promise.race([up, gone])) {
        ran.push(command);
        await runDuring(ports, command, options.signal);
      }
      for (const { vigil } of boots) vigil?.release();
    }
    return await Promise.all(booted);
  } catch (error) {
    // No machine outlives the round, whose directories are taken away.
    stop.abort();
    await Promise.allSettled(booted);
    throw error;
  }
}

async function runDuring({ runner, progress }: Ports, command: string, signal?: AbortSignal): Promise<void> {
  const task = progress.task('The command while nodes are up');
  try {
    await runner.run({
      argv: ['sh', '-c', command],
      onLine: (line) => task.update(line),
      ...(signal === undefined ? {} : { signal }),
    });
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  }
}
