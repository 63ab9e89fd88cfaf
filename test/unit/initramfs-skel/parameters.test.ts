import { describe, expect, it } from 'vitest';
import { runOnTarget, shells } from './target-shell.js';

const variables = [
  'base_wanted',
  'base_standard',
  'cluster_wanted',
  'host_wanted',
  'roots_directory',
  'nfs_version',
  'nfs_extra_options',
  'top_wanted',
  'hostname_wanted',
  'ip_mode',
  'ip_address',
  'ip_server',
  'ip_gateway',
  'ip_netmask',
  'ip_hostname',
  'ip_device',
  'ip_dns',
  'ip_ntp',
  'ip_mtu',
  'bond_name',
  'vlan_name',
  'boot_mac',
  'break_before',
  'shell_on_failure',
  'panic_delay',
  'init_wanted',
  'parameter_problems',
  'base_default',
];

/** What people type, and which variables it sets; every other one is empty, ip_mode is dhcp. */
const commandLines: readonly [string, Record<string, string>][] = [
  ['', {}],
  ['BOOT_IMAGE=vmlinuz quiet splash ro', {}],
  ['mkroot.base=10.0.0.1:/srv/roots/compute', { base_wanted: '10.0.0.1:/srv/roots/compute' }],
  ['mkroot.base=nfs:srv:/r,nconnect=4', { base_wanted: 'nfs:srv:/r,nconnect=4' }],
  ['root=/dev/nfs nfsroot=10.0.0.1:/r,vers=4.2', { base_standard: '10.0.0.1:/r,vers=4.2' }],
  ['nfsroot=10.0.0.1:/r root=/dev/nfs', { base_standard: '10.0.0.1:/r' }],
  ['root=nfs:10.0.0.1:/r:vers=3', { base_standard: 'nfs:10.0.0.1:/r:vers=3' }],
  ['root=nfs4:10.0.0.1:/r', { base_standard: 'nfs4:10.0.0.1:/r' }],
  ['root=10.0.0.1:/r', { base_standard: '10.0.0.1:/r' }],
  ['root=head.cluster:/r', { base_standard: 'head.cluster:/r' }],
  ['root=10.0.0.1:/r,vers=4.2', { base_standard: '10.0.0.1:/r,vers=4.2' }],
  ['root=head:/r:nfsvers=3', { base_standard: 'head:/r:nfsvers=3' }],
  ['root=LABEL=a:/x,y=z', { parameter_problems: 'root=LABEL=a:/x,y=z (not a network root)' }],
  ['root=UUID=1', { parameter_problems: 'root=UUID=1 (not a network root)' }],
  ['root=dhcp', {}],
  ['root=/dev/sda1', { parameter_problems: 'root=/dev/sda1 (not a network root)' }],
  ['root=UUID=1:/x', { parameter_problems: 'root=UUID=1:/x (not a network root)' }],
  [
    'mkroot.cluster=/c1 mkroot.cluster=s:/c2 mkroot.host=/h/%m',
    { cluster_wanted: ' /c1 s:/c2', host_wanted: '/h/%m' },
  ],
  [
    'mkroot.roots=/srv/roots mkroot.nfsvers=4.1 mkroot.nfsopts=timeo=50',
    { roots_directory: '/srv/roots', nfs_version: '4.1', nfs_extra_options: 'timeo=50' },
  ],
  [
    'mkroot.rw=tmpfs:size=50%,nr_inodes=1m mkroot.hostname=n1',
    { top_wanted: 'tmpfs:size=50%,nr_inodes=1m', hostname_wanted: 'n1' },
  ],
  ['mkroot.image=compute mkroot.generation=g1', {}],
  ['mkroot.nfsvers=v3', { parameter_problems: 'mkroot.nfsvers=v3 (no version of NFS)' }],
  ['mkroot.bsae=x', { parameter_problems: 'mkroot.bsae=x (no such key)' }],
  ['ip=dhcp', {}],
  ['ip=none', { ip_mode: 'none' }],
  ['ip=off', { ip_mode: 'none' }],
  ['ip=eth1:dhcp', { ip_device: 'eth1' }],
  ['ip=:::::eth2:dhcp', { ip_device: 'eth2' }],
  ['ip=eth1:dhcp:9000', { ip_device: 'eth1', ip_mtu: '9000' }],
  ['ip=eth1:dhcp:', { ip_device: 'eth1' }],
  ['ip=::::::dhcp:9000', { ip_mtu: '9000' }],
  [
    'ip=eth1:dhcp:9000:52-54-00-00-00-01',
    {
      ip_device: 'eth1',
      ip_mtu: '9000',
      parameter_problems: 'ip=eth1:dhcp:9000:52-54-00-00-00-01 (its MAC address: a device keeps its own)',
    },
  ],
  ['ip=eth1:dhcp:12', { ip_device: 'eth1', parameter_problems: 'ip=eth1:dhcp:12 (MTU is not valid)' }],
  [
    'vlan=vlan5:bond0 bond=bond0:eth0,eth1:mode=802.3ad ip=vlan5:dhcp',
    { vlan_name: 'vlan5', bond_name: 'bond0', ip_device: 'vlan5' },
  ],
  ['vlan=0:eth0', { parameter_problems: 'vlan=0:eth0 (no VLAN: its number is 1 to 4094)' }],
  [
    'ip=10.0.0.9:10.0.0.1:10.0.0.254:255.255.254.0:n9:eth1:none:10.0.0.2:10.0.0.3:10.0.0.4',
    {
      ip_mode: 'static',
      ip_address: '10.0.0.9',
      ip_server: '10.0.0.1',
      ip_gateway: '10.0.0.254',
      ip_netmask: '255.255.254.0',
      ip_hostname: 'n9',
      ip_device: 'eth1',
      ip_dns: '10.0.0.2 10.0.0.3',
      ip_ntp: '10.0.0.4',
    },
  ],
  // What pxelinux appends with IPAPPEND 1.
  [
    'ip=10.0.0.9:10.0.0.1:10.0.0.254:255.255.255.0',
    {
      ip_mode: 'static',
      ip_address: '10.0.0.9',
      ip_server: '10.0.0.1',
      ip_gateway: '10.0.0.254',
      ip_netmask: '255.255.255.0',
    },
  ],
  ['ip=10.0.0.999::::', { parameter_problems: 'ip=10.0.0.999:::: (address is not valid)' }],
  ['ip=[fe80::1]::', { parameter_problems: 'ip=[fe80::1]:: (IPv6 is not supported)' }],
  ['BOOTIF=01-52-54-00-aB-cD-ef', { boot_mac: '52:54:00:ab:cd:ef' }],
  ['BOOTIF=52:54:00:AB:CD:EF', { boot_mac: '52:54:00:ab:cd:ef' }],
  ['BOOTIF=01:52:54:00:ab:cd:ef', { boot_mac: '52:54:00:ab:cd:ef' }],
  ['BOOTIF=52-54-00-ab-cd-ef', { boot_mac: '52:54:00:ab:cd:ef' }],
  ['BOOTIF=', {}],
  ['BOOTIF=01-52-54', { parameter_problems: 'BOOTIF=01-52-54 (no MAC address)' }],
  ['bootdev=eth3', { ip_device: 'eth3' }],
  ['bootdev=../x', { parameter_problems: 'bootdev=../x (no interface name)' }],
  ['rd.break', { break_before: 'switch-root' }],
  [
    'rd.break=overlay rd.shell panic=10',
    { break_before: 'overlay', shell_on_failure: 'yes', panic_delay: '10' },
  ],
  ['rd.break=75', { break_before: '75' }],
  ['rd.break=pre-mount', { parameter_problems: 'rd.break=pre-mount (no stage)' }],
  ['panic=-1', { panic_delay: '-1' }],
  ['panic=08', { parameter_problems: 'panic=08 (no number)' }],
  ['panic=-010', { parameter_problems: 'panic=-010 (no number)' }],
  ['ip=eth1:dhcp:09000', { ip_device: 'eth1', parameter_problems: 'ip=eth1:dhcp:09000 (MTU is not valid)' }],
  ['panic=soon', { parameter_problems: 'panic=soon (no number)' }],
  ['init=/bin/bash single', { init_wanted: '/bin/bash' }],
];

describe.each(shells)('the command line under $name', (shell) => {
  it('is read in every form that people type, and mistakes are named instead of ignored in silence', () => {
    const script = commandLines
      .map(
        ([line]) => `read_command_line '${line}'
${variables.map((name) => `printf '%s\\t' "\${${name}:-}"`).join('\n')}
printf '\\n'`,
      )
      .join('\n');
    const { stdout, stderr } = runOnTarget(shell, script);
    expect(stderr).toBe('');
    const rows = stdout.split('\n');
    for (const [index, [line, wanted]] of commandLines.entries()) {
      const values = (rows[index] ?? '').split('\t');
      const found = Object.fromEntries(
        variables.map((name, column) => [name, values[column]]).filter(([, value]) => value !== ''),
      );
      expect(found, line).toEqual({ ip_mode: 'dhcp', ...wanted });
    }
  });

  it('with panic=08 does not end a boot that ends without a word', () => {
    const { kmsg, status, stderr } = runOnTarget(shell, "read_command_line 'panic=08'; die server 'is gone'");
    expect(stderr).toBe('');
    expect(status).toBe(99);
    expect(kmsg.at(-1)).toMatch(/server is gone; next: reboot in \d+ s/);
  });

  it('is never evaluated or globbed, whatever it holds', () => {
    const hostile =
      'mkroot.hostname=$(touch$IFS$ROOT/owned) mkroot.base=`touch$IFS$ROOT/owned` * ;touch $ROOT/owned mkroot.host=/*';
    const result = runOnTarget(
      shell,
      `read_command_line '${hostile}'\nprintf '%s\\n' "$hostname_wanted" "$host_wanted"\nchoose_hostname\n`,
      { 'proc/x': '' },
    );
    expect(result.read('owned')).toBeUndefined();
    expect(result.stdout).toBe('$(touch$IFS$ROOT/owned)\n/*\n');
    expect(result.calls).toEqual([]);
  });

  it('takes the defaults of the image only where the command line says nothing', () => {
    const { stdout } = runOnTarget(
      shell,
      `MKROOT_DEFAULTS='mkroot.base=d:/base mkroot.host=d:/host mkroot.nfsvers=3'
read_command_line 'mkroot.host=c:/host'
printf '%s %s %s %s\\n' "$base_wanted" "$base_default" "$host_wanted" "$nfs_version"`,
    );
    expect(stdout).toBe(' d:/base c:/host 3\n');
  });
});
