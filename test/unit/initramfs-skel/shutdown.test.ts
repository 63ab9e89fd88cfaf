import { describe, expect, it } from 'vitest';
import { runOnTarget, runWithMocks, shells } from './target-shell.js';

const mounts = {
  'proc/mounts': [
    'proc /oldroot/proc proc rw 0 0',
    'mkroot /oldroot overlay ro 0 0',
    'securityfs /oldroot/sys/kernel/security securityfs rw 0 0',
    'sysfs /oldroot/sys sysfs rw 0 0',
    'tmpfs / tmpfs rw 0 0',
    '10.77.0.1:/r /run/mkroot/base nfs ro 0 0',
    'proc /proc proc rw 0 0',
    '',
  ].join('\n'),
};
const script = (umount: string, verb: string) => `
poweroff() { note poweroff "$@"; exit 99; }
umount() { note umount "$@"; ${umount}; }
set -- ${verb}
. "$ROOT/shutdown"`;
const forget =
  'for point; do :; done; grep -v " $point " "$ROOT/proc/mounts" >"$ROOT/proc/new" || :; mv "$ROOT/proc/new" "$ROOT/proc/mounts"';

describe.each(shells)('/run/initramfs under $name', (shell) => {
  it('has the applets of busybox whose names programs of the root have taken', () => {
    const { stdout, stderr } = runOnTarget(
      shell,
      'prepare_shutdown_root\nfor name in awk busybox ip ls umount; do readlink "$ROOT/run/initramfs/bin/$name" || echo none; done',
      {
        'bin/busybox': 'ELF',
        'bin/ls': { link: 'busybox' },
        'bin/ip': 'ELF',
        'bin/awk': { link: '/etc/alternatives/awk' },
        'bin/umount': { link: 'umount.util-linux' },
        'bin/umount.util-linux': 'ELF',
        'lib/mkroot/x': '',
      },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('busybox\nnone\nbusybox\nbusybox\nbusybox\n');
  });

  it('holds busybox, its applets, the parts and the shutdown program, also where /bin is a link; other programs stay behind', () => {
    const { read, stdout, stderr } = runOnTarget(
      shell,
      'prepare_shutdown_root\nreadlink "$ROOT/run/initramfs/bin/sh"\nreadlink "$ROOT/run/initramfs/sbin"',
      {
        bin: { link: 'usr/bin' },
        'usr/bin/busybox': 'ELF',
        'usr/bin/sh': { link: 'busybox' },
        'usr/bin/large-program': 'ELF',
        'lib/mkroot/dhcp-client': 'sh',
      },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('busybox\nbin\n');
    expect(read('run/initramfs/bin/busybox')).toBe('ELF');
    expect(read('run/initramfs/lib/mkroot/dhcp-client')).toBe('sh');
    expect(read('run/initramfs/shutdown')).toContain('poweroff');
    expect(read('run/initramfs/bin/large-program')).toBeUndefined();
  });
});

describe.each(shells)('/run/initramfs/shutdown under $name', (shell) => {
  it('tells what is left mounted in a line that the log takes', () => {
    const layers = Array.from(
      { length: 100 },
      (_, index) => `10.77.0.1:/r /run/mkroot/cluster-${index} nfs ro 0 0`,
    );
    const { kmsg } = runWithMocks(shell, script('return 1', 'poweroff'), {
      'proc/mounts': `${layers.join('\n')}\n`,
    });
    expect(kmsg.at(-1)).toMatch(/^<5>mkroot: shutdown: poweroff: \/run\/mkroot\/cluster-99 \/run/);
    expect(kmsg.at(-1)!.length).toBeLessThan(900);
  });

  it('unmounts children before parents, the old root and the layers only, then powers off without syncing', () => {
    const { calls, kmsg, status } = runWithMocks(shell, script(forget, 'poweroff'), mounts);
    expect(status).toBe(99);
    expect(calls.filter((call) => !call.startsWith('sleep'))).toEqual([
      'umount /oldroot/sys/kernel/security',
      'umount /oldroot/sys',
      'umount /oldroot/proc',
      'umount /oldroot',
      'umount /run/mkroot/base',
      'poweroff -n -f',
    ]);
    expect(kmsg.at(-1)).toBe('<5>mkroot: shutdown: poweroff: nothing is left mounted');
  });

  it('writes back first what is still mounted to be written to, for a bounded time', () => {
    const written = {
      'proc/mounts': `${mounts['proc/mounts']}10.77.0.1:/l /oldroot/var/log nfs rw,nodev 0 0\n`,
    };
    const sync = (does: string) => `sync() { note sync; ${does}; }\n`;
    const flushed = runWithMocks(shell, sync(':') + script(forget, 'poweroff'), written);
    expect(flushed.calls.filter((call) => /^(sync|umount .*log|umount .oldroot$)/.test(call))).toEqual([
      'sync',
      'umount /oldroot/var/log',
      'umount /oldroot',
    ]);
    const hangs = runWithMocks(shell, sync('command sleep 10') + script(forget, 'poweroff'), written);
    expect(hangs.kmsg[0]).toContain(
      'FAILED: not everything could be written back within 30 s; next: unmounting',
    );
    expect(hangs.kmsg.at(-1)).toContain('nothing is left mounted');
    const none = runWithMocks(shell, sync(':') + script(forget, 'poweroff'), mounts);
    expect(none.calls).not.toContain('sync');
  }, 30_000);

  it('gives the lock of the image back when nothing has it any more, and only then', () => {
    const top = {
      'proc/mounts': 'mkroot /oldroot overlay rw 0 0\n',
      'state/top': '10.77.0.1:/t hard,tcp,nolock,vers=3 top.ext4\n',
      'top/top.ext4.lock': 'mac\n',
    };
    const before = 'sync() { note sync; }\n';
    const free = runWithMocks(shell, before + script(forget, 'poweroff'), top);
    expect(free.calls.filter((call) => !call.startsWith('sleep'))).toEqual([
      'sync',
      'umount /oldroot',
      'mount -t nfs -o hard,tcp,nolock,vers=3 10.77.0.1:/t /top',
      'umount /top',
      'poweroff -n -f',
    ]);
    expect(free.read('top/top.ext4.lock')).toBeUndefined();
    const busy = runWithMocks(shell, before + script(forget, 'poweroff'), {
      ...top,
      'sys/block/loop0/loop/backing_file': '/top.ext4\n',
    });
    expect(busy.read('top/top.ext4.lock')).toBe('mac\n');
    expect(busy.kmsg.at(-2)).toContain(
      'FAILED: the image of the writable top stays locked; next: poweroff all the same',
    );
    expect(busy.calls.at(-1)).toBe('poweroff -n -f');
  }, 30_000);

  it('waits for the process that was the root before it unmounts the layers of that process', () => {
    const union = {
      'proc/mounts': 'unionfs /oldroot fuse.unionfs rw 0 0\n10.77.0.1:/kept /run/mkroot/rw nfs rw 0 0\n',
      'proc/77/cmdline': '@/unionfs\0-o\0cow\0',
    };
    const { calls, kmsg } = runWithMocks(
      shell,
      'sync() { :; }\nwhile_asleep() { [ "$(grep -c "^sleep" "$ROOT/calls")" -lt 40 ] || rm -rf "$ROOT/proc/77"; }\n' +
        script(`[ "$1" = /oldroot ] || [ ! -e "$ROOT/proc/77" ] || return 1; ${forget}`, 'poweroff'),
      union,
    );
    expect(calls.filter((call) => call.startsWith('umount'))).toEqual([
      'umount /oldroot',
      'umount /run/mkroot/rw',
    ]);
    expect(kmsg.at(-1)).toContain('nothing is left mounted');
  });

  it('kills that process when umount waits for it, since it waits for a server itself', () => {
    const { calls } = runWithMocks(
      shell,
      `command sleep 30 & union_process=$!
mkdir "$ROOT/proc/$union_process"
printf '@/unionfs\\0-o\\0' >"$ROOT/proc/$union_process/cmdline"
reboot() { wait "$union_process"; note "ended with $?"; exit 99; }
${script('command sleep 2; exit 1', 'reboot')}`,
      mounts,
    );
    expect(calls.at(-1)).toBe('ended with 137');
  });

  it('goes on when a server is gone and umount never returns: force, then lazily, then the machine goes down all the same', () => {
    const { calls, kmsg, status } = runWithMocks(shell, script('command sleep 2; exit 1', 'reboot'), mounts);
    expect(status).toBe(99);
    expect(calls.filter((call) => call.startsWith('umount'))).toEqual([
      'umount /oldroot/sys/kernel/security',
      'umount -f /oldroot/sys/kernel/security',
      'umount -l /oldroot/sys/kernel/security',
    ]);
    expect(kmsg.at(-1)).toContain('left mounted');
    expect(calls.at(-1)).toBe('reboot -n -f');
  });
});
