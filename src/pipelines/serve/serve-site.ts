import { join } from 'node:path';
import { takeLock } from '../../engine/state-lock.js';
import { MkrootError } from '../../errors.js';
import { loadInventory, SITE_NAMES, type Site } from '../../inventory/load-inventory.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Network } from '../../ports/network.js';
import type { Ports } from '../../ports/ports.js';
import { NamespaceSession } from '../../sandbox/namespace-session.js';
import type { NodeBoard } from '../../serving/node-board.js';
import { REPORT_LIMIT, REPORT_PORT } from '../../serving/node-report.js';
import { receiveReports } from '../../serving/report-receiver.js';
import type { ServeEvent } from '../../serving/serve-event.js';
import { dnsmasqProgram, type NfsServer } from '../../serving/server-programs.js';
import { StaticFiles } from '../../serving/static-files.js';
import { serveLock } from '../../serving/status-file.js';
import { chooseNfsServer, startNfs } from '../../stages/serve/start-nfs.js';
import type { ServicePlace } from '../../stages/serve/start-service.js';
import { Supervisor } from '../../stages/serve/supervise-services.js';
import { NodeWatch } from '../../stages/serve/watch-nodes.js';
import { knownNodes } from '../publish/known-nodes.js';
import { followPublication, type Reload } from './follow-publication.js';
import { refuseOtherDhcp, type ServedInterface, servedInterfaces } from './served-interfaces.js';
import { configuration, PublishWatch, publishedSite } from './watch-publish.js';

/** The nodes as they are at a moment. */
export type ServeView = Pick<NodeBoard, 'nodes' | 'unknown'>;

/** What `mkroot serve` is asked for. */
export interface ServeRequest {
  readonly state: BytePath;
  /** Its nodes are compared with those that were published. Without nodes.yaml nothing is. */
  readonly site: Site;
  /** Interfaces on which DHCP is answered; those that were published by default. */
  readonly interfaces: readonly string[];
  /** False if somebody else answers DHCP and TFTP. */
  readonly dhcp: boolean;
  /** By default the kernel's server where there is one, else nfs-ganesha. */
  readonly nfs?: NfsServer;
  /** By default that of the published URL for HTTP, else 8080. */
  readonly httpPort?: number;
  /** Answer DHCP although another server does; nobody is asked. */
  readonly forceDhcp: boolean;
  readonly pid: number;
  /** The command line. */
  readonly command: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServeEvent) => void;
  /** Every second, when all servers are up. */
  readonly onView: (view: ServeView) => void;
}

/** Where HTTP listens unless a URL was published. */
const HTTP_PORT = 8080;

/** How often it is looked whether something was published, and the file for `mkroot status` written. */
const WATCH_MS = 1_000;

type ServePorts = Ports & { readonly network: Network };

/**
 * Runs the whole head node until `signal` aborts: NFS, HTTP, the receiver of reports, then DHCP and TFTP, with what was
 * published. All programs live in namespaces that end with mkroot, whatever ends it.
 * @throws MkrootError NotFound if nothing was published; Usage for an interface that does not fit; Locked if it runs already,
 * or another server answers DHCP; Io for a port that is taken; ToolFailed with the last words of a program that does not
 * start.
 */
export async function serveSite(ports: ServePorts, request: ServeRequest): Promise<void> {
  const { fs, clock } = ports;
  const { state, signal } = request;
  const { site } = publishedSite(fs, state);
  const interfaces = request.dhcp ? await servedInterfaces(ports, site, request.interfaces) : [];
  fs.mkdir(`${state}/serve/logs`);
  const lock = await takeLock(ports, {
    path: serveLock(state),
    holder: { pid: request.pid, command: request.command, since: clock.now().toISOString() },
    wait: false,
    signal,
  });
  try {
    if (request.dhcp && !request.forceDhcp) await refuseOtherDhcp(ports, site, interfaces, signal);
    await serveHere(ports, request, site, interfaces);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await lock.release();
  }
}

/** Starts everything, watches, and ends everything. */
async function serveHere(
  ports: ServePorts,
  { state, signal, onEvent, ...request }: ServeRequest,
  site: NetbootSite,
  interfaces: readonly ServedInterface[],
): Promise<void> {
  const { fs, runner, network, clock } = ports;
  const { address } = site.server;
  const server = request.nfs ?? (await chooseNfsServer(ports));
  const ending: (() => Promise<void>)[] = [];
  const watch = new NodeWatch(ports, state, knownNodes(site), (news) => onEvent({ event: 'node', ...news }));
  try {
    const session = await NamespaceSession.open(runner, fs);
    ending.push(() => session.close());
    const place = placeOf(session);
    const supervisor = new Supervisor(ports, place, `${state}/serve/logs`, (event) =>
      onEvent({ event: 'service', ...event }),
    );
    ending.push(async () => supervisor.end());
    const nfs = await startNfs(ports, supervisor, place, {
      server,
      address,
      exports: configuration(state, 'exports'),
      ganesha: configuration(state, 'ganesha/ganesha.conf'),
    });
    ending.push(() => nfs.end());
    const published = new PublishWatch(fs, state, site);
    const permits = (client: string) => published.permits(client);
    const url = httpRoot(site, request.httpPort);
    const http = await network.listenHttp({
      address,
      port: Number(url.port),
      answer: serveFiles(fs, state, site, { prefix: url.pathname, permits }),
      onSent: (...sent) => watch.sent(...sent),
    });
    ending.push(() => http.close());
    const reportPort = receivingPort(site);
    if (reportPort !== undefined) {
      const reports = await network.listenHttp({
        address,
        port: reportPort,
        bodyLimit: REPORT_LIMIT,
        answer: receiveReports(permits, (report, client) => watch.report(report, client)),
      });
      ending.push(() => reports.close());
    }
    const dnsmasq = {
      ...dnsmasqProgram({
        configuration: configuration(state, 'dnsmasq.conf'),
        leaseFile: `${asText(state)}/serve/dnsmasq.leases`,
        asRoot: !othersMayEnter(fs, [toBytePath(site.server.tftpRoot), `${state}/images`]),
      }),
      onLine: (line: string) => watch.dhcpLine(line),
    };
    if (request.dhcp) await supervisor.start(dnsmasq);
    watch.flush();
    for (const message of unpublished(fs, request.site, site)) onEvent({ event: 'warning', message });
    onEvent({
      event: 'ready',
      address,
      interfaces: interfaces.map(({ name }) => name),
      nfs: server,
      http: url.href,
      reports: reportPort === undefined ? null : `${address}:${reportPort}`,
    });
    const reload: Reload = {
      dnsmasq: async () => (request.dhcp ? supervisor.restart(dnsmasq) : undefined),
      nfs: async () => {
        await nfs.reload();
        if (server !== 'none') onEvent({ event: 'service', service: 'nfs', state: 'reloaded', detail: '' });
      },
    };
    while (!signal.aborted) {
      await clock.sleep(WATCH_MS, signal);
      watch.flush();
      request.onView(watch.board);
      const news = published.look();
      if (news === undefined) continue;
      watch.setNodes(knownNodes(news.site));
      await followPublication(news, reload, onEvent);
      if (receivingPort(news.site) !== reportPort) {
        onEvent({ event: 'warning', message: 'Nodes report elsewhere now: start mkroot serve again' });
      }
    }
  } finally {
    for (const end of ending.reverse()) await end();
    watch.flush();
  }
}

/** What nodes.yaml says and nobody published: one warning, or none. */
function unpublished(fs: ReadFileSystem, site: Site, { nodes }: NetbootSite): string[] {
  if (fs.lstat(toBytePath(join(site.directory, SITE_NAMES.inventory))) === undefined) return [];
  try {
    const published = new Set(nodes.map(({ name }) => name));
    const missing = [...loadInventory(fs, site).nodes.keys()].filter((name) => !published.has(name));
    const few =
      missing.slice(0, 5).join(', ') + (missing.length > 5 ? ` and ${missing.length - 5} more` : '');
    return missing.length === 0 ? [] : [`Not published, so not served: ${few} (mkroot publish)`];
  } catch (error) {
    // The site is being edited; what was published is served all the same.
    if (error instanceof MkrootError) return [error.message];
    throw error;
  }
}

/** The port that nodes report to; undefined if nobody reports, or to another machine. */
function receivingPort({ nodes, server }: NetbootSite): number | undefined {
  for (const { boot } of nodes) {
    const [address, port] = boot.parameters.report?.split(':') ?? [];
    if (address === server.address) return port === undefined ? REPORT_PORT : Number(port);
  }
  return undefined;
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

function serveFiles(
  fs: ReadFileSystem,
  state: BytePath,
  site: NetbootSite,
  { prefix, permits }: { readonly prefix: string; readonly permits: (client: string) => boolean },
) {
  const tftp = toBytePath(site.server.tftpRoot);
  const images = `${state}/images`;
  const files = new StaticFiles(fs, {
    trees: [
      { prefix, directory: tftp },
      { prefix: `${prefix}images/`, directory: images },
    ],
    within: [tftp, images],
    permits,
  });
  return files.answer.bind(files);
}

/** Whether dnsmasq, which gives up root, can read what it serves. */
export function othersMayEnter(fs: ReadFileSystem, directories: readonly BytePath[]): boolean {
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
