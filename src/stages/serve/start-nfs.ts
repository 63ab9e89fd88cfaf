import { ExitCode, MkrootError } from '../../errors.js';
import { toBytePath } from '../../ports/byte-path.js';
import type { Network } from '../../ports/network.js';
import type { Ports } from '../../ports/ports.js';
import type { RunningProcess } from '../../ports/process-runner.js';
import {
  ganeshaProgram,
  mountdProgram,
  type NfsServer,
  nfsdKeeper,
  preparePlace,
  reloadCommand,
  rpcbindProgram,
} from '../../serving/server-programs.js';
import type { ServicePlace } from './start-service.js';
import type { Supervisor } from './supervise-services.js';

/** Threads of the kernel's NFS server; eight are its default, a cluster that boots at once wants more. */
const NFSD_THREADS = 32;

/** How long the kernel's NFS server may take to start or to end. */
const NFSD_MS = 30_000;

/** An NFS server that was started. */
export interface RunningNfs {
  /** Makes it read its changed configuration. */
  reload(): Promise<void>;
  /** Ends what does not end with the namespaces. */
  end(): Promise<void>;
}

/** What the server is told. Paths as programs take them. */
export interface NfsOptions {
  readonly server: NfsServer;
  readonly address: string;
  /** File in the format of /etc/exports. */
  readonly exports: string;
  /** Configuration of nfs-ganesha. */
  readonly ganesha: string;
}

type NfsPorts = Ports & { readonly network: Network };

/**
 * The kernel's server if the kernel has one and its programs are installed, else nfs-ganesha.
 * @throws MkrootError MissingTool if there is neither.
 */
export async function chooseNfsServer({ fs, runner }: Ports): Promise<'kernel' | 'ganesha'> {
  const hasPrograms = ['rpc.nfsd', 'rpc.mountd', 'exportfs'].every(
    (name) => runner.which(name) !== undefined,
  );
  if (hasPrograms) {
    const known = () =>
      Buffer.from(fs.readFile(toBytePath('/proc/filesystems')))
        .toString()
        .includes('\tnfsd\n');
    if (!known() && runner.which('modprobe') !== undefined) {
      await runner.run({ argv: ['modprobe', '--quiet', 'nfsd'], accept: 'any' });
    }
    if (known()) return 'kernel';
  }
  if (runner.which('ganesha.nfsd') !== undefined) return 'ganesha';
  throw new MkrootError('Cannot serve NFS: there is neither nfs-ganesha nor an NFS server in the kernel', {
    exitCode: ExitCode.MissingTool,
    hint: 'Install nfs-ganesha and nfs-ganesha-vfs, or let another machine serve NFS: --nfs none',
  });
}

/** Starts NFS in its place, with what was published. */
export async function startNfs(
  ports: NfsPorts,
  supervisor: Supervisor,
  place: ServicePlace,
  options: NfsOptions,
): Promise<RunningNfs> {
  const { runner, network } = ports;
  const { server, exports, ganesha, address } = options;
  const taken = await takenPorts(network, server === 'none' ? [111] : [111, 2049, 20048]);
  if (taken.some((port) => port !== 111)) throw portTaken(taken.filter((port) => port !== 111));
  const ownRpcbind = !taken.includes(111);
  await runner.run({
    argv: place.enter(['sh']),
    input: Buffer.from(preparePlace(server, { exports, ownRpcbind })),
  });
  if (server === 'none') return { reload: async () => {}, end: async () => {} };
  if (ownRpcbind) await supervisor.start(rpcbindProgram);
  const reload = async () => {
    await runner.run({ argv: place.enter(reloadCommand(server, exports)) });
  };
  if (server === 'ganesha') {
    await supervisor.start(ganeshaProgram(ganesha));
    return { reload, end: async () => {} };
  }
  const keeper = await startNfsd(ports, place, address);
  try {
    await supervisor.start(mountdProgram);
  } catch (error) {
    await endNfsd(ports, keeper);
    throw error;
  }
  return { reload, end: () => endNfsd(ports, keeper) };
}

async function startNfsd(
  { runner, clock }: Ports,
  place: ServicePlace,
  address: string,
): Promise<RunningProcess> {
  let runs = false;
  const said: string[] = [];
  const keeper = await runner.start({
    // Outside of the process namespace, whose end would kill it before it has ended the kernel's threads.
    argv: place.enter(nfsdKeeper(address, NFSD_THREADS)).filter((word) => word !== '--pid') as [
      string,
      ...string[],
    ],
    input: 'pipe',
    dieWithParent: false,
    output: 'watch',
    onLine: (line) => {
      runs ||= line === 'nfsd runs';
      said.push(line);
    },
  });
  let ended = false;
  void keeper.exited.then(() => {
    ended = true;
  });
  const deadline = clock.monotonicMs() + NFSD_MS;
  while (!runs && !ended && clock.monotonicMs() < deadline) await clock.sleep(20);
  if (runs) return keeper;
  await endNfsd({ clock }, keeper);
  throw new MkrootError('Cannot start the NFS server of the kernel: rpc.nfsd failed', {
    exitCode: ExitCode.ToolFailed,
    details: said.map((line) => `  | ${line}`),
    hint: 'nfs-ganesha does without: --nfs ganesha',
  });
}

async function endNfsd({ clock }: Pick<Ports, 'clock'>, keeper: RunningProcess): Promise<void> {
  keeper.closeInput();
  await Promise.race([keeper.exited, clock.sleep(NFSD_MS)]);
}

async function takenPorts(network: Network, wanted: readonly number[]): Promise<number[]> {
  const free = await Promise.all(wanted.map((port) => network.isTcpPortFree(port)));
  return wanted.filter((_, index) => !free[index]);
}

function portTaken(taken: readonly number[]): MkrootError {
  return new MkrootError(`Cannot start the NFS server: another program has TCP port ${taken.join(' and ')}`, {
    exitCode: ExitCode.Io,
    hint: "Is the machine's own NFS server running? Stop it (systemctl stop nfs-server nfs-ganesha), or let it serve what was published (docs/publish.md) and start with --nfs none.",
  });
}
