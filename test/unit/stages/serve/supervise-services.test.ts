import { afterEach, describe, expect, it } from 'vitest';
import type { Command, Completed, RunningProcess } from '../../../../src/ports/process-runner.js';
import { Supervisor } from '../../../../src/stages/serve/supervise-services.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { ScriptedRunner } from '../../../support/scripted-runner.js';

/** A service that has read its configuration when it starts, and says that it is ready whenever the test wants. */
class Server {
  readonly read: string[] = [];
  readonly #ends: (() => void)[] = [];
  #ready: (() => void) | undefined;
  configuration = 'v0';

  start(command: Command): RunningProcess {
    this.read.push(this.configuration);
    this.#ready = () => command.onLine?.('ready', 'stderr');
    const exited = new Promise<Completed>((resolve) => {
      const result = { stdout: Buffer.alloc(0), stderr: '', durationMs: 1 };
      this.#ends.push(() => resolve({ ...result, exitCode: undefined, signal: 'SIGTERM' }));
    });
    return { pid: 1, write: () => {}, closeInput: () => {}, kill: () => this.end(), exited };
  }

  ready(): void {
    this.#ready?.();
  }

  end(): void {
    this.#ends.at(-1)?.();
  }
}

class ServerRunner extends ScriptedRunner {
  constructor(private readonly server: Server) {
    super();
  }

  override async start(command: Command): Promise<RunningProcess> {
    return this.server.start(command);
  }
}

let supervisor: Supervisor;
afterEach(() => supervisor.end());

function supervise(server: Server): Supervisor {
  const clock = {
    now: () => new Date(0),
    monotonicMs: () => 0,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) reject(new Error('over'));
        else setTimeout(resolve, 1);
      }),
  };
  const place = {
    name: 'here',
    enter: (argv: readonly string[]): [string, ...string[]] => ['enter', ...argv],
    pathInside: (path: string) => path,
  };
  const ports = { runner: new ServerRunner(server), fs: memoryFileSystem({}), clock };
  supervisor = new Supervisor(ports, place, '/logs', () => {});
  return supervisor;
}

const DNSMASQ = { name: 'dnsmasq', argv: ['dnsmasq'], readyLine: /ready/ };
const until = (what: () => unknown) => expect.poll(what, { interval: 1 });

/** A server that runs with its first configuration. */
async function started(): Promise<Server> {
  const server = new Server();
  const starting = supervise(server).start(DNSMASQ);
  await until(() => server.read).toEqual(['v0']);
  server.ready();
  await starting;
  return server;
}

describe('a service whose configuration changed', () => {
  it('is started anew', async () => {
    const server = await started();
    server.configuration = 'v1';
    await supervisor.restart(DNSMASQ);
    await until(() => server.read).toEqual(['v0', 'v1']);
  });

  it('while it is being started is started once more, so that it has read the last one', async () => {
    const server = await started();
    server.configuration = 'v1';
    await supervisor.restart(DNSMASQ);
    await until(() => server.read).toEqual(['v0', 'v1']);
    server.configuration = 'v2';
    await supervisor.restart(DNSMASQ);
    server.ready();
    await until(() => server.read).toEqual(['v0', 'v1', 'v2']);
    server.ready();
  });

  it('while it waits to be started again just waits on', async () => {
    const server = await started();
    server.end();
    await supervisor.restart(DNSMASQ);
    await until(() => server.read.length).toBe(2);
    server.ready();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.read).toHaveLength(2);
  });
});
