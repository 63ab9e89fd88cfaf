import { describe, expect, it } from 'vitest';
import { runWithMocks, type Shell, shells, type TargetTree } from './target-shell.js';

const processes: TargetTree = {
  'proc/9/cmdline': '',
  'proc/12/cmdline': '-bash\0--login\0',
  'proc/13/cmdline': '@/unionfs\0-o\0cow\0',
  'proc/14/cmdline': '@/busybox\0udhcpc\0',
  'proc/15/cmdline': '/usr/sbin/stubborn\0',
};
/** Runs leave-root as PID 1 would; `kill` ends what it is told to, except processes that `immune` names for a signal. */
const leave = (shell: Shell, args: string, tree: TargetTree, mocks = '', immune = '') =>
  runWithMocks(
    shell,
    `
mkdir -p "$ROOT/run/initramfs/@" "$ROOT/proc/$$"
printf 'sh\\0leave-root\\0' >"$ROOT/proc/$$/cmdline"
printf '#!/bin/sh\\necho "busybox $*" >>"$ROOT/calls"\\n' >"$ROOT/run/initramfs/@/busybox"
chmod +x "$ROOT/run/initramfs/@/busybox"
kill() {
  note kill "$@"
  signal=$1
  shift
  for killed; do
    case ' ${immune} ' in *" $signal:$killed "*) ;; *) rm -r "$ROOT/proc/$killed" ;; esac
  done
}
pivot_root() { note pivot_root "$@"; }
sync() { note sync; }
poweroff() { note poweroff "$@"; exit 99; }
${mocks}
PROGRAMS=$PATH
set -- ${args}
. "$SKELETON/lib/mkroot/leave-root"`,
    tree,
  );
/** What is done in its order: without pauses, and without what runs in the background. */
const noted = (calls: readonly string[]) => calls.filter((call) => !/^(sleep|sync|busybox sh)/.test(call));
const pivoted = [
  'mount --make-rprivate /',
  'pivot_root . oldroot',
  ...['dev', 'proc', 'sys', 'run'].map((name) => `mount --move oldroot/${name} ${name}`),
];

describe.each(shells)('leave-root, in the place of systemd-shutdown, under $name', (shell) => {
  it('asks all but itself, kernel threads and those named @ to end, and hands over to /shutdown', () => {
    const { calls, kmsg, stderr } = leave(shell, 'poweroff --log-level 6 --timeout 90000000us', processes);
    expect(stderr).toBe('');
    expect(noted(calls)).toEqual(['kill -TERM 12 15', ...pivoted, 'busybox chroot . /shutdown poweroff']);
    expect(kmsg).toEqual(['<6>mkroot: shutdown: poweroff: ending the last processes']);
  });

  it('kills what does not end within 10 s, and goes on without what cannot be killed', () => {
    const killed = leave(shell, 'reboot', processes, '', '-TERM:15');
    expect(noted(killed.calls).slice(0, 2)).toEqual(['kill -TERM 12 15', 'kill -KILL 15']);
    expect(killed.calls.filter((call) => call.startsWith('sleep'))).toHaveLength(100);
    expect(noted(killed.calls).at(-1)).toBe('busybox chroot . /shutdown reboot');
    const never = leave(shell, 'reboot', processes, '', '-TERM:15 -KILL:15');
    expect(never.kmsg.at(-1)).toBe('<5>mkroot: shutdown: reboot: processes that do not end: 15');
    expect(never.calls.filter((call) => call.startsWith('sleep'))).toHaveLength(150);
    expect(noted(never.calls).at(-1)).toBe('busybox chroot . /shutdown reboot');
  });

  it('runs the hooks of systemd-shutdown with the verb', () => {
    const hooks = {
      'usr/lib/systemd/system-shutdown/ups': '#!/bin/sh\necho "ups $*" >"$ROOT/ups"\n',
      'usr/lib/systemd/system-shutdown/readme': 'not executable\n',
    };
    const { read, calls, stderr } = leave(
      shell,
      'halt',
      hooks,
      'chmod +x "$ROOT/usr/lib/systemd/system-shutdown/ups"\npivot_root() { wait; note pivot_root "$@"; }',
    );
    expect(stderr).toBe('');
    expect(read('ups')).toBe('ups halt\n');
    expect(noted(calls).at(-1)).toBe('busybox chroot . /shutdown halt');
  });

  it('goes down without unmounting when the root cannot be left, and whatever happens after 95 s', () => {
    const failed = leave(shell, 'poweroff', {}, 'pivot_root() { return 1; }');
    expect(failed.status).toBe(99);
    expect(failed.kmsg.at(-1)).toBe(
      '<3>mkroot: shutdown: FAILED: the root cannot be left; next: poweroff at once',
    );
    expect(noted(failed.calls).at(-1)).toBe('poweroff -n -f');
    const deadline = (verb: string) =>
      leave(shell, verb, {}, 'pivot_root() { wait; }').calls.find((call) => call.startsWith('busybox sh'));
    expect(deadline('poweroff')).toBe('busybox sh -c @/busybox sleep 95; exec @/busybox poweroff -n -f');
    expect(deadline('kexec')).toContain('exec @/busybox reboot -n -f');
    expect(deadline('halt')).toContain('exec @/busybox halt -n -f');
  });
});
