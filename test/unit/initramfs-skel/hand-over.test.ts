import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const node = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 base_summary=b layers_summary=l lower_directories=d
lease_dns='10.0.0.2 10.0.0.3' lease_domain=cluster.example lease_hostname=\${lease_hostname:-}
`;
const identity = (before = '', tree: TargetTree = {}) =>
  [`${before}\n${node}choose_hostname; write_identity; echo "$node_name"`, tree] as const;

describe.each(shells)('hand-over under $name', (shell) => {
  it("hostname: command line, ip=, the host layer, DHCP, else from the MAC; never the build machine's", () => {
    const shared = { 'sysroot/etc/hostname': 'build-machine\n' };
    const own = { ...shared, 'run/mkroot/host/etc/hostname': 'n007\n' };
    const name = (before: string, tree: TargetTree) => {
      const result = runOnTarget(shell, ...identity(before, tree));
      expect(result.read('sysroot/etc/hostname')).toBe(result.stdout);
      return result.stdout.trim();
    };
    expect(name("read_command_line 'mkroot.hostname=cmd ip=::::viaip::dhcp'; lease_hostname=dhcp", own)).toBe(
      'cmd',
    );
    expect(name("read_command_line 'ip=::::viaip::dhcp'; lease_hostname=dhcp", own)).toBe('viaip');
    expect(name('lease_hostname=dhcp', own)).toBe('n007');
    expect(name('lease_hostname=dhcp', shared)).toBe('dhcp');
    expect(name('', shared)).toBe('node-525400000001');
  });

  it('a DHCP hostname of $(reboot) is told, refused and harmless', () => {
    const result = runOnTarget(shell, ...identity("lease_hostname='$(reboot)'"));
    expect(result.kmsg).toEqual([
      '<3>mkroot: FAILED [10] start: hostname "$(reboot)" is no host name; next: trying the next source',
    ]);
    expect(result.stdout).toBe('node-525400000001\n');
    expect(result.calls.filter((call) => call.startsWith('reboot'))).toEqual([]);
  });

  it("machine-id: the same for a MAC, different for another, the host layer's own kept, a link not followed", () => {
    const id = (before: string, tree: TargetTree = {}) =>
      runOnTarget(shell, `${node}${before}\nchoose_hostname; write_identity`, tree).read(
        'sysroot/etc/machine-id',
      );
    const first = id('');
    expect(first).toMatch(/^[0-9a-f]{32}\n$/);
    expect(id('', { 'sysroot/etc/machine-id': `${'f'.repeat(32)}\n` })).toBe(first);
    expect(id('node_mac=52:54:00:00:00:02')).not.toBe(first);
    const own = { 'run/mkroot/host/etc/machine-id': 'own\n', 'sysroot/etc/machine-id': 'own\n' };
    expect(id('', own)).toBe('own\n');
    const linked = runOnTarget(shell, `${node}choose_hostname; write_identity`, {
      'sysroot/etc/machine-id': { link: '../../victim' },
      victim: 'untouched',
    });
    expect(linked.read('victim')).toBe('untouched');
  });

  it('an entry for / leaves fstab, everything else stays', () => {
    const fstab =
      '# / comment\nUUID=1 / ext4 defaults 0 1\ntmpfs /tmp tmpfs defaults 0 0\n\t/dev/sda1\t/\text4\n';
    const result = runOnTarget(shell, ...identity('', { 'sysroot/etc/fstab': fstab }));
    expect(result.read('sysroot/etc/fstab')).toBe('# / comment\ntmpfs /tmp tmpfs defaults 0 0\n');
  });

  it("DNS goes where resolv.conf points: a file, a link below /run, systemd-resolved; an overlay's own stays", () => {
    const wanted = 'search cluster.example\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n';
    const run = (tree: TargetTree) => runOnTarget(shell, `${node}write_name_service`, tree);
    expect(run({ 'sysroot/etc/resolv.conf': 'nameserver 1.1.1.1\n' }).read('sysroot/etc/resolv.conf')).toBe(
      wanted,
    );
    expect(run({}).read('sysroot/etc/resolv.conf')).toBe(wanted);
    expect(
      run({ 'sysroot/etc/resolv.conf': { link: '../run/resolvconf/resolv.conf' } }).read(
        'run/resolvconf/resolv.conf',
      ),
    ).toBe(wanted);
    const resolved = run({
      'sysroot/etc/resolv.conf': { link: '../run/systemd/resolve/stub-resolv.conf' },
      'sysroot/lib/systemd/x': '',
    });
    expect(resolved.read('run/systemd/resolved.conf.d/50-mkroot.conf')).toBe(
      '[Resolve]\nDNS=10.0.0.2 10.0.0.3\nDomains=cluster.example\n',
    );
    const overlaid = run({
      'sysroot/etc/resolv.conf': 'mine\n',
      'run/mkroot/cluster/etc/resolv.conf': 'mine\n',
    });
    expect(overlaid.read('sysroot/etc/resolv.conf')).toBe('mine\n');
  });

  it('time servers go to timesyncd or chrony, whichever the root has; without any nothing is written', () => {
    const programs = {
      'sysroot/lib/systemd/systemd-timesyncd': 'a program',
      'sysroot/usr/sbin/chronyd': 'a program',
    };
    const run = (servers: string, tree: TargetTree) => {
      const { read } = runOnTarget(
        shell,
        `chmod -R -f +x "$ROOT/sysroot"\n${node}lease_ntp='${servers}'; write_time_service`,
        tree,
      );
      return [read('run/systemd/timesyncd.conf.d/50-mkroot.conf'), read('run/chrony-dhcp/mkroot.sources')];
    };
    expect(run('10.0.0.4 10.0.0.5', programs)).toEqual([
      '[Time]\nNTP=10.0.0.4 10.0.0.5\n',
      'server 10.0.0.4 iburst\nserver 10.0.0.5 iburst\n',
    ]);
    expect(run('', programs)).toEqual([undefined, undefined]);
    expect(run('10.0.0.4', {})).toEqual([undefined, undefined]);
  });

  it('networkd, NetworkManager and ifupdown are told to leave the boot device alone', () => {
    const { read } = runOnTarget(shell, `${node}node_name=n1; write_hand_over`);
    expect(read('run/systemd/network/00-mkroot-boot.network')).toContain('[Match]\nName=eth0\n');
    expect(read('run/systemd/network/00-mkroot-boot.network')).toContain('KeepConfiguration=yes\n');
    expect(read('run/systemd/network/00-mkroot-boot.link')).toContain(
      'MACAddress=52:54:00:00:00:01\n[Link]\nNamePolicy=keep\n',
    );
    expect(read('run/NetworkManager/conf.d/00-mkroot-boot.conf')).toContain(
      'match-device=mac:52:54:00:00:00:01\nmanaged=0\n',
    );
    expect(read('run/network/ifstate')).toBe('eth0=eth0\n');
    expect(read('run/systemd/system/networking.service.d/50-mkroot-boot.conf')).toContain('--exclude=eth0\n');
    expect(read('run/mkroot/boot')).toContain(
      'nic=eth0\nmac=52:54:00:00:00:01\nip=10.77.0.58\nhostname=n1\n',
    );
  });

  it('so they are with what the boot device lies over', () => {
    const { read } = runOnTarget(shell, `${node}boot_nic=vlan5 node_name=n1; write_hand_over`, {
      'sys/class/net/vlan5/lower_eth0/x': '',
    });
    expect(read('run/systemd/network/00-mkroot-boot.network')).toContain('[Match]\nName=vlan5\n');
    expect(read('run/systemd/network/00-mkroot-lower.network')).toBe(
      '[Match]\nName=eth0\n[Link]\nUnmanaged=yes\n',
    );
    expect(read('run/NetworkManager/conf.d/00-mkroot-boot.conf')).toContain(
      'match-device=mac:52:54:00:00:00:01,interface-name:=eth0,interface-name:=vlan5\n',
    );
    expect(read('run/network/ifstate')).toBe('eth0=eth0\nvlan5=vlan5\n');
    expect(read('run/systemd/system/networking.service.d/50-mkroot-boot.conf')).toContain(
      '--exclude=eth0 --exclude=vlan5\n',
    );
  });

  it('a root that lacks some of the directories for the kernel gets them', () => {
    const { calls } = runOnTarget(
      shell,
      `${node}mount() { note mount "$@"; [ -d "$3" ] || note absent; }\nmove_kernel_file_systems`,
      { 'sysroot/run/.keep': '', 'sysroot/dev/.keep': '' },
    );
    expect(calls).toEqual(
      ['dev', 'proc', 'sys', 'run'].map((name) => `mount --move /${name} /sysroot/${name}`),
    );
  });

  it("the real init is init= or the system's, an absolute link included; a root without one is said so", () => {
    const find = (commandLine: string, tree: TargetTree) =>
      runOnTarget(
        shell,
        `read_command_line '${commandLine}'\n${node}enter_stage 90; find_real_init; echo "$real_init"`,
        tree,
      );
    expect(find('', { 'sysroot/sbin/init': { link: '/lib/systemd/systemd' } }).stdout).toBe('/sbin/init\n');
    expect(
      find('init=/bin/own', { 'sysroot/bin/own': { link: 'sh' }, 'sysroot/sbin/init': { link: 'x' } }).stdout,
    ).toBe('/bin/own\n');
    const mistyped = find('init=/bin/bsah', { 'sysroot/sbin/init': { link: 'x' } });
    expect(mistyped.stdout).toBe('/sbin/init\n');
    expect(mistyped.kmsg).toEqual([
      '<3>mkroot: FAILED [90] switch-root: - the new root has no program /bin/bsah, which init= names; next: /sbin/init',
    ]);
    expect(find('', {}).kmsg[0]).toMatch(
      /FAILED \[90\] switch-root: - the new root has no \/sbin\/init: b is no root directory; next: reboot/,
    );
  });

  it('a root whose programs cannot be executed ends the boot with the reason, not in a kernel panic', () => {
    const chroot = (status: number) =>
      `chroot() { echo "chroot: can't execute '/bin/true': Input/output error" >&2; return ${status}; }`;
    const run = (status: number) =>
      runOnTarget(shell, `${chroot(status)}\n${node}enter_stage 90; find_real_init; echo "$real_init"`, {
        'sysroot/sbin/init': { link: 'x' },
      });
    expect(run(126).kmsg[0]).toMatch(
      /FAILED \[90\] switch-root: b programs of the root cannot be executed: Input\/output error; next: reboot/,
    );
    expect(run(127).stdout).toBe('/sbin/init\n');
  });

  it('the clock is never before the image was built', () => {
    const clock = (built: string) =>
      runOnTarget(
        shell,
        `now=1000\ndate() { case $1 in +%s) echo $now;; -u) echo "second $now";; *) note date "$@"; now=\${2#@};; esac; }\nMKROOT_BUILT=${built}\nraise_clock_to_build_time`,
      );
    expect(clock('1795000000').calls).toEqual(['date -s @1795000000']);
    expect(clock('1795000000').kmsg).toEqual([
      '<5>mkroot: the clock said second 1000, before the image was made; it is set to second 1795000000',
    ]);
    expect(clock('999').calls).toEqual([]);
    expect(clock('999').kmsg).toEqual([]);
  });
});
