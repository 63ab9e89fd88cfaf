import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

/** A device with a link as sysfs shows it, hardware unless told otherwise. */
function device(name: string, mac: string, { hardware = true, mtu = 1500 } = {}): TargetTree {
  return {
    [`sys/class/net/${name}/address`]: `${mac}\n`,
    [`sys/class/net/${name}/carrier`]: '1\n',
    [`sys/class/net/${name}/mtu`]: `${mtu}\n`,
    ...(hardware
      ? { [`sys/class/net/${name}/device/driver`]: { link: '../../../../bus/pci/drivers/tg3' } }
      : {}),
  };
}

const two = { ...device('eth0', '52:54:00:00:00:01'), ...device('eth1', '52:54:00:00:00:02') };

/** `ip link add` as the kernel does it: the new device is in sysfs, over the one that is named. */
const kernel = `ip() {
  note ip "$@"
  case "$*" in
    'link add link '*)
      mkdir -p "$ROOT/sys/class/net/$6/lower_$4"
      cp "$ROOT/sys/class/net/$4/address" "$ROOT/sys/class/net/$4/carrier" "$ROOT/sys/class/net/$4/mtu" "$ROOT/sys/class/net/$6/" ;;
    'link add name '*)
      mkdir -p "$ROOT/sys/class/net/$4/bonding"
      cp "$ROOT/sys/class/net/eth0/carrier" "$ROOT/sys/class/net/eth0/address" "$ROOT/sys/class/net/$4/" ;;
  esac
}
`;
const wait = 'start_links\nenter_stage 30\nwait_for_device\necho "$linked_nics|$device_summary"\n';
const boot = (shell: (typeof shells)[number], words: string, tree: TargetTree = two, before = kernel) =>
  runOnTarget(shell, `${before}read_command_line '${words}'\n${wait}`, tree);
const links = (calls: readonly string[]) => calls.filter((call) => call.startsWith('ip '));

describe.each(shells)('devices over others under $name', (shell) => {
  it('a VLAN is made on the device that vlan= names, and is what the node boots from', () => {
    const { stdout, calls, kmsg } = boot(shell, 'vlan=eth1.0005:eth1 ip=eth1.0005:dhcp');
    expect(stdout).toBe('eth1.0005|eth1.0005 52:54:00:00:00:02 over eth1\n');
    expect(links(calls)).toEqual([
      'ip link set dev eth1 up',
      'ip link add link eth1 name eth1.0005 type vlan id 5',
      'ip link set dev eth1.0005 up',
    ]);
    expect(calls).toContain('modprobe -q 8021q');
    expect(kmsg).toEqual([]);
  });

  it.each([
    ['vlan5', 5],
    ['vlan0005', 5],
    ['eth0.5', 5],
    ['eth0.4094', 4094],
  ])('%s is VLAN %i', (name, id) => {
    expect(boot(shell, `vlan=${name}:eth0`).calls).toContain(
      `ip link add link eth0 name ${name} type vlan id ${id}`,
    );
  });

  it.each(['vlan0:eth0', 'vlan4095:eth0', 'storage:eth0', 'vlan5:$(reboot)', 'eth0.x:eth0'])(
    'vlan=%s is told and left out',
    (value) => {
      const { stdout, kmsg, calls } = boot(shell, `vlan=${value}`);
      expect(kmsg[0]).toContain('FAILED [30] device: command line ignored: vlan=');
      expect(stdout).toContain('eth0 eth1|');
      expect(calls.join('\n')).not.toMatch(/type vlan|reboot/);
    },
  );

  it.each([
    ['vlan=vlan5:eth0 vlan=vlan6:eth0', 'the VLAN vlan5 (another one comes after it)', 'vlan6'],
    ['bond=bond0:eth0 bond=bond1:eth1', 'the bond bond0 (another one comes after it)', 'bond1'],
  ])('of %s the last one counts, and the first one is told', (words, told, made) => {
    const { stdout, kmsg } = boot(shell, words);
    expect(kmsg.join('\n')).toContain(`command line ignored: ${told}`);
    expect(stdout).toContain(`${made}|`);
  });

  it('without a device the VLAN lies on that of BOOTIF=, else on the first with a link, else on the bond', () => {
    const over = (words: string, tree?: TargetTree) =>
      boot(shell, words, tree).calls.find((call) => call.includes('type vlan'));
    expect(over('vlan=vlan7 BOOTIF=01-52-54-00-00-00-02')).toContain('link eth1 ');
    expect(over('vlan=vlan7', { ...two, 'sys/class/net/eth0/carrier': '0\n' })).toContain('link eth1 ');
    expect(over('vlan=vlan7 bond=bond0:eth0,eth1:mode=active-backup')).toContain('link bond0 ');
  });

  it('a node that is told to boot from the hardware makes no VLAN', () => {
    const { stdout, calls } = boot(shell, 'vlan=vlan5:eth0 ip=eth0:dhcp');
    expect(stdout).toContain('eth0|eth0 ');
    expect(calls.join('\n')).not.toContain('vlan');
  });

  it('a bond has its options before its devices, which are down when it takes them', () => {
    const { stdout, calls, read } = boot(
      shell,
      'bond=bond1:eth1,eth0:primary=eth1,mode=active-backup,arp_interval=200,arp_ip_target=10.0.0.1;10.0.0.2:9000',
    );
    expect(stdout).toContain('bond1|bond1 ');
    expect(links(calls)).toEqual([
      'ip link add name bond1 type bond',
      'ip link set dev eth1 down',
      'ip link set dev eth0 down',
      'ip link set dev bond1 mtu 9000',
      'ip link set dev bond1 up',
    ]);
    expect(calls).toContain('modprobe -q bonding');
    const settings = (name: string) => read(`sys/class/net/bond1/bonding/${name}`);
    expect(settings('mode')).toBe('active-backup\n');
    expect(settings('primary')).toBe('eth1\n');
    expect(settings('arp_ip_target')).toBe('+10.0.0.2\n');
    expect(settings('slaves')).toBe('+eth0\n');
    expect(settings('miimon')).toBeUndefined();
  });

  it('bond without a value is bond0 of eth0 and eth1, and watches their links', () => {
    const { read, calls } = boot(shell, 'bond');
    expect(calls).toContain('ip link add name bond0 type bond');
    expect(read('sys/class/net/bond0/bonding/mode')).toBe('balance-rr\n');
    expect(read('sys/class/net/bond0/bonding/miimon')).toBe('100\n');
  });

  it.each(['bond0:eth0,;x', 'bond0:eth0:mode=$(reboot)', 'bond0:eth0:mode=1:12'])(
    'bond=%s is told and left out',
    (value) => {
      const { kmsg, calls } = boot(shell, `bond=${value}`);
      expect(kmsg[0]).toContain('FAILED [30] device: command line ignored: bond=');
      expect(calls.join('\n')).not.toMatch(/type bond|reboot/);
    },
  );

  it('a bond waits 10 s for all of its devices, then it is told and made of those that are there', () => {
    const { stdout, kmsg, calls } = boot(shell, 'bond=bond0:eth0,eth7');
    expect(kmsg).toEqual([
      '<3>mkroot: FAILED [30] device: bond0 no such network device within 10 s: eth7; next: a bond of eth0',
    ]);
    expect(stdout).toContain('bond0|');
    expect(calls.filter((call) => call.startsWith('sleep')).length).toBeGreaterThanOrEqual(9);
  });

  it('a kernel without the driver ends the boot with a line that names it', () => {
    const refuses = 'ip() { note ip "$@"; [ "$2" != add ]; }\n';
    expect(boot(shell, 'vlan=vlan5:eth0', two, refuses).kmsg[0]).toMatch(
      /vlan5 the kernel makes no VLAN on eth0: does the initrd have the driver 8021q; next: reboot/,
    );
    expect(boot(shell, 'bond', two, refuses).kmsg[0]).toMatch(
      /bond0 the kernel makes no bond: does the initrd have the driver bonding; next: reboot/,
    );
  });

  it('where the device below never shows up the node goes on without, and says so', () => {
    const { stdout, kmsg } = boot(shell, 'vlan=vlan5:eth9', two, `${kernel}device_timeout=15\n`);
    expect(kmsg[0]).toContain(
      'FAILED [30] device: vlan5 no such network device within 15 s; next: any network device',
    );
    expect(stdout).toContain('eth0 eth1|');
  });

  it('what lies below is told from the bottom to the top', () => {
    const { stdout } = runOnTarget(
      shell,
      'list_lower_nics vlan5; echo "$lower_nics"; list_lower_nics eth0; echo "[$lower_nics]"',
      {
        'sys/class/net/vlan5/lower_bond0/x': '',
        'sys/class/net/bond0/lower_eth0/x': '',
        'sys/class/net/bond0/lower_eth1/x': '',
      },
    );
    expect(stdout).toBe('eth0 eth1 bond0\n[]\n');
  });
});

describe.each(shells)('the MTU under $name', (shell) => {
  const lease = (mtu: string) =>
    `boot_nic=vlan5 lease_mtu=${mtu} address_summary=a; use_mtu; echo "$address_summary"`;
  const tree = {
    ...device('eth0', '52:54:00:00:00:01'),
    ...device('vlan5', '52:54:00:00:00:01', { hardware: false }),
    'sys/class/net/vlan5/lower_eth0/x': '',
  };

  it('is set on what the device lies over first', () => {
    const { stdout, calls } = runOnTarget(shell, lease('9000'), tree);
    expect(links(calls)).toEqual(['ip link set dev eth0 mtu 9000', 'ip link set dev vlan5 mtu 9000']);
    expect(stdout).toBe('a, MTU 9000\n');
  });

  it('of the command line goes before that of DHCP, and a smaller one leaves what lies below', () => {
    const result = runOnTarget(shell, `read_command_line 'ip=vlan5:dhcp:1400'\n${lease('9000')}`, tree);
    expect(links(result.calls)).toEqual(['ip link set dev vlan5 mtu 1400']);
    expect(links(runOnTarget(shell, lease('1500'), tree).calls)).toEqual([]);
    expect(links(runOnTarget(shell, lease("''"), tree).calls)).toEqual([]);
  });

  it('that a device does not take is told, and the boot goes on', () => {
    const { stdout, kmsg } = runOnTarget(shell, `ip() { return 1; }\n${lease('9000')}`, tree);
    expect(kmsg[0]).toContain('eth0 does not take an MTU of 9000; next: going on with 1500');
    expect(stdout).toBe('a\n');
  });
});
