import { ExitCode, MkrootError } from '../../errors.js';
import { macBytes } from '../../netboot/kernel-command-line.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import type { Network } from '../../ports/network.js';
import type { Ports } from '../../ports/ports.js';
import { findDhcpServers } from '../../stages/serve/find-dhcp-servers.js';
import { interfaceAddresses } from '../../stages/serve/interface-addresses.js';

/** Nodes as which it is asked for other DHCP servers. */
const ASKED_AS = 3;

/** An interface on which DHCP is answered. */
export interface ServedInterface {
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * The interfaces on which DHCP is answered: those that were published, or `wanted` if none were.
 * @throws MkrootError Usage if `wanted` has others, or none of them has the server's address; NotFound for one that is not
 * there.
 */
export async function servedInterfaces(
  { runner }: Pick<Ports, 'runner'>,
  site: NetbootSite,
  wanted: readonly string[],
): Promise<readonly ServedInterface[]> {
  const { interfaces, address } = site.server;
  const strange = wanted.filter((name) => interfaces.length > 0 && !interfaces.includes(name));
  if (strange.length > 0) {
    throw new MkrootError(
      `Cannot answer DHCP on "${strange.join(', ')}": what was published is for ${interfaces.join(', ')}`,
      {
        exitCode: ExitCode.Usage,
        hint: `Publish for it: mkroot publish --interface ${wanted.join(' --interface ')}`,
      },
    );
  }
  const names = interfaces.length > 0 ? interfaces : wanted;
  if (names.length === 0) {
    throw new MkrootError('Cannot serve: no interface was named, here or when it was published', {
      exitCode: ExitCode.Usage,
      hint: 'Name the one that nodes are on: mkroot serve --interface NAME',
    });
  }
  const found = await Promise.all(
    names.map(async (name) => ({ name, addresses: await interfaceAddresses(runner, name) })),
  );
  const known = found.flatMap(({ name, addresses }): ServedInterface[] =>
    addresses === undefined ? [] : [{ name, addresses }],
  );
  const missing = names.find((name) => !known.some((one) => one.name === name));
  if (missing !== undefined) {
    throw new MkrootError(`Cannot answer DHCP on "${missing}": there is no such interface`, {
      exitCode: ExitCode.NotFound,
      hint: 'To see all: ip -brief address',
    });
  }
  if (!known.some(({ addresses }) => addresses.includes(address))) {
    throw new MkrootError(
      `Cannot serve on "${names.join(', ')}": it does not have the server's address ${address}`,
      {
        exitCode: ExitCode.Usage,
        hint: `Give it the address (ip address add ${address}/PREFIX dev ${names[0]}), or change cluster.servers in nodes.yaml and publish.`,
      },
    );
  }
  return known;
}

/** @throws MkrootError Locked if somebody else answers DHCP there, or hands out boot files. */
export async function refuseOtherDhcp(
  ports: Ports & { readonly network: Network },
  site: NetbootSite,
  interfaces: readonly ServedInterface[],
  signal: AbortSignal,
): Promise<void> {
  const macs = site.nodes.flatMap(({ mac }) => (mac === undefined ? [] : [macBytes(mac).join(':')]));
  const task = ports.progress.task('Looking for other DHCP servers');
  const asked = await Promise.all(
    interfaces.map(async ({ name, addresses: [address] }) => {
      const offers =
        address === undefined ? [] : await findDhcpServers(ports, address, macs.slice(0, ASKED_AS), signal);
      return { name, offer: offers[0] };
    }),
  );
  const other = asked.find(({ offer }) => offer !== undefined);
  if (other?.offer === undefined) {
    task.done('none');
    return;
  }
  task.fail();
  const { server, address } = other.offer;
  const what = address === undefined ? 'boot files' : `the address ${address}`;
  throw new MkrootError(
    `Cannot answer DHCP on "${other.name}": ${server} does already (it offered ${what})`,
    {
      exitCode: ExitCode.Locked,
      hint: 'Two servers give nodes now this, now that. End the other one, or answer all the same: --force-dhcp',
    },
  );
}
