import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import type { RunningProcess } from '../ports/process-runner.js';
import { inNamespaces } from '../sandbox/unshare.js';

/** How long making namespaces may take; it takes milliseconds. */
const OPEN_TIMEOUT_MS = 10_000;

/** How long the kernel may take to end what runs inside; a machine with much memory takes a while. */
const CLOSE_TIMEOUT_MS = 10_000;

/** The program that keeps the namespaces open and is init of their process tree. */
const HOLDER = ['sleep', 'infinity'] as const;

/**
 * Network, mount and process namespaces of one lab. A holder process keeps them; everything else is started into them by
 * nsenter(1). The holder is init of the process namespace and dies with mkroot: when it goes, the kernel ends every
 * process inside, and with the last one go the mounts, the bridge and the tap. Nothing has to be undone, not even after
 * SIGKILL of mkroot.
 */
export class LabNamespace {
  private constructor(
    private readonly holder: RunningProcess,
    /** Of the holder's child, as this host sees it: the process that is inside. */
    private readonly pid: number,
    private readonly ports: Pick<Ports, 'fs' | 'clock'>,
  ) {}

  /** @throws MkrootError with exit code MissingTool if the kernel or the user's rights do not allow it. */
  static async open(ports: Ports, signal?: AbortSignal): Promise<LabNamespace> {
    const { runner, fs, clock } = ports;
    const holder = await runner.start({
      argv: inNamespaces({ mount: true, pid: true, net: true }, HOLDER),
      accept: 'any',
    });
    let ended: string | undefined;
    void holder.exited.then(({ stderr, signal: name }) => {
      ended = stderr.trim() || name || 'it ended at once';
    });
    const deadline = clock.monotonicMs() + OPEN_TIMEOUT_MS;
    for (;;) {
      const pid = childInside(fs, holder.pid);
      if (pid !== undefined) return new LabNamespace(holder, pid, ports);
      if (ended !== undefined || clock.monotonicMs() > deadline) {
        holder.kill('SIGKILL');
        throw new MkrootError(`Cannot make the namespaces of a lab: ${ended ?? 'unshare does not answer'}`, {
          exitCode: ExitCode.MissingTool,
          hint: 'Run as root on a kernel with network, mount and process namespaces, or test less with --net user.',
        });
      }
      try {
        await clock.sleep(5, signal);
      } catch (error) {
        holder.kill('SIGKILL');
        throw error;
      }
    }
  }

  /** The argv that runs a program inside. */
  enter(argv: readonly string[]): [string, ...string[]] {
    return ['nsenter', '--target', String(this.pid), '--mount', '--net', '--pid', '--', ...argv];
  }

  /** Path by which this host sees a file that is only mounted inside. */
  pathInside(path: BytePath): BytePath {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Ends every process inside and waits until they are gone. */
  async close(): Promise<void> {
    this.holder.kill('SIGKILL');
    await this.holder.exited;
    // The namespace's init ends only after everything else inside has.
    const { fs, clock } = this.ports;
    const deadline = clock.monotonicMs() + CLOSE_TIMEOUT_MS;
    while (fs.lstat(`/proc/${this.pid}`) !== undefined && clock.monotonicMs() < deadline) {
      await clock.sleep(10);
    }
  }
}

/** The holder's child once it runs the holding program, which is after it has mounted its own /proc. */
function childInside(fs: Ports['fs'], parent: number): number | undefined {
  const child = Number.parseInt(readText(fs, `/proc/${parent}/task/${parent}/children`), 10);
  if (Number.isNaN(child)) return undefined;
  return readText(fs, `/proc/${child}/comm`).trim() === HOLDER[0] ? child : undefined;
}

/** A file under /proc, empty if its process is gone. */
function readText(fs: Ports['fs'], path: BytePath): string {
  try {
    return Buffer.from(fs.readFile(path)).toString('latin1');
  } catch (error) {
    if (error instanceof MkrootError) return '';
    throw error;
  }
}
