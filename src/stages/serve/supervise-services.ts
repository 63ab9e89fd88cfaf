import { MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { type RunningService, type Service, type ServicePlace, startService } from './start-service.js';

/** Pauses before a service that ended is started again; the last one is repeated. */
const BACK_OFF_MS: readonly number[] = [1_000, 2_000, 5_000, 10_000, 30_000];

/** A service that ran for so long counts as healthy: the next pause is the first one again. */
const HEALTHY_MS = 60_000;

/** How long a service may take to obey SIGTERM before it is killed. */
const STOP_MS = 5_000;

/** What happened to a service. */
export interface ServiceEvent {
  readonly service: string;
  readonly state: 'ready' | 'ended' | 'failed' | 'stopped';
  /** For people: its last words, and when it is started again. Empty if there is nothing to say. */
  readonly detail: string;
}

/** Services that are started again whenever they end, until everything is over. */
export class Supervisor {
  readonly #running = new Map<string, RunningService>();
  /** Services whose configuration changed while they were started: they may have read the old one. */
  readonly #outdated = new Set<string>();
  readonly #over = new AbortController();

  constructor(
    private readonly ports: Pick<Ports, 'runner' | 'fs' | 'clock'>,
    private readonly place: ServicePlace,
    private readonly logs: BytePath,
    private readonly onEvent: (event: ServiceEvent) => void,
  ) {}

  /**
   * Starts a service and waits until it is ready; from then on it is kept running.
   * @throws MkrootError ToolFailed with its last words if it does not come up this first time.
   */
  async start(service: Service): Promise<void> {
    this.#watch(service, await this.#startOnce(service), 0);
  }

  /**
   * Ends a service and sees to it that it is started anew, as after a change of its configuration. One that waits to be started
   * again just waits on; one that is being started is ended as soon as it is ready.
   */
  async restart(service: Service): Promise<void> {
    const running = this.#running.get(service.name);
    if (running === undefined) {
      this.#outdated.add(service.name);
      return;
    }
    this.#running.delete(service.name); // its end is wanted
    await this.#stop(running);
    this.onEvent({ service: service.name, state: 'stopped', detail: 'to be started anew' });
    void this.#startAgain(service, 0);
  }

  /** No service is started any more. The running ones end with their namespaces. */
  end(): void {
    this.#over.abort();
    this.#running.clear();
  }

  async #startOnce(service: Service): Promise<RunningService> {
    this.#outdated.delete(service.name);
    const running = await startService(this.ports, this.place, service, {
      logs: this.logs,
      signal: this.#over.signal,
    });
    this.#running.set(service.name, running);
    this.onEvent({ service: service.name, state: 'ready', detail: '' });
    return running;
  }

  #watch(service: Service, running: RunningService, failures: number): void {
    const started = this.ports.clock.monotonicMs();
    void running.exited.then(async ({ exitCode, signal }) => {
      if (this.#over.signal.aborted || this.#running.get(service.name) !== running) return;
      this.#running.delete(service.name);
      const lived = this.ports.clock.monotonicMs() - started;
      const next = lived > HEALTHY_MS ? 0 : failures;
      const how = signal === undefined ? `exit code ${exitCode ?? 'unknown'}` : signal;
      const words = running.lastLines().at(-1);
      this.onEvent({
        service: service.name,
        state: 'ended',
        detail: `${how}${words === undefined ? '' : `: ${words}`}; started again in ${pauseAfter(next) / 1000} s`,
      });
      if (await this.#pause(pauseAfter(next))) await this.#startAgain(service, next + 1);
    });
  }

  async #startAgain(service: Service, failures: number): Promise<void> {
    for (let count = failures; !this.#over.signal.aborted; count += 1) {
      try {
        this.#watch(service, await this.#startOnce(service), count);
        if (this.#outdated.has(service.name)) await this.restart(service);
        return;
      } catch (error) {
        if (this.#over.signal.aborted) return;
        if (!(error instanceof MkrootError)) throw error;
        const words =
          error.details
            .filter((line) => line.startsWith('  | '))
            .at(-1)
            ?.slice(4) ?? error.message;
        this.onEvent({
          service: service.name,
          state: 'failed',
          detail: `${words}; started again in ${pauseAfter(count) / 1000} s`,
        });
        if (!(await this.#pause(pauseAfter(count)))) return;
      }
    }
  }

  async #stop(running: RunningService): Promise<void> {
    running.kill('SIGTERM');
    const ended = running.exited.then(() => true);
    if (!(await Promise.race([ended, this.#pause(STOP_MS).then(() => false)]))) running.kill('SIGKILL');
    await running.exited;
  }

  /** False if everything is over before the time has passed. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await this.ports.clock.sleep(ms, this.#over.signal);
      return true;
    } catch (error) {
      if (this.#over.signal.aborted) return false;
      throw error;
    }
  }
}

function pauseAfter(failures: number): number {
  return BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)]!;
}
