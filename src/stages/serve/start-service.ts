import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { RunningProcess } from '../../ports/process-runner.js';

/** How long a service may take until it is ready; each takes well under a second on an idle machine. */
const READY_TIMEOUT_MS = 30_000;

/** Lines of its output that an error shows. */
const TAIL_LINES = 20;

/** A server that is run in the foreground, and how it says that it is ready. */
export interface Service {
  readonly name: string;
  readonly argv: readonly string[];
  readonly onLine?: (line: string) => void;
  /** A line of its output that says it is ready. */
  readonly readyLine?: RegExp;
  /** A file, as the service sees it, that appears when it is ready. */
  readonly readyFile?: BytePath;
  /** A line that says why it ends, and the hint that goes with it. */
  readonly hint?: readonly [line: RegExp, hint: string];
}

/** The namespaces that services run in. */
export interface ServicePlace {
  /** For errors: `in the lab`. */
  readonly name: string;
  /** The argv that runs a program inside. */
  enter(argv: readonly string[]): [string, ...string[]];
  /** Path by which this host sees a file that is only mounted inside. */
  pathInside(path: BytePath): BytePath;
}

/** A service that runs. */
export interface RunningService extends RunningProcess {
  /** The last lines of what it said, the oldest first. */
  readonly lastLines: () => readonly string[];
}

/**
 * Starts a service inside and waits until it is ready.
 * @param options.logs directory for its log, NAME.log, which is begun anew.
 * @throws MkrootError ToolFailed with its last lines if it ends or is not ready in time.
 */
export async function startService(
  { runner, fs, clock }: Pick<Ports, 'runner' | 'fs' | 'clock'>,
  place: ServicePlace,
  { name, argv, onLine, readyLine, readyFile, hint }: Service,
  { logs, signal }: { readonly logs: BytePath; readonly signal?: AbortSignal },
): Promise<RunningService> {
  let ready = false;
  const tail: string[] = [];
  const logFile = `${logs}/${name}.log`;
  fs.remove(logFile); // of an earlier run with the same directory
  const running = await runner.start({
    argv: place.enter(argv),
    logFile,
    output: 'watch',
    onLine: (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      ready ||= readyLine?.test(line) ?? false;
      onLine?.(line);
    },
  });
  let ended = false;
  void running.exited.then(() => {
    ended = true;
  });
  const deadline = clock.monotonicMs() + READY_TIMEOUT_MS;
  while (!ready) {
    if (ended || clock.monotonicMs() > deadline) {
      running.kill('SIGKILL');
      const known = tail.some((line) => hint?.[0].test(line)) ? hint?.[1] : undefined;
      throw new MkrootError(
        `Cannot start "${name}" ${place.name}: ${ended ? 'it ended at once' : `it was not ready within ${READY_TIMEOUT_MS / 1000} s`}`,
        {
          exitCode: ExitCode.ToolFailed,
          details: [...tail.map((line) => `  | ${line}`), `Whole log: ${logFile}`],
          ...(known === undefined ? {} : { hint: known }),
        },
      );
    }
    try {
      await clock.sleep(10, signal);
    } catch (error) {
      running.kill('SIGKILL');
      throw error;
    }
    ready ||= readyFile !== undefined && fs.lstat(place.pathInside(readyFile)) !== undefined;
  }
  return { ...running, lastLines: () => tail };
}
