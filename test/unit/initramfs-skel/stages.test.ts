import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootStages, parseStageLine } from '../../../src/netboot/boot-stages.js';
import { runOnTarget, shells, skeleton } from './target-shell.js';

describe('the table of stages', () => {
  it('is the same on the target and on the host', () => {
    const text = readFileSync(join(skeleton, 'lib/mkroot/stages.sh'), 'utf8');
    const onTarget = [...text.matchAll(/^ {4}(\d\d)\) answer=([a-z-]+) ;;$/gm)].map(([, number, name]) => [
      Number(number),
      name,
    ]);
    expect(onTarget).toEqual(bootStages.map(({ number, name }) => [number, name]));
    const known = bootStages.flatMap(({ number, name }) => [number, name]).join(' ');
    const { stdout } = runOnTarget(
      shells[0],
      `for word in ${known} 76 unknown; do is_stage "$word" || echo "$word"; done`,
    );
    expect(stdout).toBe('76\nunknown\n');
  });

  it('is what /init goes through, in order', () => {
    const text = readFileSync(join(skeleton, 'init'), 'utf8');
    const entered = [...text.matchAll(/^enter_stage (\d+)$/gm)].map(([, number]) => Number(number));
    expect(entered).toEqual(bootStages.map(({ number }) => number));
  });
});

describe.each(shells)('stage lines under $name', (shell) => {
  it('go to the log once each, in the form that the host parses', () => {
    const { kmsg } = runOnTarget(
      shell,
      `enter_stage 50\nsay 'a:/b NFS v3'\ntrouble '10.0.0.1:/b' 'Connection refused' 'attempt 2 of 8 in 0 s'`,
    );
    expect(kmsg).toEqual([
      '<5>mkroot: [50] base: a:/b NFS v3',
      '<3>mkroot: FAILED [50] base: 10.0.0.1:/b Connection refused; next: attempt 2 of 8 in 0 s',
    ]);
    expect(kmsg.map((line) => parseStageLine(`[    1.234567] ${line.slice(3)}`))).toEqual([
      { kind: 'reached', number: 50, name: 'base', detail: 'a:/b NFS v3' },
      {
        kind: 'failed',
        number: 50,
        name: 'base',
        reason: '10.0.0.1:/b Connection refused',
        next: 'attempt 2 of 8 in 0 s',
      },
    ]);
  });

  it('are never longer than the log takes: the beginning stays, and what happens next', () => {
    // Seen: of 992 bytes and more the write fails on Linux 6.1, of more than 1,024 on 6.12, and nothing is shown at all.
    const long = 'x'.repeat(3000);
    const { kmsg, read } = runOnTarget(
      shell,
      `enter_stage 70\nsay 'layers ${long} end'\ntrouble overlayfs 'failed (${long})' 'reboot in 30 s'`,
    );
    expect(kmsg.map(({ length }) => length)).toEqual([900, 900]);
    expect(kmsg[0]).toMatch(/^<5>mkroot: \[70\] overlay: layers xx+ \[\.\.\.\] x+ end$/);
    expect(parseStageLine(kmsg[1]!.slice(3))).toMatchObject({ kind: 'failed', next: 'reboot in 30 s' });
    const quiet = runOnTarget(shell, `say 'x${long} end'`, { 'proc/sys/kernel/printk': '4\t4\t1\t7\n' });
    expect(quiet.read('dev/ttyS0')).toMatch(/ end\n$/);
    expect(read('dev/ttyS0')).toBeUndefined();
  });

  it('reach every console when "quiet" hides them in the log, and only then', () => {
    const quiet = runOnTarget(shell, 'say x\ntrouble - y z', { 'proc/sys/kernel/printk': '4\t4\t1\t7\n' });
    // A failure is more severe than what quiet hides, so the kernel prints it already.
    expect(quiet.read('dev/ttyS0')).toBe('mkroot: [10] start: x\n');
    expect(quiet.read('dev/tty0')).toBe('mkroot: [10] start: x\n');
    const loud = runOnTarget(shell, 'say x');
    expect(loud.read('dev/ttyS0')).toBeUndefined();
  });

  it('end in a reboot after the asked delay and some jitter, without a shell', () => {
    const { status, kmsg, calls } = runOnTarget(
      shell,
      "panic_delay=10\nenter_stage 50\ndie 10.0.0.1:/b 'No such file or directory'\necho not reached",
    );
    expect(status).toBe(99);
    expect(kmsg).toHaveLength(1);
    const [, seconds] =
      /^<3>mkroot: FAILED \[50\] base: 10\.0\.0\.1:\/b No such file or directory; next: reboot in (\d+) s$/.exec(
        kmsg[0] ?? '',
      ) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(10);
    expect(Number(seconds)).toBeLessThanOrEqual(15);
    expect(calls).toEqual([`sleep ${seconds}`, 'reboot -n -f']);
  });

  it('open a shell where rd.shell or rd.break asks for it', () => {
    const failing = runOnTarget(shell, 'shell_on_failure=yes\ndie - x');
    expect(failing.calls).toEqual(['setsid cttyhack sh', 'reboot -n -f']);
    const stopping = runOnTarget(
      shell,
      "read_command_line 'rd.break=overlay'\nenter_stage 60\nenter_stage 70\nsay done",
    );
    expect(stopping.calls).toEqual(['setsid cttyhack sh']);
    expect(stopping.kmsg.at(-1)).toBe('<5>mkroot: [70] overlay: done');
  });
});
