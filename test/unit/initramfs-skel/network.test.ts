import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

/** A physical device as sysfs shows it. */
function nic(name: string, address: string, carrier: '0' | '1'): TargetTree {
  return {
    [`sys/class/net/${name}/address`]: `${address}\n`,
    [`sys/class/net/${name}/carrier`]: `${carrier}\n`,
    [`sys/class/net/${name}/device/driver`]: { link: '../../../../bus/pci/drivers/tg3' },
  };
}

const three = {
  ...nic('eth0', '52:54:00:00:00:01', '1'),
  ...nic('eth1', '52:54:00:00:00:02', '1'),
  ...nic('eth2', '52:54:00:00:00:03', '0'),
  'sys/class/net/lo/address': '00:00:00:00:00:00\n',
  'sys/class/net/lo/carrier': '1\n',
  'sys/class/net/br0/carrier': '1\n',
};

const wait = `start_links\nwait_for_device\necho "$linked_nics|$device_summary"`;

describe.each(shells)('network devices under $name', (shell) => {
  it('BOOTIF picks the second of three and leaves the others down', () => {
    const { stdout, calls } = runOnTarget(
      shell,
      `read_command_line 'BOOTIF=01-52-54-00-00-00-02'\n${wait}`,
      three,
    );
    expect(stdout).toBe('eth1|eth1 52:54:00:00:00:02 tg3\n');
    expect(calls).toEqual(['ip link set dev eth1 up']);
  });

  it('without BOOTIF the device of ip=, without that every one with a link', () => {
    expect(runOnTarget(shell, `read_command_line 'ip=eth1:dhcp'\n${wait}`, three).stdout).toBe(
      'eth1|eth1 52:54:00:00:00:02 tg3\n',
    );
    const all = runOnTarget(shell, wait, three);
    expect(all.stdout).toBe('eth0 eth1|eth0 52:54:00:00:00:01 tg3, eth1 52:54:00:00:00:02 tg3\n');
    expect(all.calls).toEqual(['eth0', 'eth1', 'eth2'].map((name) => `ip link set dev ${name} up`));
  });

  it('a link that comes after 50 s is waited for (spanning tree)', () => {
    const { stdout, kmsg } = runOnTarget(
      shell,
      `while_asleep() { [ "$1" -lt 53 ] || echo 1 >"$ROOT/sys/class/net/eth0/carrier"; }\n${wait}`,
      nic('eth0', '52:54:00:00:00:01', '0'),
    );
    expect(stdout).toContain('eth0|');
    expect(kmsg).toEqual([]);
  });

  it('a device that shows up after 100 s is waited for', () => {
    const { stdout } = runOnTarget(
      shell,
      `while_asleep() { [ "$1" -lt 100 ] || mv "$ROOT/late" "$ROOT/sys/class/net/eth0" 2>/dev/null; }
mkdir -p "$ROOT/sys/class/net" "$ROOT/late/device"; echo 1 >"$ROOT/late/carrier"; echo 52:54:00:00:00:01 >"$ROOT/late/address"
${wait}`,
    );
    expect(stdout).toContain('eth0|eth0 52:54:00:00:00:01');
  });

  it('no link within 60 s and no device within 180 s end the boot with a line that says so', () => {
    const noLink = runOnTarget(shell, `enter_stage 30\n${wait}`, nic('eth0', '52:54:00:00:00:01', '0'));
    expect(noLink.kmsg[0]).toMatch(/FAILED \[30\] device: eth0 no link within 60 s; next: reboot in \d+ s$/);
    const noDevice = runOnTarget(shell, `MKROOT_NIC_MODULES='tg3 e1000'\nenter_stage 30\n${wait}`);
    expect(noDevice.kmsg[0]).toMatch(/FAILED \[30\] device: - no network device within 180 s; next: reboot/);
    // Drivers that were asked for are tried by name before giving up.
    expect(noDevice.calls).toContain('modprobe -a -q tg3 e1000');
  });

  it('a BOOTIF that no device has is given up after 180 s in favour of any device', () => {
    const { stdout, kmsg } = runOnTarget(
      shell,
      `read_command_line 'BOOTIF=01-52-54-00-00-00-99'\nenter_stage 30\n${wait}`,
      three,
    );
    expect(kmsg[0]).toContain(
      'FAILED [30] device: 52:54:00:00:00:99 no such network device within 180 s; next: any network device',
    );
    expect(stdout).toContain('eth0 eth1|');
  });
});
