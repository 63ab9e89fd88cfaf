import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { type RunScenariosOptions, runScenarios } from '../../../../src/pipelines/boot-test/run-scenarios.js';
import type { Clock } from '../../../../src/ports/clock.js';
import type {
  Command,
  Completed,
  ProcessRunner,
  RunningProcess,
} from '../../../../src/ports/process-runner.js';
import type { Scenario } from '../../../../src/vm/scenario.js';
import type { ScenarioReport } from '../../../../src/vm/scenario-report.js';
import { buildElf } from '../../../support/elf-fixture.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { SilentProgress } from '../../../support/silent-progress.js';

/** Time that passes only when everybody waits for it. */
class WaitedClock implements Clock {
  #now = 0;
  #waiting: { readonly at: number; readonly go: () => void }[] = [];

  now = () => new Date(this.#now);
  monotonicMs = () => this.#now;

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    let onAbort: (() => void) | undefined;
    await new Promise<void>((resolve, reject) => {
      const waiter = { at: this.#now + ms, go: resolve };
      this.#waiting.push(waiter);
      onAbort = () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort);
      setImmediate(() => this.#goOn());
    }).finally(() => signal?.removeEventListener('abort', onAbort!));
  }

  #goOn(): void {
    const next = this.#waiting.reduce((a, b) => (b.at < a.at ? b : a), {
      at: Number.POSITIVE_INFINITY,
      go() {},
    });
    if (next.at === Number.POSITIVE_INFINITY) return;
    this.#now = Math.max(this.#now, next.at);
    this.#waiting = this.#waiting.filter((one) => one !== next);
    next.go();
    setImmediate(() => this.#goOn());
  }
}

/** Machines that say "hello" after the seconds that the first byte of their MAC address names, 00 never; under KVM nothing at all. */
class Machines implements ProcessRunner {
  readonly started: string[] = [];
  running = 0;
  most = 0;

  constructor(private readonly clock: Clock) {}

  which(program: string): string {
    return `/usr/bin/${program}`;
  }

  async run(): Promise<Completed> {
    return { exitCode: 0, signal: undefined, stdout: new Uint8Array(), stderr: '', durationMs: 0 };
  }

  async start({ argv, onLine }: Command): Promise<RunningProcess> {
    const accelerator = argv.includes('kvm') ? 'kvm' : 'tcg';
    const seconds = Number(/mac=(\d\d):/.exec(argv.join(' '))?.[1]);
    this.started.push(`${accelerator} ${seconds}`);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    let end: (result: Completed) => void = () => {};
    const exited = new Promise<Completed>((resolve) => {
      end = resolve;
    });
    if (accelerator === 'tcg' && seconds > 0) {
      void this.clock.sleep(seconds * 1000).then(() => onLine?.('hello', 'stdout'));
    }
    const kill = () => {
      this.running -= 1;
      end({ exitCode: undefined, signal: 'SIGKILL', stdout: new Uint8Array(), stderr: '', durationMs: 0 });
    };
    return { pid: 1, write: () => {}, closeInput: () => {}, kill, exited };
  }
}

/** A scenario that passes after so many seconds, or never. */
const scenario = (name: string, seconds: number, more: Partial<Scenario> = {}): Scenario => ({
  name,
  title: `the title of ${name}`,
  items: [],
  mac: `${String(seconds).padStart(2, '0')}:00:00:77:00:01`,
  end: 'seen',
  expect: [{ console: 'hello', proves: 'it lives' }],
  ...more,
});

function lab(more: Partial<RunScenariosOptions> = {}) {
  const clock = new WaitedClock();
  const fs = memoryFileSystem({
    '/proc/self': { link: '77' },
    '/proc/77/stat': '77 (node) S 1 2 3\n',
    '/usr/lib/PXELINUX/pxelinux.0': 'loader',
    '/usr/lib/syslinux/modules/bios/ldlinux.c32': 'module',
    '/dev/kvm': 'device',
    '/images/vmlinuz': 'kernel',
    '/images/initrd.img': 'initrd',
    '/images/root/usr/bin/dpkg': buildElf({ architecture: 'amd64' }),
  });
  const machines = new Machines(clock);
  const progress = new SilentProgress();
  const options: RunScenariosOptions = {
    image: 'compute',
    subject: { root: '/images/root', kernel: '/images/vmlinuz', initrd: '/images/initrd.img' },
    network: 'user',
    accelerator: 'tcg',
    hostArchitecture: 'amd64',
    nic: 'e1000',
    nfsVersion: '3',
    memory: 512,
    cpus: 1,
    timeoutMs: 60_000,
    keep: false,
    logsParent: '/state/boot-tests',
    temporaryParent: '/tmp',
    shippedFiles: '/qemu',
    kernelArguments: [],
    repeat: 1,
    jobs: 1,
    processors: 2,
    ...more,
  };
  const reported: ScenarioReport[] = [];
  const run = (scenarios: readonly Scenario[]) =>
    runScenarios({ fs, runner: machines, progress, clock }, scenarios, options, (report) =>
      reported.push(report),
    );
  return { run, reported, machines, progress, fs };
}

const results = (reports: readonly ScenarioReport[]) =>
  reports.map(({ scenario: name, result }) => `${name} ${result}`);

describe('scenarios, several at the same time', () => {
  it('are told as they end, and come back in the order of the scenarios; one that fails stops none', async () => {
    const { run, reported, machines, fs } = lab({ jobs: 2 });
    const reports = await run([
      scenario('slow', 30),
      scenario('never', 0),
      scenario('a', 9),
      scenario('b', 8),
    ]);
    expect(results(reports)).toEqual(['slow pass', 'never fail', 'a pass', 'b pass']);
    expect(results(reported)).toEqual(['slow pass', 'a pass', 'b pass', 'never fail']);
    expect([machines.most, machines.running]).toEqual([2, 0]);
    expect(fs.readdir('/tmp')).toEqual([]);
    // Of the failure alone.
    expect(fs.readdir('/state/boot-tests')).toHaveLength(1);
  });

  it('are begun with those that may take longest; one after the other as they come', async () => {
    const all = [
      scenario('a', 1),
      scenario('b', 2, { timeout: 900 }),
      scenario('c', 3, { timeout: 40, boots: [{ title: 'one' }, { title: 'two' }] }),
    ];
    const several = lab({ jobs: 2 });
    expect(results(await several.run(all))).toEqual(['a pass', 'b pass', 'c pass']);
    expect(several.machines.started[0]).toBe('tcg 2');
    expect(several.machines.started[1]).toBe('tcg 3');
    const single = lab();
    await single.run(all);
    expect(single.machines.started).toEqual(['tcg 1', 'tcg 2', 'tcg 3', 'tcg 3']);
    expect(single.machines.most).toBe(1);
  });

  it('are rounds of one as well, which come back as they are counted, each with logs of its own', async () => {
    const { run, machines, fs } = lab({ jobs: 3, repeat: 2, report: '/report' });
    expect(results(await run([scenario('a', 5), scenario('b', 3)]))).toEqual([
      'a pass',
      'a pass',
      'b pass',
      'b pass',
    ]);
    expect(machines.most).toBe(3);
    expect(fs.readdir('/report')).toEqual(['a-1-1', 'a-2-1', 'b-1-1', 'b-2-1']);
  });

  it('have their names in every line of progress, which a single one does not need', async () => {
    const { run, progress } = lab({ jobs: 2, repeat: 2 });
    await run([scenario('slow', 30), scenario('quick', 3)]);
    expect(progress.lines).toContain('note quick (2 of 2): the title of quick');
    expect(progress.lines).toContain('start slow (1 of 2): Boot (TCG)');
    expect(progress.lines.filter((line) => !/^\w+ (?:slow|quick) \([12] of 2\): /.test(line))).toEqual([]);
    const single = lab();
    await single.run([scenario('slow', 30)]);
    expect(single.progress.lines).toContain('start Boot (TCG)');
  });

  it('have more time where they are more than processors, and not less where they are fewer', async () => {
    const scenarios = [scenario('a', 80, { timeout: 60 }), scenario('b', 85), scenario('c', 95)];
    expect(results(await lab({ jobs: 3, processors: 2 }).run(scenarios))).toEqual([
      'a pass',
      'b pass',
      'c fail',
    ]);
    const few = [scenario('a', 50, { timeout: 60 }), scenario('b', 55), scenario('c', 65)];
    expect(results(await lab({ jobs: 3, processors: 8 }).run(few))).toEqual(['a pass', 'b pass', 'c fail']);
  });

  it('try an accelerator no more once it was given up', async () => {
    const { run, machines } = lab({ jobs: 2, accelerator: 'auto' });
    const reports = await run([scenario('a', 1), scenario('b', 2), scenario('c', 3)]);
    expect(results(reports)).toEqual(['a pass', 'b pass', 'c pass']);
    expect(machines.started.filter((one) => one.startsWith('kvm'))).toEqual(['kvm 1', 'kvm 2']);
  });

  it('that are interrupted end all their machines, begin no other, and leave nothing', async () => {
    const interrupt = new AbortController();
    const { run, machines, reported, fs } = lab({ jobs: 2, signal: interrupt.signal });
    const running = run([scenario('a', 3), scenario('b', 50), scenario('c', 40), scenario('d', 20)]);
    while (reported.length === 0) await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort();
    await expect(running).rejects.toMatchObject({ exitCode: ExitCode.Interrupted });
    expect(results(reported)).toEqual(['a pass']);
    expect(machines.started).toHaveLength(3);
    expect(machines.running).toBe(0);
    expect(fs.readdir('/tmp')).toEqual([]);
    expect(fs.readdir('/state/boot-tests')).toEqual([]);
  });

  it('end with the first that cannot be made at all, and leave nothing of the others', async () => {
    const { run, machines, reported, fs } = lab({ jobs: 2 });
    const running = run([scenario('a', 50), scenario('b', 5, { firmware: 'uefi' }), scenario('c', 5)]);
    await expect(running).rejects.toMatchObject({ exitCode: ExitCode.Usage });
    expect([machines.running, reported]).toEqual([0, []]);
    expect(fs.readdir('/tmp')).toEqual([]);
  });
});
