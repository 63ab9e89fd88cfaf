import { describe, expect, it } from 'vitest';
import { runOnTarget, runWithMocks, shells } from './target-shell.js';

const eth0 = {
  'sys/class/net/eth0/address': '52:54:00:00:00:01\n',
  'sys/class/net/eth0/carrier': '1\n',
  'sys/class/net/eth0/device/x': '',
};
const event = (name: string, environment: string) => `
export MKROOT_DHCP_STATE="$ROOT/state" MKROOT_LIB="$SKELETON/lib/mkroot"
mkdir -p "$MKROOT_DHCP_STATE"
(${environment}; set -- ${name}; . "$SKELETON/lib/mkroot/dhcp-event")
`;
const lease = `interface=eth0 ip=10.77.0.58 mask=24 subnet=255.255.255.0 router='10.77.0.1 10.77.0.2' dns='10.77.0.2 10.77.0.3' serverid=10.77.0.1 siaddr=10.77.0.1 lease=120`;

describe.each(shells)('addresses under $name', (shell) => {
  it('a static one needs no DHCP', () => {
    const { stdout, calls } = runOnTarget(
      shell,
      `read_command_line 'ip=10.0.0.9:10.0.0.1:10.0.0.254:255.255.254.0:n9::none:10.0.0.2'
start_links; wait_for_device; configure_address; choose_hostname
echo "$boot_nic $node_ip $node_mac $node_name $lease_dns $(default_server)"`,
      eth0,
    );
    expect(stdout).toBe('eth0 10.0.0.9 52:54:00:00:00:01 n9 10.0.0.2 10.0.0.1\n');
    expect(calls.filter((call) => call.startsWith('ip '))).toEqual([
      'ip link set dev eth0 up',
      'ip addr add 10.0.0.9/23 broadcast + dev eth0',
      'ip route replace default via 10.0.0.254 dev eth0',
    ]);
  });

  it('by DHCP, with the name and time servers of ip= where it has some', () => {
    const servers = (ip: string) =>
      runOnTarget(
        shell,
        `read_command_line '${ip}'\nsetsid() { :; }\nstart_links; wait_for_device; configure_address
echo "$node_ip $lease_dns $lease_ntp"`,
        {
          ...eth0,
          'run/initramfs/state/lease': 'nic=eth0\nip=10.77.0.58\nmask=24\ndns=10.77.0.2\nntpsrv=10.77.0.3\n',
        },
      ).stdout;
    expect(servers('ip=dhcp')).toBe('10.77.0.58 10.77.0.2 10.77.0.3\n');
    expect(servers('ip=::::::dhcp:10.0.0.4:10.0.0.5:10.0.0.6')).toBe(
      '10.77.0.58 10.0.0.4 10.0.0.5 10.0.0.6\n',
    );
  });

  it('an InfiniBand device is told from others by its GUID: name, machine-id, report; the system knows it by its whole address', () => {
    const booted = (guid: string) => {
      const address = `80:00:02:08:fe:80:00:00:00:00:00:00:${guid}`;
      const { stdout, stderr, read } = runOnTarget(
        shell,
        `read_command_line 'ip=10.0.0.9:10.0.0.1::255.255.254.0 BOOTIF=20-${guid.replaceAll(':', '-')}'
start_links; wait_for_device; configure_address; choose_hostname; write_identity
base_summary=b layers_summary=l lower_directories=d; write_hand_over; report_fields
expand_location s:/%m; echo "$node_name $answer"; echo "$report_text" | grep ^mac`,
        {
          ...eth0,
          'sys/class/net/ib0/address': `${address}\n`,
          'sys/class/net/ib0/carrier': '1\n',
          'sys/class/net/ib0/device/x': '',
        },
      );
      expect(stderr).toBe('');
      expect(read('run/systemd/network/00-mkroot-boot.link')).toContain(`\nMACAddress=${address}\n`);
      expect(read('run/NetworkManager/conf.d/00-mkroot-boot.conf')).toContain(
        `match-device=mac:${address}\n`,
      );
      return { stdout, id: read('sysroot/etc/machine-id') };
    };
    const one = booted('e4:1d:2d:03:00:12:ab:cd');
    expect(one.stdout).toBe(
      'node-e41d2d030012abcd s:/e4-1d-2d-03-00-12-ab-cd\nmac=e4:1d:2d:03:00:12:ab:cd\n',
    );
    expect(booted('e4:1d:2d:03:00:12:ab:ce').id).not.toBe(one.id);
  });

  it('nodes whose device has no such address are told from each other by their own', () => {
    const booted = (address: string) =>
      runOnTarget(
        shell,
        `read_command_line 'ip=${address}:10.0.0.1::255.255.254.0'
start_links; wait_for_device; configure_address; choose_hostname; write_identity; echo "$node_name"`,
        { ...eth0, 'sys/class/net/eth0/address': '\n' },
      );
    const one = booted('10.0.0.9');
    expect(one.stdout).toBe('node-10-0-0-9\n');
    expect(booted('10.0.0.8').read('sysroot/etc/machine-id')).not.toBe(one.read('sysroot/etc/machine-id'));
  });

  it('a DHCP server that answers after 90 s is waited for, and the wait is told', () => {
    const { stdout, kmsg } = runOnTarget(
      shell,
      `while_asleep() { [ "$1" -lt 93 ] || printf 'nic=eth0\\nip=10.77.0.58\\nmask=24\\nserverid=10.77.0.1\\n' >"$ROOT/run/initramfs/state/lease"; }
start_links; wait_for_device; enter_stage 40; configure_address; echo "$address_summary"`,
      eth0,
    );
    expect(stdout).toBe('eth0 10.77.0.58/24 from DHCP server 10.77.0.1\n');
    expect(kmsg.length).toBeGreaterThan(3);
    expect(kmsg[0]).toBe('<3>mkroot: FAILED [40] dhcp: DHCP no answer on eth0 for 15 s; next: asking again');
  });

  it('no DHCP answer within 300 s ends the boot', () => {
    const { status, kmsg } = runOnTarget(
      shell,
      'start_links; wait_for_device; enter_stage 40; configure_address',
      eth0,
    );
    expect(status).toBe(99);
    expect(kmsg.at(-1)).toMatch(
      /FAILED \[40\] dhcp: DHCP no answer on eth0 within 300 s; next: reboot in \d+ s/,
    );
  });

  it('the lease becomes an address and a file that holds only what looks right', () => {
    const result = runWithMocks(
      shell,
      event(
        'bound',
        `${lease} hostname='$(reboot)' domain='cluster.example' rootpath='10.77.0.1:/srv/r,vers=3'; dns="$dns bad;x"`,
      ),
    );
    expect(result.calls).toEqual([
      'ip addr add 10.77.0.58/24 broadcast + dev eth0',
      'ip route replace default via 10.77.0.1 dev eth0',
    ]);
    expect(result.read('state/lease')).toBe(
      'nic=eth0\nip=10.77.0.58\nmask=24\nrouter=10.77.0.1\ndns=10.77.0.2 10.77.0.3\nrefused=hostname\ndomain=cluster.example\n' +
        'rootpath=10.77.0.1:/srv/r,vers=3\nsiaddr=10.77.0.1\nserverid=10.77.0.1\nlease=120\n',
    );
  });

  it('what the server sent and cannot be used is told', () => {
    const sent = runWithMocks(
      shell,
      event('bound', `${lease} hostname=n_1 domain=bad rootpath='10.77.0.1:/a b' mtu=12 serverid=10.77.0.1`),
    ).read('state/lease');
    const { kmsg, stdout } = runOnTarget(
      shell,
      `setsid() { :; }\nstart_links; wait_for_device; enter_stage 40; configure_address; echo "$lease_hostname$lease_domain$lease_rootpath$lease_mtu"`,
      { ...eth0, 'run/initramfs/state/lease': sent! },
    );
    expect(kmsg).toEqual([
      '<3>mkroot: FAILED [40] dhcp: 10.77.0.1 sent what cannot be used: hostname, domain, rootpath, mtu; next: going on without',
    ]);
    expect(stdout).toBe('\n');
  });

  it('names may end with a dot', () => {
    expect(
      runWithMocks(
        shell,
        event('bound', `${lease} hostname=n1.cluster.example. domain=cluster.example.`),
      ).read('state/lease'),
    ).toContain('\nhostname=n1.cluster.example\ndomain=cluster.example\n');
  });

  it('classless routes (option 121) go in the place of the router of option 3', () => {
    const routes =
      "staticroutes='10.77.0.1/32 0.0.0.0 10.0.0.0/8 10.77.0.1 0.0.0.0/0 10.77.0.9 bad 10.77.0.1 10.1.0.0/33 10.77.0.1 10.2.0.0/16 ;x 10.3.0.0/16'";
    const { calls } = runWithMocks(shell, event('bound', `${lease} mask=32 ${routes}`));
    expect(calls).toEqual([
      'ip addr add 10.77.0.58/32 broadcast + dev eth0',
      'ip route replace 10.77.0.1/32 dev eth0',
      'ip route replace 10.0.0.0/8 via 10.77.0.1 dev eth0',
      'ip route replace default via 10.77.0.9 dev eth0',
    ]);
  });

  it('an MTU (option 26) is in the lease if it is one', () => {
    const mtuOf = (mtu: string) =>
      /^mtu=(.*)$/m.exec(
        runWithMocks(shell, event('bound', `${lease} mtu=${mtu}`)).read('state/lease') ?? '',
      )?.[1];
    expect(mtuOf('9000')).toBe('9000');
    for (const wrong of ['12', '70000', "'9000;x'", "''"]) expect(mtuOf(wrong)).toBeUndefined();
  });

  it('a client whose lease ran out asks for the same address again', () => {
    const asked = (tree: Record<string, string>) =>
      runWithMocks(
        shell,
        `export MKROOT_DHCP_STATE="$ROOT/state"
mkdir -p "$MKROOT_DHCP_STATE"
udhcpc() { note udhcpc "$@"; ln -s eth9 "$ROOT/state/winner"; }
set -- eth0
. "$SKELETON/lib/mkroot/dhcp-client" </dev/urandom`,
        tree,
      ).calls.find((call) => call.startsWith('udhcpc'));
    expect(asked({ 'state/lease': 'nic=eth0\nip=10.77.0.58\nmask=24\n' })).toContain(' -r 10.77.0.58');
    expect(asked({})).not.toContain(' -r ');
  });

  it('"bad", which busybox writes for a name that it finds unsafe, is no name', () => {
    const result = runWithMocks(shell, event('bound', `${lease} hostname=bad domain=bad`));
    expect(result.read('state/lease')).not.toContain('bad');
  });

  it('the first of several devices wins, the second changes nothing', () => {
    const result = runWithMocks(
      shell,
      event('bound', lease) + event('bound', lease.replace('eth0', 'eth1').replace('0.58', '0.59')),
    );
    expect(result.read('state/lease')).toContain('nic=eth0\nip=10.77.0.58\n');
    expect(result.calls.filter((call) => call.includes('eth1'))).toEqual([]);
  });

  it('deconfig flushes before the root is mounted and never after; renewal only adds', () => {
    const before = runWithMocks(shell, event('deconfig', 'interface=eth0'));
    expect(before.calls).toEqual(['ip addr flush dev eth0']);
    const mounted = { 'state/root-mounted': '' };
    const after = runWithMocks(
      shell,
      event('deconfig', 'interface=eth0') +
        event('nak', 'interface=eth0') +
        event('leasefail', 'interface=eth0') +
        event('renew', lease),
      mounted,
    );
    expect(after.calls).toEqual([
      'ip addr add 10.77.0.58/24 broadcast + dev eth0',
      'ip route replace default via 10.77.0.1 dev eth0',
    ]);
  });

  it('the client asks again after pauses that grow and differ, and gives up when another device won', () => {
    const result = runWithMocks(
      shell,
      `export MKROOT_DHCP_STATE="$ROOT/state"
mkdir "$MKROOT_DHCP_STATE"; count=0
udhcpc() { note udhcpc "$@"; count=$((count + 1)); [ "$count" -lt 7 ] || ln -s eth9 "$ROOT/state/winner"; }
set -- eth0
. "$SKELETON/lib/mkroot/dhcp-client" </dev/urandom`,
    );
    const pauses = result.calls
      .filter((call) => call.startsWith('sleep'))
      .map((call) => Number(call.slice(6)));
    expect(pauses).toHaveLength(6);
    expect(
      pauses.map(
        (pause, index) => pause >= Math.min(16, 2 ** index) && pause <= 2 * Math.min(16, 2 ** index),
      ),
    ).not.toContain(false);
    expect(new Set(pauses.map((pause) => pause % 1)).size).toBeGreaterThan(1);
    expect(result.status).toBe(0);
  });
});
