import { takeLock } from '../engine/state-lock.js';
import { ExitCode, MkrootError } from '../errors.js';
import { ipv4Subnet } from '../netboot/ipv4-subnet.js';
import type { NetbootSite } from '../netboot/netboot-site.js';
import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { Listening, Network } from '../ports/network.js';
import type { Ports } from '../ports/ports.js';
import { NamespaceSession } from '../sandbox/namespace-session.js';
import type { ServeEvent } from '../serving/serve-event.js';
import { dnsmasqProgram, type NfsServer } from '../serving/server-programs.js';
import { StaticFiles } from '../serving/static-files.js';
import { chooseNfsServer, type RunningNfs, startNfs } from '../stages/start-nfs.js';
import type { ServicePlace } from '../stages/start-service.js';
import { Supervisor } from '../stages/supervise-services.js';
import { type PublishedRecord, publishedTree, readRecord } from './published-record.js';

/** What `mkroot serve` is asked for. */
export interface ServeRequest {
  readonly state: BytePath;
  /** Interfaces on which DHCP is answered; those that were published by default. */
  readonly interfaces: readonly string[];
  /** By default the kernel's server where there is one, else nfs-ganesha. */
  readonly nfs?: NfsServer;
  /** By default that of the published URL for HTTP, else 8080. */
  readonly httpPort?: number;
  readonly pid: number;
  /** The command line. */
  readonly command: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServeEvent) => void;
}

/** Where HTTP listens unless a URL was published. */
const HTTP_PORT = 8080;

/** How often it is looked whether something was published. */
const WATCH_MS = 1_000;

/**
 * Runs the whole head node until `signal` aborts: NFS, HTTP, then DHCP and TFTP, with what was published. All programs live in
 * namespaces that end with mkroot, whatever ends it.
 * @throws MkrootError NotFound if nothing was published; Usage for an interface that does not fit; Locked if it runs already;
 * Io for a port that is taken; ToolFailed with the last words of a program that does not start.
 */
export async function serveSite(
  ports: Ports & { readonly network: Network },
  request: ServeRequest,
): Promise<void> {
  const { fs, runner, clock } = ports;
  const { state, signal, onEvent } = request;
  const { site } = publishedSite(fs, state);
  const interfaces = servedInterfaces(ports.network, site, request.interfaces);
  const directory = `${state}/serve`;
  fs.mkdir(`${directory}/logs`);
  const lock = await takeLock(ports, {
    path: `${directory}/lock`,
    holder: { pid: request.pid, command: request.command, since: clock.now().toISOString() },
    wait: false,
    signal,
  });
  let session: NamespaceSession | undefined;
  let supervisor: Supervisor | undefined;
  let http: Listening | undefined;
  let nfs: RunningNfs | undefined;
  try {
    const server = request.nfs ?? (await chooseNfsServer(ports));
    session = await NamespaceSession.open(runner, fs);
    const place = placeOf(session);
    supervisor = new Supervisor(ports, place, `${directory}/logs`, (event) =>
      onEvent({ event: 'service', ...event }),
    );
    nfs = await startNfs(ports, supervisor, place, {
      server,
      address: site.server.address,
      exports: configuration(state, 'exports'),
      ganesha: configuration(state, 'ganesha/ganesha.conf'),
    });
    const url = httpRoot(site, request.httpPort);
    http = await ports.network.listenHttp({
      address: site.server.address,
      port: Number(url.port),
      answer: serveFiles(fs, state, site, url),
    });
    const dnsmasq = dnsmasqProgram({
      configuration: configuration(state, 'dnsmasq.conf'),
      leaseFile: `${asText(directory)}/dnsmasq.leases`,
      asRoot: !othersMayEnter(fs, [toBytePath(site.server.tftpRoot), `${state}/images`]),
    });
    await supervisor.start(dnsmasq);
    onEvent({
      event: 'ready',
      address: site.server.address,
      interfaces,
      nfs: server,
      http: url.href,
    });
    await untilAborted(clock, signal, WATCH_MS);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    supervisor?.end();
    await http?.close();
    await nfs?.end();
    await session?.close();
    await lock.release();
  }
}

/** @throws MkrootError NotFound if there is none. */
function publishedSite(
  fs: ReadFileSystem,
  state: BytePath,
): PublishedRecord & { readonly site: NetbootSite } {
  const record = readRecord(fs, state);
  if (record?.site === undefined) {
    throw new MkrootError(`Cannot serve "${displayPath(state)}": nothing was published there`, {
      exitCode: ExitCode.NotFound,
      hint: 'Publish first: mkroot publish --interface NAME',
    });
  }
  return { ...record, site: record.site };
}

/** @throws MkrootError Usage if they are not those that were published, or one lacks the server's address. */
function servedInterfaces(network: Network, site: NetbootSite, wanted: readonly string[]): readonly string[] {
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
  const addresses = names.map((name) => ({ name, has: network.addressesOf(name) }));
  const missing = addresses.find(({ has }) => has === undefined);
  if (missing !== undefined) {
    throw new MkrootError(
      `Cannot answer DHCP on "${missing.name}": there is no such interface, or it has no address`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'To see all: ip -brief address',
      },
    );
  }
  if (!addresses.some(({ has }) => has?.includes(address))) {
    throw new MkrootError(
      `Cannot serve on "${names.join(', ')}": it does not have the server's address ${address}`,
      {
        exitCode: ExitCode.Usage,
        hint: `Give it the address (ip address add ${address}/PREFIX dev ${names[0]}), or change cluster.servers in nodes.yaml and publish.`,
      },
    );
  }
  return names;
}

function placeOf(session: NamespaceSession): ServicePlace {
  return {
    name: 'for the nodes',
    enter: (argv) => ['nsenter', `--target=${session.pid}`, '--mount', '--pid', '--', ...argv],
    pathInside: (path) => session.hostPath(path),
  };
}

/** The URL that was published for this machine, or one with the default port. */
function httpRoot({ server: { address, httpRoot: published } }: NetbootSite, port: number | undefined): URL {
  const url = new URL(published ?? `http://${address}:${HTTP_PORT}/`);
  const own = url.protocol === 'http:' && url.hostname === address;
  const chosen = port ?? (own ? Number(url.port || 80) : HTTP_PORT);
  return new URL(`http://${address}:${chosen}${own ? url.pathname : '/'}`);
}

function serveFiles(fs: ReadFileSystem, state: BytePath, site: NetbootSite, url: URL) {
  const subnets = site.networks.map(({ subnet }) => ipv4Subnet(subnet));
  const tftp = toBytePath(site.server.tftpRoot);
  const files = new StaticFiles(fs, {
    trees: [
      { prefix: url.pathname, directory: tftp },
      { prefix: `${url.pathname}images/`, directory: `${state}/images` },
    ],
    within: [tftp, `${state}/images`],
    permits: (client) => client === site.server.address || subnets.some((subnet) => subnet.contains(client)),
  });
  return files.answer.bind(files);
}

/** A file that servers read, as a program is told of it. */
function configuration(state: BytePath, name: string): string {
  return `${asText(publishedTree(state))}/etc/${name}`;
}

/** dnsmasq gives up root and then reads as anybody. */
function othersMayEnter(fs: ReadFileSystem, directories: readonly BytePath[]): boolean {
  return directories.every((directory) =>
    directory.split('/').every((_, index, parts) => {
      const path = parts.slice(0, index + 1).join('/');
      return path === '' || ((fs.lstat(`${path}/.`)?.mode ?? 0) & 0o001) !== 0;
    }),
  );
}

function asText(path: BytePath): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

async function untilAborted(clock: Ports['clock'], signal: AbortSignal, ms: number): Promise<void> {
  while (!signal.aborted) await clock.sleep(ms, signal);
}
