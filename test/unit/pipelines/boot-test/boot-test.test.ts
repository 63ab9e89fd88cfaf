import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { bootTest } from '../../../../src/pipelines/boot-test/boot-test.js';
import { machineFor } from '../../../../src/pipelines/boot-test/boot-test-machine.js';
import type { BootTestOptions } from '../../../../src/pipelines/boot-test/boot-test-options.js';
import { chooseMachine } from '../../../../src/pipelines/boot-test/choose-machine.js';
import type { Ports } from '../../../../src/ports/ports.js';
import type {
  Command,
  Completed,
  ProcessRunner,
  RunningProcess,
} from '../../../../src/ports/process-runner.js';
import { buildElf } from '../../../support/elf-fixture.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';
import { refusalOf } from '../../../support/refusal.js';
import { SilentProgress } from '../../../support/silent-progress.js';

/** What a machine prints before it runs on without another word, by accelerator; undefined: QEMU fails at once. */
type Machines = Readonly<Record<'kvm' | 'tcg', readonly string[] | undefined>>;

const completed = (exitCode: number | undefined, stderr = ''): Completed => ({
  exitCode,
  signal: exitCode === undefined ? 'SIGKILL' : undefined,
  stdout: new Uint8Array(),
  stderr,
  durationMs: 1,
});

/** Starts machines that print and then stay until they are killed. */
class MachineRunner implements ProcessRunner {
  readonly started: string[] = [];
  running = 0;

  constructor(private readonly machines: Machines) {}

  which(program: string): string {
    return `/usr/bin/${program}`;
  }

  async run(): Promise<Completed> {
    return completed(0);
  }

  async start(command: Command): Promise<RunningProcess> {
    const accelerator = command.argv.includes('kvm') ? 'kvm' : 'tcg';
    this.started.push(accelerator);
    const lines = this.machines[accelerator];
    if (lines === undefined) {
      return {
        pid: 1,
        write: () => {},
        closeInput: () => {},
        kill: () => {},
        exited: Promise.resolve(completed(1, 'no KVM here')),
      };
    }
    for (const line of lines) command.onLine?.(line, 'stdout');
    this.running += 1;
    let end: (result: Completed) => void = () => {};
    const exited = new Promise<Completed>((resolve) => {
      end = resolve;
    });
    const kill = () => {
      this.running -= 1;
      end(completed(undefined));
    };
    return { pid: 1, write: () => {}, closeInput: () => {}, kill, exited };
  }
}

function lab(machines: Machines, architecture = 'amd64') {
  let now = 0;
  const fs = memoryFileSystem({
    '/dev/kvm': 'device',
    '/proc/self': { link: '77' },
    '/proc/77/stat': '77 (node) S 1 2 3\n',
    '/usr/lib/PXELINUX/pxelinux.0': 'loader',
    '/usr/lib/syslinux/modules/bios/ldlinux.c32': 'module',
    '/images/vmlinuz': 'kernel',
    '/images/initrd.img': 'initrd',
    '/images/root/usr/bin/dpkg': buildElf({ architecture }),
  });
  const runner = new MachineRunner(machines);
  const ports: Ports = {
    fs,
    runner,
    progress: new SilentProgress(),
    clock: {
      now: () => new Date(0),
      monotonicMs: () => now,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        now += ms;
      },
    },
  };
  const options: BootTestOptions = {
    image: 'compute',
    subject: { root: '/images/root', kernel: '/images/vmlinuz', initrd: '/images/initrd.img' },
    network: 'user',
    accelerator: 'auto',
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
  };
  return { ports, options, runner, fs };
}

const asFarAsDhcp = ['Linux version 6.12', 'mkroot: [10] start: x', 'mkroot: [40] dhcp: eth0 10.0.2.15'];

describe('a boot test', () => {
  it.each<[string, Machines, RegExp]>([
    ['stays silent', { kvm: [], tcg: asFarAsDhcp }, /^KVM: the firmware asked for no address/],
    [
      'stops at its kernel',
      { kvm: ['Loading initrd.img... ok'], tcg: asFarAsDhcp },
      /^KVM: the kernel printed nothing/,
    ],
    [
      'does not start',
      { kvm: undefined, tcg: asFarAsDhcp },
      /^KVM: QEMU ended with exit code 1: no KVM here/,
    ],
  ])('falls back to TCG and says why when a guest under KVM %s', async (_, machines, fallback) => {
    const { ports, options, runner, fs } = lab(machines);
    const report = await bootTest(ports, { ...options, report: '/report' });
    expect(runner.started).toEqual(['kvm', 'tcg']);
    expect(report).toMatchObject({ result: 'pass', accelerator: 'tcg' });
    expect(report.fallback).toMatch(fallback);
    expect(runner.running).toBe(0);
    expect(fs.readdir('/report')).toContain('console-kvm.log');
    expect(fs.readdir('/tmp')).toEqual([]);
  });

  it('does not fall back where KVM was asked for', async () => {
    const { ports, options, runner } = lab({ kvm: [], tcg: asFarAsDhcp });
    const report = await bootTest(ports, { ...options, accelerator: 'kvm' });
    expect(runner.started).toEqual(['kvm']);
    expect(report.result).toBe('fail');
  });

  it('takes TCG at once for an image of another architecture, and refuses KVM and firmware for it', async () => {
    const { ports, options } = lab({ kvm: [], tcg: [] }, 'arm64');
    await expect(bootTest(ports, options)).rejects.toMatchObject({ exitCode: ExitCode.Usage });
    await expect(bootTest(ports, { ...options, network: 'lab', accelerator: 'kvm' })).rejects.toMatchObject({
      message: expect.stringMatching(/it is for arm64, and this machine is amd64/),
    });
    const wish = { image: 'x', root: '/images/root', network: 'lab', accelerator: 'auto' } as const;
    expect(chooseMachine(ports.fs, { ...wish, hostArchitecture: 'amd64' }).accelerators).toEqual(['tcg']);
    expect(chooseMachine(ports.fs, { ...wish, hostArchitecture: 'arm64' }).accelerators).toEqual([
      'kvm',
      'tcg',
    ]);
  });

  it('goes by firmware and transport of a scenario before those of the options, and refuses what does not go together', () => {
    const { ports, options } = lab({ kvm: [], tcg: [] });
    const { fs } = ports;
    fs.mkdir('/usr/share/OVMF');
    fs.writeFile('/usr/share/OVMF/OVMF_CODE_4M.fd', 'code');
    fs.writeFile('/usr/share/OVMF/OVMF_VARS_4M.fd', 'variables');
    const { nic: _, ...wanted } = { ...options, network: 'lab' } as const;
    const of = (more: Partial<BootTestOptions>) => machineFor(fs, { ...wanted, ...more });
    expect(of({})).toMatchObject({ chosen: { direct: false, firmware: 'bios' }, nic: 'e1000' });
    expect(of({ scenario: {} }).chosen).toMatchObject({ direct: true });
    const uefi = of({ firmware: 'uefi', transport: 'squashfs-nfs', scenario: {} });
    expect(uefi).toMatchObject({
      chosen: { direct: false, firmware: 'uefi', uefi: { code: '/usr/share/OVMF/OVMF_CODE_4M.fd' } },
      nic: 'virtio_net',
      transport: 'squashfs-nfs',
    });
    const own = { firmware: 'bios', transport: 'squashfs-http' } as const;
    expect(of({ firmware: 'uefi', transport: 'squashfs-nfs', scenario: own })).toMatchObject({
      chosen: { firmware: 'bios' },
      transport: 'squashfs-http',
    });
    expect(of({ firmware: 'uefi', scenario: { start: 'direct' } }).chosen.direct).toBe(true);
    for (const wrong of [
      { scenario: { start: 'direct', firmware: 'bios' } },
      { firmware: 'uefi', nic: 'e1000' },
      { firmware: 'uefi', network: 'user' },
      { transport: 'squashfs-nfs', network: 'user' },
    ] as const) {
      expect(refusalOf(() => of(wrong)).exitCode, JSON.stringify(wrong)).toBe(ExitCode.Usage);
    }
  });

  it('says what QEMU’s own network cannot test, and keeps no logs of a success', async () => {
    const { ports, options, fs } = lab({ kvm: asFarAsDhcp, tcg: [] });
    const report = await bootTest(ports, options);
    expect(report.result).toBe('pass');
    expect(report.notTested.join()).toContain('NFS');
    expect(report.logs).toBeUndefined();
    expect(fs.readdir('/state/boot-tests')).toEqual([]);
  });

  it('names what did not come at its time limit, with what /init complained about, and keeps the logs', async () => {
    const lines = [
      'mkroot: [30] device: eth0',
      'mkroot: FAILED [40] dhcp: DHCP no answer on eth0; next: asking again',
    ];
    const { ports, options, fs } = lab({ kvm: undefined, tcg: ['Linux version 6', ...lines] });
    const report = await bootTest(ports, { ...options, accelerator: 'tcg' });
    expect(report.failure).toEqual({
      milestone: '/init: dhcp',
      reason: 'it did not come within 60 s; /init: dhcp: DHCP no answer on eth0',
      console: ['Linux version 6', ...lines],
    });
    expect(fs.readdir(report.logs ?? '')).toEqual(['console.log', 'report.html', 'timeline.json']);
  });

  it('ends its machine and removes its files when interrupted', async () => {
    const { ports, options, runner, fs } = lab({ kvm: [], tcg: [] });
    const interrupt = new AbortController();
    const sleep = ports.clock.sleep.bind(ports.clock);
    ports.clock.sleep = async (ms, signal) => {
      interrupt.abort();
      await sleep(ms, signal);
    };
    await expect(bootTest(ports, { ...options, signal: interrupt.signal })).rejects.toMatchObject({
      exitCode: ExitCode.Interrupted,
    });
    expect(runner.running).toBe(0);
    expect(fs.readdir('/tmp')).toEqual([]);
    expect(fs.readdir('/state/boot-tests')).toEqual([]);
  });
});
