import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';

/** How long the head node may take to serve; on an idle machine it takes two seconds. */
const READY_TIMEOUT_MS = 120_000;

/** Lines of its output that an error shows. */
const TAIL_LINES = 20;

/** The head node of a lab while it runs. */
export interface HeadNode {
  /** Why nothing can be expected of it any more; undefined while it runs. */
  readonly problem: () => string | undefined;
  /** Ends it. It ends with the namespace as well. */
  readonly end: () => void;
}

/** What the head node serves, and where. */
export interface HeadNodeOptions {
  /** Directory for its log, serve.log. */
  readonly logs: BytePath;
  /** The argv that runs mkroot. */
  readonly mkroot: readonly [string, ...string[]];
  readonly site: BytePath;
  readonly state: BytePath;
  /** The device that it answers DHCP on, unless it was published for one. */
  readonly device: string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Runs `mkroot serve` in the lab, as an admin would, and waits until it is ready.
 * @throws MkrootError ToolFailed with what it said if it ends or is not ready in time.
 */
export async function startHeadNode(
  { runner, clock, fs }: Ports,
  namespace: LabNamespace,
  { logs, mkroot, site, state, device, signal }: HeadNodeOptions,
): Promise<HeadNode> {
  const logFile = `${logs}/serve.log`;
  fs.remove(logFile);
  const tail: string[] = [];
  let ready = false;
  let ended = false;
  const serve = await runner.start({
    argv: namespace.enter([
      ...mkroot,
      'serve',
      '--json',
      ...['--nfs', 'ganesha'],
      ...(device === undefined ? [] : ['--interface', device]),
      ...['--site', displayPath(site), '--state', displayPath(state)],
    ]),
    logFile,
    onLine: (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      ready ||= /"event":"ready"/.test(line);
    },
  });
  void serve.exited.then(() => {
    ended = true;
  });
  const deadline = clock.monotonicMs() + READY_TIMEOUT_MS;
  while (!ready) {
    if (ended || clock.monotonicMs() > deadline) {
      serve.kill('SIGKILL');
      throw new MkrootError(
        `Cannot start "mkroot serve" in the lab: ${ended ? 'it ended' : `it was not ready within ${READY_TIMEOUT_MS / 1000} s`}`,
        {
          exitCode: ExitCode.ToolFailed,
          details: [...tail.map((line) => `  | ${line}`), `Whole log: ${displayPath(logFile)}`],
        },
      );
    }
    await clock.sleep(50, signal);
  }
  return {
    problem: () =>
      ended ? `mkroot serve, the head node of the lab, ended; see ${displayPath(logFile)}` : undefined,
    end: () => serve.kill('SIGKILL'),
  };
}
