import { ExitCode, MkrootError } from '../../errors.js';
import { ipv4Subnet } from '../../netboot/ipv4-subnet.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import type { Ports } from '../../ports/ports.js';
import { clusterNetworkBatch, routerAdvertiser } from '../../vm/cluster-network.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';
import type { TestCluster } from './choose-test-nodes.js';

/** The device that nodes of a lab are on: the first that the servers were published for. */
export function labDevice({ server }: NetbootSite): string {
  return server.interfaces[0] ?? 'br0';
}

/** Makes the head node's side of the network: its addresses, a tap for each node, and a router that routes nothing. */
export async function makeClusterNetwork(
  { runner }: Ports,
  namespace: LabNamespace,
  site: NetbootSite,
  taps: readonly string[],
): Promise<void> {
  const { address, interfaces } = site.server;
  const networks = site.networks.map(({ subnet, gateway }) => ({ gateway, subnet: ipv4Subnet(subnet) }));
  const home = networks.find(({ subnet }) => subnet.contains(address));
  // Nodes of other networks reach the head node through their gateway, which it is in the lab.
  const gateways = networks.flatMap(({ gateway, subnet }) =>
    gateway === undefined || gateway === address || subnet === home?.subnet
      ? []
      : [`${gateway}/${subnet.prefixLength}`],
  );
  const device = labDevice(site);
  await runner.run({
    argv: namespace.enter(['ip', '-batch', '-']),
    input: Buffer.from(
      clusterNetworkBatch({
        devices: [device, ...interfaces.slice(1)],
        addresses: [`${address}/${home?.subnet.prefixLength ?? 32}`, ...gateways],
        taps,
      }),
    ),
  });
  await runner.start({ argv: namespace.enter(routerAdvertiser(device)), accept: 'any' });
}

/**
 * The lab has one head node, which is the server that the tree is for.
 * @throws MkrootError Usage if a layer of a node comes from another one.
 */
export function requireOneServer({ site: { server: head }, nodes }: TestCluster): void {
  for (const { published } of nodes) {
    const { base, cluster = [], host } = published.boot.parameters;
    const other = [base, ...cluster, host].find(
      (location) => location?.server !== undefined && !location.server.split('+').includes(head.address),
    );
    if (other === undefined) continue;
    throw new MkrootError(
      `Cannot boot "${published.name}": its root comes from ${other.server}, and the lab has one server, ${head.address}`,
      { exitCode: ExitCode.Usage, hint: 'Publish for that server: mkroot publish --server NAME' },
    );
  }
}
