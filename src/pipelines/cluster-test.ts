import { ExitCode, MkrootError } from '../errors.js';
import { ipv4Subnet } from '../netboot/ipv4-subnet.js';
import type { NetbootSite } from '../netboot/netboot-site.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import { prepareTestNode } from '../stages/prepare-test-node.js';
import { requireLabTools } from '../stages/require-lab-tools.js';
import { removeStaleLabs, reserveLabDirectory } from '../stages/reserve-lab-directory.js';
import { type HeadNode, startHeadNode } from '../stages/start-head-node.js';
import { writeClusterReport } from '../stages/write-boot-report.js';
import { clusterNetworkBatch, routerAdvertiser, tapName } from '../vm/cluster-network.js';
import type { ClusterReport, NodeTestReport } from '../vm/cluster-report.js';
import { LabNamespace } from '../vm/lab-namespace.js';
import { bootTestNode } from './boot-test-node.js';
import { chooseTestNodes, type TestCluster } from './choose-test-nodes.js';
import { StandIns } from './cluster-stand-ins.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import type { LayerComposer } from './compose-layers.js';
import { type NodePersistent, prepareNodePersistent } from './lab-persistent.js';
import { type NodeMachine, nodeMachine } from './node-machine.js';

/** How long a system may take to settle after multi-user while several machines are emulated at once. */
const SETTLE_SECONDS = 240;

/**
 * Boots several nodes of a site at once, from what is published and by the servers that `mkroot serve` starts, and tells
 * how each of them went: choose nodes -> stand-ins -> namespaces and network -> head node -> machines -> report. A boot
 * that fails is a result, not an error. Nothing of the published state changes, and nothing of the lab stays behind.
 */
export async function clusterTest(
  ports: Ports,
  composer: LayerComposer,
  options: ClusterTestOptions,
): Promise<ClusterReport> {
  const { fs } = ports;
  const { state } = composer.site;
  const cluster = chooseTestNodes(fs, composer, options);
  requireOneServer(cluster);
  const machines = cluster.nodes.map((node, index) => nodeMachine(fs, state, node, tapName(index), options));
  for (const type of new Set(machines.map(({ chosen }) => chosen.type))) requireLabTools(ports, type, true);
  const logs = options.report ?? makeLogDirectory(ports, options);
  fs.mkdir(logs);
  removeStaleLabs(ports, state);
  const directory = reserveLabDirectory(ports, state);
  let namespace: LabNamespace | undefined;
  let head: HeadNode | undefined;
  let standIns: StandIns | undefined;
  let keepLogs = true;
  try {
    standIns = new StandIns(ports, directory, state);
    // Leases and what nodes report are the lab's, not the cluster's.
    standIns.blank('serve');
    standIns.blank('booted');
    const persistent = await prepareNodes(ports, standIns, cluster, machines, options);
    namespace = await LabNamespace.open(ports, options.signal);
    await makeNetwork(ports, namespace, cluster.site, machines);
    for (const { from, onto } of standIns.mounts) {
      await ports.runner.run({
        argv: namespace.enter(['mount', '--bind', displayPath(from), displayPath(onto)]),
      });
    }
    head = await startHeadNode(ports, namespace, {
      logs,
      device: cluster.site.server.interfaces.length === 0 ? deviceOf(cluster.site) : undefined,
      mkroot: options.mkroot,
      site: composer.site.directory,
      state,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const report = await bootAll(ports, { machines, standIns, persistent, namespace, head, logs, options });
    keepLogs = report.result === 'fail' || options.keep || options.report !== undefined;
    writeClusterReport(fs, logs, report);
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
    head?.end();
    await namespace?.close();
    standIns?.end();
    keepServerLogs(fs, `${directory}/serve/logs`, logs);
    if (options.keep) ports.progress.note(`Kept the lab's files: ${displayPath(directory)}`);
    else fs.remove(directory);
    if (!keepLogs || fs.readdir(logs).length === 0) fs.remove(logs);
  }
}

interface RunningCluster {
  readonly machines: readonly NodeMachine[];
  readonly standIns: StandIns;
  /** By the node's name. */
  readonly persistent: ReadonlyMap<string, readonly NodePersistent[]>;
  readonly namespace: LabNamespace;
  readonly head: HeadNode;
  readonly logs: BytePath;
  readonly options: ClusterTestOptions;
}

async function bootAll(
  ports: Ports,
  { machines, standIns, persistent, namespace, head, logs, options }: RunningCluster,
): Promise<ClusterReport> {
  const startedAt = ports.clock.now().toISOString();
  const nodes = await Promise.all(
    machines.map(async (machine): Promise<NodeTestReport> => {
      const { published, node } = machine.test;
      const boot = await bootTestNode(ports, machine, {
        enter: (argv) => namespace.enter(argv),
        labProblem: head.problem,
        logs: `${logs}/${node.name}`,
        persistent: persistent.get(node.name) ?? [],
        options,
      });
      return {
        node: node.name,
        group: node.group,
        address: published.address,
        firmware: machine.firmware,
        result: boot.result,
        boots: [boot],
      };
    }),
  );
  return {
    result: nodes.every(({ result }) => result === 'pass') ? 'pass' : 'fail',
    startedAt,
    nodes,
    during: [],
    replaced: standIns.replaced,
    logs: displayPath(logs),
  };
}

/** Makes what stands in for published files, and tells each node what it has to find. */
async function prepareNodes(
  ports: Ports,
  standIns: StandIns,
  { site }: TestCluster,
  machines: readonly NodeMachine[],
  options: ClusterTestOptions,
): Promise<ReadonlyMap<string, readonly NodePersistent[]>> {
  const persistent = new Map<string, readonly NodePersistent[]>();
  for (const machine of machines) {
    const { published } = machine.test;
    const { initrd, layers } = machine.boot;
    const nics = machines.filter(({ boot }) => boot.initrd === initrd).map(({ nic }) => nic);
    await standIns.drivers(machine.boot, [...new Set(nics)]);
    const server = site.server.address;
    const kept = await prepareNodePersistent(ports, standIns, { node: machine.test.node, server, layers });
    await prepareTestNode(ports, {
      layers,
      target: standIns.hostVersion(published.name, layers.host),
      expected: {
        hostname: published.boot.parameters.hostname ?? published.name,
        modules: [],
        reportPort: machine.chosen.type.reportPort,
        shippedFiles: `${options.shippedFiles}/self-check`,
        settleSeconds: SETTLE_SECONDS,
      },
      own: { server: site.server.address, path: layers.host },
      others: otherNodes(site, published.name),
      persistent: kept,
    });
    persistent.set(published.name, kept);
    const { files, why } = machine.bootFiles;
    if (why !== undefined) await standIns.bootFiles(files, site, why);
  }
  return persistent;
}

/** What belongs to the node after this one: its layers, and what it keeps over reboots. */
function otherNodes({ nodes, server }: NetbootSite, name: string) {
  const index = nodes.findIndex((node) => node.name === name);
  const others = [...nodes.slice(index + 1), ...nodes.slice(0, index)];
  const other = others.find(({ boot }) => boot.parameters.host !== undefined);
  const layer = other?.boot.parameters.host?.path;
  if (other === undefined || layer === undefined) return [];
  const kept = (other.directories ?? []).filter(({ access }) => access === 'rw').map(({ path }) => path);
  return [layer, ...kept].map((path) => ({ node: other.name, server: server.address, path }));
}

/** The head node's side of the network: its addresses, a tap for each node, and a router that routes nothing. */
async function makeNetwork(
  { runner }: Ports,
  namespace: LabNamespace,
  site: NetbootSite,
  machines: readonly NodeMachine[],
): Promise<void> {
  const { address, interfaces } = site.server;
  const networks = site.networks.map((network) => ({ ...network, parsed: ipv4Subnet(network.subnet) }));
  const home = networks.find(({ parsed }) => parsed.contains(address));
  // Nodes of other networks reach the head node through their gateway, which it is in the lab.
  const gateways = networks.flatMap(({ gateway, parsed }) =>
    gateway === undefined || gateway === address || parsed === home?.parsed
      ? []
      : [`${gateway}/${parsed.prefixLength}`],
  );
  await runner.run({
    argv: namespace.enter(['ip', '-batch', '-']),
    input: Buffer.from(
      clusterNetworkBatch({
        devices: [deviceOf(site), ...interfaces.slice(1)],
        addresses: [`${address}/${home?.parsed.prefixLength ?? 32}`, ...gateways],
        taps: machines.map(({ tap }) => tap),
      }),
    ),
  });
  await runner.start({ argv: namespace.enter(routerAdvertiser(deviceOf(site))), accept: 'any' });
}

function deviceOf({ server }: NetbootSite): string {
  return server.interfaces[0] ?? 'br0';
}

/** The lab has one head node, which is the server that the tree is for. */
function requireOneServer({ site: { server: head }, nodes }: TestCluster): void {
  for (const { published } of nodes) {
    const { base, cluster = [], host } = published.boot.parameters;
    const other = [base, ...cluster, host].find(
      (location) => location?.server !== undefined && location.server !== head.address,
    );
    if (other === undefined) continue;
    throw new MkrootError(
      `Cannot boot "${published.name}": its root comes from ${other.server}, and the lab has one server, ${head.address}`,
      { exitCode: ExitCode.Usage, hint: 'Publish for that server: mkroot publish --server NAME' },
    );
  }
}

/** Servers write below the state directory, which in the lab is the lab's own. */
function keepServerLogs(fs: Ports['fs'], from: BytePath, to: BytePath): void {
  if (fs.lstat(from) === undefined) return;
  for (const name of fs.readdir(from)) {
    if (fs.lstat(`${from}/${name}`)?.kind === 'file') fs.rename(`${from}/${name}`, `${to}/${name}`);
  }
}

function makeLogDirectory({ fs }: Ports, { logsParent }: ClusterTestOptions): BytePath {
  fs.mkdir(logsParent);
  return fs.makeTemporaryDirectory(`${logsParent}/cluster-`);
}
