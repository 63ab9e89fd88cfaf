import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The directory under test. */
export const skeleton = resolve(import.meta.dirname, '../../../initramfs-skel');

/** The shells that the parts must behave the same in: the target's own, and one that knows POSIX only. */
export const shells = [
  { name: 'busybox sh', argv: ['busybox', 'sh'] },
  { name: 'dash', argv: ['dash'] },
] as const;

export type Shell = (typeof shells)[number];

/** A file's text, or the target of a link. */
export type TargetTree = Readonly<Record<string, string | { readonly link: string }>>;

export interface ShellResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines written to /dev/kmsg. */
  readonly kmsg: readonly string[];
  /** Calls of mocked commands, one per line. */
  readonly calls: readonly string[];
  /** Text of a file below $ROOT; undefined if there is none. */
  read(path: string): string | undefined;
}

// Functions come before programs and busybox applets, so they replace both. A sleep lets the mocked clock run, never the real one;
// tests define `while_asleep` to make something happen at a time.
const mocks = `
note() { printf '%s\\n' "$*" >>"$ROOT/calls"; }
while_asleep() { :; }
for name in ip modprobe hostname reboot poweroff setsid chroot cttyhack nslookup; do
  eval "$name() { note $name \\"\\$@\\"; }"
done
mount() { note mount "$@"; }
umount() { note umount "$@"; }
timeout() { shift 3; "$@"; }
reboot() { note reboot "$@"; exit 99; }
sleep() {
  note sleep "$1"
  read -r up _ <"$ROOT/proc/uptime"
  up=\${up%%.*}
  whole=\${1%%.*}
  [ "$whole" -gt 0 ] || whole=1
  up=$((up + whole))
  echo "$up.00 0.00" >"$ROOT/proc/uptime"
  [ "$up" -lt 2000 ] || { echo "endless wait" >&2; exit 98; }
  while_asleep "$up"
}
`;

const basics: TargetTree = {
  'proc/uptime': '3.00 1.00\n',
  'proc/modules': '',
  'proc/meminfo': 'MemTotal: 1000000 kB\nMemAvailable: 900000 kB\n',
  'proc/cmdline': '\n',
  'proc/mounts': '',
  'proc/sys/kernel/printk': '7\t4\t1\t7\n',
  'sys/class/tty/console/active': 'tty0 ttyS0\n',
  'dev/kmsg': '',
  'dev/urandom': 'ab',
  'run/initramfs/state/.keep': '',
  'run/mkroot/.keep': '',
  'sysroot/etc/.keep': '',
};

const parts = [
  'text',
  'stages',
  'send-report',
  'report',
  'failure',
  'settings',
  'parameters',
  'probe',
  'nfs',
  'modules',
  'stacked-devices',
  'address',
  'network',
  'image',
  'layers',
  'disk',
  'partitions',
  'top',
  'overlay',
  'persistent',
  'capabilities',
  'identity',
  'name-service',
  'time-service',
  'journal',
  'selinux',
  'sysv',
  'hand-over',
];

/**
 * Runs `script` in one of the shells, with $ROOT a fresh directory that holds `tree`, commands mocked and all parts of
 * initramfs-skel/lib/mkroot sourced, settings and an empty command line read, and stage 10 entered.
 */
export function runOnTarget(shell: Shell, script: string, tree: TargetTree = {}): ShellResult {
  const preamble = `set -u
export LC_ALL=C
${mocks}
for part in ${parts.join(' ')}; do . "$SKELETON/lib/mkroot/$part.sh"; done
find_consoles
load_settings
read_command_line ''
enter_stage 10
`;
  return runScript(shell, preamble + script, tree);
}

/** Runs `script` with only the mocks in place: for the programs that stand alone (shutdown, dhcp-event, dhcp-client). */
export function runWithMocks(shell: Shell, script: string, tree: TargetTree = {}): ShellResult {
  return runScript(shell, mocks + script, tree);
}

function runScript(shell: Shell, script: string, tree: TargetTree): ShellResult {
  const root = mkdtempSync(join(tmpdir(), 'mkroot-target-'));
  try {
    for (const [path, content] of Object.entries({ ...basics, ...tree })) {
      const full = join(root, path);
      mkdirSync(dirname(full), { recursive: true });
      if (typeof content === 'string') writeFileSync(full, content);
      else symlinkSync(content.link, full);
    }
    cpSync(join(skeleton, 'shutdown'), join(root, 'shutdown'));
    const [program, ...args] = shell.argv;
    const result = spawnSync(program, [...args, '-s'], {
      input: script,
      encoding: 'latin1',
      timeout: 100_000,
      env: { PATH: process.env['PATH'], ROOT: root, SKELETON: skeleton },
    });
    const read = (path: string) =>
      existsSync(join(root, path)) ? readFileSync(join(root, path), 'latin1') : undefined;
    const lines = (path: string) => (read(path) ?? '').split('\n').filter((line) => line !== '');
    const kept = new Map<string, string | undefined>();
    const kmsg = lines('dev/kmsg');
    const calls = lines('calls').map((line) => line.replaceAll(root, ''));
    const snapshot = snapshotOf(root, kept);
    return {
      status: result.status,
      stdout: result.stdout,
      stderr: result.stderr,
      kmsg,
      calls,
      read: snapshot,
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function snapshotOf(
  root: string,
  kept: Map<string, string | undefined>,
): (path: string) => string | undefined {
  const listed = spawnSync('find', [root, '-type', 'f', '-size', '-64k', '-print0'], { encoding: 'latin1' });
  for (const path of listed.stdout.split('\0').filter((name) => name !== '')) {
    kept.set(path.slice(root.length + 1), readFileSync(path, 'latin1').replaceAll(root, ''));
  }
  return (path) => kept.get(path);
}
