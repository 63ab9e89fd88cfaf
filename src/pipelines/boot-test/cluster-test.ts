import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { followLog } from '../../stages/follow-log.js';
import { requireLabTools } from '../../stages/require-lab-tools.js';
import { removeStaleLabs, reserveLabDirectory } from '../../stages/reserve-lab-directory.js';
import { type HeadNode, startHeadNode } from '../../stages/start-head-node.js';
import { writeClusterReport } from '../../stages/write-boot-report.js';
import type { ClusterReport } from '../../vm/cluster-report.js';
import { LabNamespace } from '../../vm/lab-namespace.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { chooseTestNodes } from './choose-test-nodes.js';
import { labDevice, makeClusterNetwork, requireOneServer } from './cluster-lab-network.js';
import { type ClusterLab, prepareRound, runRounds } from './cluster-rounds.js';
import { StandIns } from './cluster-stand-ins.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import { nodeMachine } from './node-machine.js';

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
  const { state, directory: siteDirectory } = composer.site;
  const cluster = chooseTestNodes(fs, composer, options);
  requireOneServer(cluster);
  const types = cluster.nodes.map((test) => nodeMachine(fs, state, test, '', options).chosen.type);
  for (const type of new Set(types)) requireLabTools(ports, type, true);
  const logs = options.report ?? makeLogDirectory(ports, options);
  fs.mkdir(logs);
  removeStaleLabs(ports, state);
  const directory = reserveLabDirectory(ports, state);
  const standIns = new StandIns(ports, { directory, state, writeState: options.writeState });
  let namespace: LabNamespace | undefined;
  let head: HeadNode | undefined;
  let following: Promise<void> | undefined;
  const over = new AbortController();
  let keepLogs = true;
  try {
    // Leases and what nodes report are the lab's, not the cluster's.
    standIns.blank('serve');
    standIns.blank('booted');
    const round = await prepareRound(ports, standIns, cluster, options);
    namespace = await LabNamespace.open(ports, options.signal);
    await makeClusterNetwork(
      ports,
      namespace,
      cluster.site,
      round.machines.map(({ tap }) => tap),
    );
    for (const { from, onto } of standIns.mounts) {
      const argv = namespace.enter(['mount', '--bind', displayPath(from), displayPath(onto)]);
      await ports.runner.run({ argv });
    }
    head = await startHeadNode(ports, namespace, {
      logs,
      device: cluster.site.server.interfaces.length === 0 ? labDevice(cluster.site) : undefined,
      mkroot: options.mkroot,
      site: siteDirectory,
      state,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const listeners = new Map<string, (line: string) => void>();
    const listen: ClusterLab['listen'] = (address, listener) => {
      if (listener === undefined) listeners.delete(address);
      else listeners.set(address, listener);
    };
    following = followLog(
      ports,
      `${standIns.place('serve')}/logs/dnsmasq.log`,
      (line) => {
        for (const word of new Set(line.split(' '))) listeners.get(word)?.(line);
      },
      over.signal,
    );
    const lab = { composer, standIns, namespace, head, listen, logs, options };
    const report = await runRounds(ports, lab, round);
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
    over.abort();
    await following;
    head?.end();
    await namespace?.close();
    if (!options.writeState) keepServerLogs(fs, `${directory}/serve/logs`, logs);
    standIns.end();
    if (options.keep) ports.progress.note(`Kept the lab's files: ${displayPath(directory)}`);
    else fs.remove(directory);
    if (!keepLogs || fs.readdir(logs).length === 0) fs.remove(logs);
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
