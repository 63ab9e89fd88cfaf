import { describe, expect, it } from 'vitest';
import { runOnTarget, runWithMocks, shells } from './target-shell.js';

/** The service as systemd stops it: its main process gets SIGTERM while it naps. `answer` tells what probe number $probe gets. */
const stopped = (answer: string) => `
poweroff() { note poweroff "$@"; }
sync() { note sync; }
kill() { note kill; }
nap() { command kill -TERM $$; }
sleep() { if [ "$1" = 86400 ]; then nap; fi; note sleep "$1"; }
nc() {
  note nc "$@"
  od -A n -v -t x1 >"$ROOT/packet"
  probe=$(grep -c ^nc "$ROOT/calls")
  ${answer}
}
MKROOT_STATE_DIRECTORY=$ROOT/run/initramfs/state MKROOT_LIB=$SKELETON/lib/mkroot
set -- poweroff
. "$SKELETON/lib/mkroot/last-resort"`;
const servers = { 'run/initramfs/state/servers': '10.77.0.1 2049 3\n' };

describe.each(shells)('the last resort under $name', (shell) => {
  it('powers off when six probes in a row got no answer; a probe is an NFS NULL call', () => {
    const { calls, stdout, read, stderr } = runWithMocks(shell, stopped(':'), servers);
    expect(stderr).toBe('');
    expect(calls.filter((call) => call.startsWith('nc'))).toEqual(Array(6).fill('nc 10.77.0.1 2049'));
    expect(calls).toContain('poweroff -n -f');
    expect(stdout).toBe('<3>mkroot: shutdown: FAILED: 10.77.0.1 does not answer; next: poweroff at once\n');
    // RFC 5531: record mark, xid, CALL, RPC 2, program 100003, version 3, procedure 0, no credentials, no verifier.
    expect(read('packet')?.replace(/\s+/g, '')).toBe(
      `800000286d6b7274${'0'.repeat(8)}00000002000186a300000003${'0'.repeat(40)}`,
    );
  });

  it('lets services take their time as long as the server answers, and starts counting anew after an answer', () => {
    const answer = '{ [ "$probe" -le 4 ] || [ "$probe" -eq 10 ]; } && printf abcdefgh || :';
    const { calls } = runWithMocks(shell, stopped(answer), servers);
    expect(calls.filter((call) => call.startsWith('nc'))).toHaveLength(10 + 6);
    expect(calls).toContain('poweroff -n -f');
  });

  it('asks every server of the root, each once, with its own port and version', () => {
    const { read } = runOnTarget(
      shell,
      `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_name=n1 lease_dns=''
       read_command_line 'mkroot.base=10.0.0.5:/b mkroot.cluster=/c mkroot.host=10.0.0.6:/h,vers=4.2,mountport=7,port=2050'
       mount_base_layer; mount_upper_layers`,
    );
    expect(read('run/initramfs/state/servers')).toBe('10.0.0.5 2049 3\n10.0.0.6 2050 4\n');
  });

  it('asks a server whose address is the end of another one as well', () => {
    const { read } = runOnTarget(
      shell,
      `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_name=n1 lease_dns=''
       read_command_line 'mkroot.base=210.0.0.1:/b mkroot.cluster=10.0.0.1:/c mkroot.host=10.0.0.1:/h'
       mount_base_layer; mount_upper_layers`,
    );
    expect(read('run/initramfs/state/servers')).toBe('210.0.0.1 2049 3\n10.0.0.1 2049 3\n');
  });

  it('is a unit for each verb that is stopped before what runs on the node, and spared by systemd-shutdown', () => {
    const { read } = runOnTarget(
      shell,
      `boot_nic=eth0 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_ip=10.0.0.1 base_summary=b layers_summary=l lower_directories=d
       node_name=n1; write_hand_over`,
    );
    for (const [verb, target] of [
      ['poweroff', 'poweroff.target halt.target'],
      ['reboot', 'reboot.target kexec.target'],
    ] as const) {
      const unit = read(`run/systemd/system/mkroot-last-resort-${verb}.service`);
      expect(unit).toContain(`Conflicts=${target}\n`);
      expect(unit).toMatch(/^After=.*multi-user\.target/m);
      expect(unit).toMatch(/^ExecStart=@\S+ @\/chroot \/run\/initramfs @\/busybox sh /m);
      expect(unit).toContain('KillMode=process\n');
      // PID 1 must not have to fetch its own code from the server when it is asked to go down.
      expect(unit).toMatch(/^ExecStartPre=-\S+ sh \/run\/initramfs\/lib\/mkroot\/ready-process-one$/m);
      // Stopping it says that the machine goes down, so nobody may do that by hand.
      expect(unit).toContain('RefuseManualStop=yes\nConflicts=');
    }
  });

  it('reads whole what PID 1 has mapped, once, and has it look for drop-ins of the targets', () => {
    const maps = [
      '55d0-55d1 r--p 00000000 00:1f 101    /usr/lib/systemd/systemd',
      '7f00-7f01 r-xp 00002000 00:1f 102    /usr/lib/x86_64-linux-gnu/lib with blank.so',
      '7f01-7f02 rw-p 00003000 00:1f 102    /usr/lib/x86_64-linux-gnu/lib with blank.so',
      '7f02-7f03 rw-p 00000000 00:00 0',
      '7ffd-7ffe rw-p 00000000 00:00 0      [stack]',
    ];
    const { calls, read, stderr } = runWithMocks(
      shell,
      `cat() { note cat "\${1#"$ROOT"}"; }
       chmod 0755 "$ROOT/usr/bin/systemctl"
       PROGRAMS=$PATH
       . "$SKELETON/lib/mkroot/ready-process-one"`,
      {
        'proc/1/maps': `${maps.join('\n')}\n`,
        'usr/bin/systemctl': '#!/bin/sh\necho "$@" >>"$0.calls"\n',
      },
    );
    expect(stderr).toBe('');
    expect(calls).toEqual([
      'cat /usr/bin/systemctl',
      'cat /usr/lib/systemd/systemd',
      'cat /usr/lib/x86_64-linux-gnu/lib with blank.so',
    ]);
    expect(read('usr/bin/systemctl.calls')).toBe(
      'show --property=NeedDaemonReload poweroff.target halt.target reboot.target kexec.target\n',
    );
  });
});
