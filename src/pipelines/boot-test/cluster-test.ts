import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { followLog } from '../../stages/boot-test/follow-log.js';
import { requireLabTools } from '../../stages/boot-test/require-lab-tools.js';
import { startHeadNode } from '../../stages/boot-test/start-head-node.js';
import { writeClusterReport } from '../../stages/boot-test/write-boot-report.js';
import type { ClusterReport } from '../../vm/cluster-report.js';
import { LabNamespace } from '../../vm/lab-namespace.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { chooseTestNodes } from './choose-test-nodes.js';
import { labDevice, makeClusterNetwork, requireOneServer } from './cluster-lab-network.js';
import { type ClusterLab, prepareRound, runRounds } from './cluster-rounds.js';
import { StandIns } from './cluster-stand-ins.js';
import type { ClusterTestOptions } from './cluster-test-options.js';
import { inLab } from './in-lab.js';
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
  const purpose = {
    ...options,
    what: 'the boot test',
    temporaryParent: state,
    makeLogs: () => makeLogDirectory(ports, options),
    write: writeClusterReport,
  };
  return inLab(ports, purpose, async ({ directory, logs, atEnd }) => {
    const standIns = new StandIns(ports, { directory, state, writeState: options.writeState });
    atEnd(() => standIns.end());
    if (!options.writeState) atEnd(() => keepServerLogs(fs, `${directory}/serve/logs`, logs));
    // Leases and what nodes report are the lab's, not the cluster's.
    standIns.blank('serve');
    standIns.blank('booted');
    const round = await prepareRound(ports, standIns, cluster, options);
    const namespace = await LabNamespace.open(ports, options.signal);
    atEnd(() => namespace.close());
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
    const head = await startHeadNode(ports, namespace, {
      logs,
      device: cluster.site.server.interfaces.length === 0 ? labDevice(cluster.site) : undefined,
      mkroot: options.mkroot,
      site: siteDirectory,
      state,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    atEnd(() => head.end());
    const listeners = new Map<string, (line: string) => void>();
    const listen: ClusterLab['listen'] = (address, listener) => {
      if (listener === undefined) listeners.delete(address);
      else listeners.set(address, listener);
    };
    const over = new AbortController();
    const following = followLog(
      ports,
      `${standIns.place('serve')}/logs/dnsmasq.log`,
      (line) => {
        for (const word of new Set(line.split(' '))) listeners.get(word)?.(line);
      },
      over.signal,
    );
    atEnd(() => {
      over.abort();
      return following;
    });
    return runRounds(ports, { composer, standIns, namespace, head, listen, logs, options }, round);
  });
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
