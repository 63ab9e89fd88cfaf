import { describe, expect, it } from 'vitest';
import { runOnTarget, runWithMocks, shells } from './target-shell.js';

const inittab = `# levels
id:2:initdefault:
l2:2:wait:/etc/init.d/rc 2
`;
const root = {
  'sysroot/etc/inittab': inittab,
  'sysroot/etc/default/halt': 'HALT=poweroff\nNETDOWN=yes\n',
  'sysroot/etc/mtab': 'old\n',
};

/** What the stages before have found out. */
const facts = `boot_nic=eth0 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_ip=10.0.0.1 base_summary=b layers_summary=l lower_directories=d
  node_name=n1; write_hand_over`;

describe.each(shells)('a root with sysvinit under $name', (shell) => {
  it('gets a last resort for each way down, which init stops when it goes to level 0 or 6 and not before', () => {
    const { read, stdout, stderr } = runOnTarget(
      shell,
      'write_sysv_hand_over; for verb in poweroff reboot; do readlink "$ROOT/run/sendsigs.omit.d/mkroot-$verb"; done',
      root,
    );
    expect(stderr).toBe('');
    const lines = read('sysroot/etc/inittab')?.split('\n') ?? [];
    expect(lines.slice(0, 3).join('\n')).toBe(inittab.trimEnd());
    const command = '/run/initramfs/bin/busybox sh /run/initramfs/lib/mkroot/sysv-last-resort';
    expect(lines.slice(3)).toEqual([
      `mkrp:123456:respawn:${command} poweroff sysv`,
      `mkrr:012345:respawn:${command} reboot sysv`,
      '',
    ]);
    expect(stdout).toBe('/run/initramfs/state/omit-poweroff\n/run/initramfs/state/omit-reboot\n');
  });

  it('checks no file system, reads its mounts from the kernel and keeps the network until the end', () => {
    const { read, stdout } = runOnTarget(
      shell,
      'write_sysv_hand_over; readlink "$ROOT/sysroot/etc/mtab"',
      root,
    );
    expect(read('sysroot/fastboot')).toBe('');
    expect(stdout).toBe('../proc/self/mounts\n');
    // Sourced by the script, so the last line counts.
    expect(read('sysroot/etc/default/halt')?.trimEnd().split('\n').at(-1)).toBe('NETDOWN=no');
  });

  it('gets them once, at every boot with a top that lasts, and below a last line without an end', () => {
    const once = runOnTarget(shell, 'write_sysv_hand_over', root);
    const thrice = runOnTarget(
      shell,
      'report_address=10.0.0.1; write_sysv_hand_over; rm -r "$ROOT/run/sendsigs.omit.d"; report_address=""; write_sysv_hand_over',
      {
        ...root,
        'sysroot/etc/inittab': inittab.trimEnd(),
        'sysroot/etc/default/halt': 'HALT=poweroff\nNETDOWN=yes',
      },
    );
    expect(thrice.stderr).toBe('');
    for (const path of ['sysroot/etc/inittab', 'sysroot/etc/default/halt']) {
      expect(thrice.read(path)).toBe(once.read(path));
    }
  });

  it('is one whose inittab names a level: others are left alone', () => {
    const comments = { 'sysroot/etc/inittab': '# inittab is no longer used.\n# id:5:initdefault:\n' };
    const { read } = runOnTarget(shell, facts, comments);
    expect(read('sysroot/etc/inittab')).toBe(comments['sysroot/etc/inittab']);
    expect(read('sysroot/fastboot')).toBeUndefined();
    expect(read('run/systemd/system/mkroot-last-resort-poweroff.service')).toBeDefined();
  });

  it('has no /run/systemd/system, by which programs would take it for one with systemd', () => {
    const { read, stdout } = runOnTarget(
      shell,
      `report_address=10.0.0.1 report_port=80 report_boot=1; ${facts}; ls -d "$ROOT/run/systemd/"*`,
      root,
    );
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((path) => path.split('/').at(-1)),
    ).toEqual(['network']);
    expect(read('sysroot/fastboot')).toBe('');
    expect(read('sysroot/etc/inittab')).toMatch(/^mkru:2345:once:.+\/report-state up \/run\/initramfs$/m);
  });

  it('stops a last resort with its group, so that what watches on has a group of its own and is spared by sendsigs', () => {
    const { calls, read, stderr } = runWithMocks(
      shell,
      `kill() { note kill; }
       sleep() { if [ "$1" = 86400 ]; then command kill -TERM $$; fi; note sleep "$1"; }
       MKROOT_STATE_DIRECTORY=$ROOT/run/initramfs/state MKROOT_LIB=$SKELETON/lib/mkroot
       set -- poweroff sysv
       . "$SKELETON/lib/mkroot/last-resort"`,
    );
    expect(stderr).toBe('');
    expect(calls.find((call) => call.startsWith('setsid'))).toMatch(/^setsid sh \S+ poweroff guard$/);
    expect(read('run/initramfs/state/omit-poweroff')).toMatch(/^\d+\n$/);
  });
});
