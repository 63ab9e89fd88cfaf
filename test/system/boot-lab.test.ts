import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeRoot } from '../support/judge-roots.js';
import { startMkroot } from '../support/run-mkroot.js';

/** What a lab could leave on this host. */
interface HostState {
  readonly mounts: string;
  readonly interfaces: readonly string[];
}

function hostState(): HostState {
  return {
    mounts: readFileSync('/proc/self/mounts', 'utf8'),
    interfaces: readdirSync('/sys/class/net').sort(),
  };
}

/** Processes that inherited the TMPDIR of a test: mkroot and everything that it started. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
        if (!environment.includes(`TMPDIR=${directory}`)) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`];
      } catch {
        return []; // it ended in the meantime
      }
    });
}

async function until(what: string, seconds: number, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !holds(); await setTimeout(50)) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
  }
}

/** The machine of a test is past its first line, so every part of the lab runs. */
function hasPrinted(report: string): boolean {
  const log = join(report, 'console.log');
  return existsSync(log) && statSync(log).size > 0;
}

describe('a lab', () => {
  let directory: string;
  let before: HostState;
  let kernel: string;
  let root: string;
  let broken: string;

  beforeEach(() => {
    before = hostState();
    directory = mkdtempSync(join(tmpdir(), 'mkroot-test-'));
    root = judgeRoot('trixie');
    const name = readdirSync(`${root}/boot`).find((file) => file.startsWith('vmlinuz-'));
    kernel = `${root}/boot/${name}`;
    broken = join(directory, 'broken.img');
    writeFileSync(broken, randomBytes(1_000_000));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function start(reportName: string, ...flags: readonly string[]) {
    const report = join(directory, reportName);
    const { process: child, ended: run } = startMkroot(
      ['qemu-test', '--root', root, '--accel', 'tcg', '--report', report, ...flags],
      ['env', `TMPDIR=${directory}`, `MKROOT_STATE=${directory}/state`],
    );
    const ended = run.then(({ exitCode, stdout, stderr }) => ({ code: exitCode, output: stderr + stdout }));
    return { child, ended, report };
  }

  function expectNothingLeft(): void {
    expect(processesOf(directory)).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.startsWith('mkroot-lab-'))).toEqual([]);
    expect(hostState()).toEqual(before);
  }

  it('names the milestone that did not come, two labs at once, and leaves nothing', async () => {
    const badKernel = join(directory, 'bad-kernel');
    writeFileSync(badKernel, randomBytes(100_000));
    const [initrd, vmlinuz] = await Promise.all([
      start('initrd', '--kernel', kernel, '--initrd', broken).ended,
      start('kernel', '--kernel', badKernel, '--initrd', broken).ended,
    ]);
    expect(initrd.output).toMatch(/Did not come: \/init: start\. Kernel panic/);
    expect(initrd.output).toMatch(/Last lines of the serial console:\n {2}\| /);
    expect(initrd.output).toContain(`Logs and report: ${directory}/initrd`);
    expect(initrd.output).toMatch(/FAIL .*got as far as kernel starts/);
    expect(initrd.code).toBe(9);
    expect(vmlinuz.output).toMatch(/Did not come: kernel starts\. Booting kernel failed/);
    expect(vmlinuz.code).toBe(9);
    const report = JSON.parse(readFileSync(join(directory, 'initrd/timeline.json'), 'utf8'));
    expect(report).toMatchObject({ result: 'fail', failure: { milestone: '/init: start' } });
    expect(readFileSync(join(directory, 'initrd/report.html'), 'utf8')).toContain('did not come');
    for (const log of ['console.log', 'dnsmasq.log', 'nfs-ganesha.log']) {
      expect(existsSync(join(directory, 'initrd', log)), log).toBe(true);
    }
    expectNothingLeft();
  });

  it('gives up at its time limit and says what it was waiting for', async () => {
    const { code, output } = await start('slow', '--kernel', kernel, '--initrd', broken, '--timeout', '1')
      .ended;
    expect(output).toMatch(/Did not come: DHCP by the firmware\. it did not come within 1 s/);
    expect(code).toBe(9);
    expectNothingLeft();
  });

  it('leaves nothing after Ctrl-C', async () => {
    const { child, ended, report } = start('interrupted', '--kernel', kernel, '--initrd', broken);
    await until('the machine runs', 60, () => hasPrinted(report));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expectNothingLeft();
  });

  it('leaves nothing of several scenarios at the same time after Ctrl-C', async () => {
    const names = ['hostile-hostname', 'root-missing', 'static-address'];
    const { child, ended, report } = start(
      'several',
      ...['--kernel', kernel, '--initrd', broken, '--jobs', '3', '--repeat', '5'],
      ...names.flatMap((name) => ['--scenario', name]),
    );
    // Whichever comes first: rounds of one, or one of each.
    const printing = () =>
      existsSync(report) ? readdirSync(report).filter((name) => hasPrinted(join(report, name))).length : 0;
    await until('three machines run', 120, () => printing() >= 3);
    expect(processesOf(directory).length).toBeGreaterThan(12);
    child.kill('SIGINT');
    const { code, output } = await ended;
    expect(output).toMatch(/Cannot finish the (?:boot test|scenarios): interrupted/);
    expect(code).toBe(130);
    expectNothingLeft();
  });

  it('leaves no process, mount or interface after kill -9, and the next one removes its files', async () => {
    const { child, ended, report } = start('killed', '--kernel', kernel, '--initrd', broken);
    await until('the machine runs', 60, () => hasPrinted(report));
    expect(processesOf(directory).length).toBeGreaterThan(4);
    child.kill('SIGKILL');
    await ended;
    await until('every process is gone', 20, () => processesOf(directory).length === 0);
    expect(hostState()).toEqual(before);
    await start('next', '--kernel', kernel, '--initrd', broken, '--timeout', '1').ended;
    expectNothingLeft();
  });

  it('says which file is missing before anything is started', async () => {
    const { code, output } = await start('missing', '--kernel', `${kernel}-no`, '--initrd', broken).ended;
    expect(output).toMatch(/Cannot boot ".*-no": there is no such file/);
    expect(code).toBe(4);
    expectNothingLeft();
  });
});
