import { describe, expect, it } from 'vitest';
import { runOnTarget, shells } from './target-shell.js';

const network = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 node_name=n001
lease_dns='' lease_domain='' lease_siaddr=10.77.0.1 lease_serverid=10.77.0.2 lease_rootpath=''
`;
const mountAll =
  'enter_stage 50; mount_base_layer; enter_stage 60; mount_upper_layers; enter_stage 70; mount_overlay\n';
const mounts = (calls: readonly string[]) =>
  calls.filter((call) => call.startsWith('mount -t nfs')).map((call) => call.split(' ').slice(5).join(' '));

describe.each(shells)('layers under $name', (shell) => {
  it('a location is [nfs:][server:]/path[,options]; anything else is refused', () => {
    const texts = [
      'nfs:10.0.0.1:/r,nconnect=4',
      'srv:/r',
      '/r',
      'nfs:/r',
      'nfs4:s:/r:ro',
      'r',
      '',
      's:r',
      's:/r,$(x)',
      '$(x):/r',
      's:/r b',
    ];
    const { stdout } = runOnTarget(
      shell,
      texts
        .map(
          (text) =>
            `if parse_location '${text}' dflt; then echo "$location_server $location_path $location_options"; else echo refused; fi`,
        )
        .join('\n'),
    );
    expect(stdout.split('\n').slice(0, -1)).toEqual([
      '10.0.0.1 /r nconnect=4',
      'srv /r ',
      'dflt /r ',
      'dflt /r ',
      's /r vers=4.1,ro',
      'refused',
      'refused',
      'refused',
      'refused',
      'refused',
      'refused',
    ]);
  });

  it('base, two cluster overlays and the host layer are mounted read-only and stacked host on top', () => {
    const { calls, kmsg, stderr } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.5:/r/base,nconnect=2 mkroot.cluster=/c/1 mkroot.cluster=10.0.0.6:/c/2 mkroot.host=/h/%h/%i/%m mkroot.nfsopts=timeo=50 mkroot.rw=tmpfs:size=50%'
${network}${mountAll}echo "$layers_summary"`,
    );
    expect(stderr).toBe('');
    expect(kmsg).toEqual([]);
    expect(calls[0]).toBe(
      'mount -t nfs -o ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3,timeo=50,nconnect=2 10.0.0.5:/r/base /run/mkroot/base',
    );
    expect(mounts(calls)).toEqual([
      '10.0.0.5:/r/base /run/mkroot/base',
      '10.0.0.5:/h/n001/10.77.0.58/52-54-00-00-00-01 /run/mkroot/host',
      '10.0.0.5:/c/1 /run/mkroot/cluster',
      '10.0.0.6:/c/2 /run/mkroot/cluster-2',
    ]);
    expect(calls.slice(-2)).toEqual([
      'mount -t tmpfs -o mode=0755,size=50% mkroot-rw /run/mkroot/rw',
      'mount -t overlay -o lowerdir=/run/mkroot/host:/run/mkroot/cluster-2:/run/mkroot/cluster:/run/mkroot/base,' +
        'upperdir=/run/mkroot/rw/upper,workdir=/run/mkroot/rw/work,index=off,xino=off,metacopy=off,redirect_dir=on mkroot /sysroot',
    ]);
  });

  it('mkroot.base goes before nfsroot, that before the DHCP root-path, that before the image', () => {
    const base = (commandLine: string, extra = '') =>
      mounts(
        runOnTarget(
          shell,
          `MKROOT_DEFAULTS=mkroot.base=d:/image\nread_command_line '${commandLine}'\n${network}${extra}\nmount_base_layer`,
        ).calls,
      )[0]?.split(' ')[0];
    const dhcp = 'lease_rootpath=10.0.0.3:/dhcp';
    const named = 'server_address() { answer=$1; }\n';
    expect(base('mkroot.base=10.0.0.1:/own nfsroot=10.0.0.2:/std', dhcp)).toBe('10.0.0.1:/own');
    expect(base('root=/dev/nfs nfsroot=10.0.0.2:/std', dhcp)).toBe('10.0.0.2:/std');
    expect(base('root=dhcp', dhcp)).toBe('10.0.0.3:/dhcp');
    expect(base('', named)).toBe('d:/image');
    // Without a server of its own: DHCP's next-server.
    expect(base('nfsroot=/std')).toBe('10.77.0.1:/std');
  });

  it('a host layer names its root and overlay in hopeless.root and hopeless.overlay, as the paper has it', () => {
    const script = (commandLine: string) => `read_command_line '${commandLine}'\n${network}${mountAll}`;
    const pointers = {
      'run/mkroot/host/hopeless.root': 'centos-compute\n',
      'run/mkroot/host/hopeless.overlay': '10.0.0.9:/overlays/storage\n',
    };
    const { calls } = runOnTarget(
      shell,
      script('mkroot.host=/hopeless/clients/%i mkroot.roots=/hopeless/roots'),
      pointers,
    );
    expect(mounts(calls)).toEqual([
      '10.77.0.1:/hopeless/clients/10.77.0.58 /run/mkroot/host',
      '10.77.0.1:/hopeless/roots/centos-compute /run/mkroot/base',
      '10.0.0.9:/overlays/storage /run/mkroot/cluster',
    ]);
    const overridden = runOnTarget(
      shell,
      script('mkroot.host=/h mkroot.base=/b mkroot.cluster=/c'),
      pointers,
    );
    expect(mounts(overridden.calls).map((line) => line.split(' ')[0])).toEqual([
      '10.77.0.1:/b',
      '10.77.0.1:/h',
      '10.77.0.1:/c',
    ]);
    const nowhere = runOnTarget(shell, script('mkroot.host=/h'), pointers);
    expect(nowhere.kmsg[0]).toContain(
      'hopeless.root names "centos-compute", but no mkroot.roots= says under which directory',
    );
  });

  it('a host layer names many overlays, the lowest first', () => {
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    const { calls, kmsg } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=/b mkroot.host=/h mkroot.roots=/r'\n${network}${mountAll}`,
      { 'run/mkroot/host/hopeless.overlay': `${numbers.map((number) => `o${number}`).join(' ')}\n` },
    );
    expect(kmsg).toEqual([]);
    expect(mounts(calls).slice(2)).toEqual(
      numbers.map(
        (number) => `10.77.0.1:/r/o${number} /run/mkroot/cluster${number === 1 ? '' : `-${number}`}`,
      ),
    );
    expect(calls.at(-1)).toContain(
      'lowerdir=/run/mkroot/host:/run/mkroot/cluster-40:/run/mkroot/cluster-39:/run/mkroot/cluster-38:',
    );
    expect(calls.at(-1)).toContain(':/run/mkroot/cluster-2:/run/mkroot/cluster:/run/mkroot/base,upperdir=');
  });

  it('more layers than mount(2) takes in its options are refused, not cut', () => {
    const union = (count: number) =>
      runOnTarget(
        shell,
        `cluster_number=${count} lower_directories='${'/run/mkroot/cluster-100:'.repeat(count)}/run/mkroot/base'\nenter_stage 70; mount_overlay`,
      );
    expect(union(100).calls.at(-1)).toContain('mount -t overlay');
    const { calls, kmsg, status } = union(180);
    expect(status).toBe(99);
    expect(kmsg.at(-1)).toMatch(
      /FAILED \[70\] overlay: overlayfs takes 4095 bytes of options, and those for 182 layers are 4\d\d\d; next: reboot/,
    );
    expect(calls.filter((call) => call.startsWith('mount -t overlay'))).toEqual([]);
  });

  it('a mount that fails is tried in the other NFS version at once, then with growing pauses, and the last word names server and error', () => {
    const failing =
      'mount() { note mount "$@"; echo \'mount: mounting x on y failed: Connection refused\' >&2; return 1; }\n';
    const { calls, kmsg, status } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.5:/r'\n${network}${failing}enter_stage 50; mount_base_layer`,
    );
    expect(status).toBe(99);
    const versions = calls
      .filter((call) => call.startsWith('mount'))
      .map((call) => /vers=([\d.]+)/.exec(call)?.[1]);
    expect(versions).toEqual(['3', '4.1', '3', '4.1', '3', '4.1', '3', '4.1']);
    expect(calls.find((call) => call.includes('vers=4.1'))).toContain('clientaddr=10.77.0.58');
    expect(kmsg[0]).toBe(
      '<3>mkroot: FAILED [50] base: 10.0.0.5:/r Connection refused (NFS v3); next: attempt 2 of 8 in 0 s',
    );
    expect(kmsg.at(-1)).toMatch(
      /FAILED \[50\] base: 10\.0\.0\.5:\/r Connection refused \(NFS v4\.1, 8 attempts\); next: reboot in \d+ s/,
    );
    // What is slept is what was announced.
    const announced = kmsg.flatMap((line) => /next: attempt \d of 8 in (\d+) s/.exec(line)?.[1] ?? []);
    expect(calls.filter((call) => call.startsWith('sleep')).slice(0, 7)).toEqual(
      announced.map((pause) => `sleep ${pause}`),
    );
    expect(Number(announced.at(-1))).toBeGreaterThanOrEqual(7);
    const forced = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.5:/r,vers=4.1 mkroot.nfsvers=3'\n${network}mount_base_layer; echo "$base_summary"`,
    );
    expect(forced.stdout).toBe('10.0.0.5:/r NFS v4.1\n');
  });

  it('a server whose NFS v4.2 cannot be read is mounted by v4.1, all layers of it, and that is said', () => {
    const run = (status: number) =>
      runOnTarget(
        shell,
        `chroot() { echo "chroot: can't execute '/bin/true': Input/output error" >&2; return ${status}; }
read_command_line 'mkroot.base=10.0.0.5:/r,vers=4.2 mkroot.host=/h mkroot.nfsvers=4.2'
${network}enter_stage 50; mount_base_layer; mount_upper_layers; echo "$base_summary"`,
      );
    const broken = run(126);
    expect(broken.kmsg).toEqual([
      '<3>mkroot: FAILED [50] base: 10.0.0.5:/r cannot be read over NFS v4.2: Input/output error; next: NFS v4.1',
    ]);
    expect(broken.stdout).toBe('10.0.0.5:/r NFS v4.1\n');
    const last = (calls: readonly string[]) =>
      calls
        .filter((call) => call.startsWith('mount -t nfs'))
        .map((call) => /.*vers=([\d.]+)/.exec(call)?.[1] ?? '');
    expect(last(broken.calls)).toEqual(['4.2', '4.1', '4.1']);
    expect(broken.calls).toContain('umount /run/mkroot/base');
    expect(last(run(0).calls)).toEqual(['4.2', '4.2']);
  });

  it('a root that nobody names, and an upper that cannot be, are said so', () => {
    expect(runOnTarget(shell, `${network}enter_stage 50; mount_base_layer`).kmsg[0]).toContain(
      'nothing says where the root is',
    );
    expect(
      runOnTarget(
        shell,
        `read_command_line 'mkroot.rw=floppy:x'\n${network}lower_directories=x; mount_overlay`,
      ).kmsg[0],
    ).toContain('mkroot.rw=floppy:x is not supported');
  });

  it('a server that is a name is asked for at the DNS servers of the lease', () => {
    const answer =
      'nslookup() { note nslookup "$@"; printf \'Server:\\t10.0.0.2\\nAddress:\\t10.0.0.2:53\\n\\nName:\\thead.cluster\\nAddress: 10.0.0.7\\n\'; }\n';
    const { calls } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=head:/r'\n${network}lease_dns='10.0.0.2' lease_domain=cluster\n${answer}mount_base_layer`,
    );
    expect(mounts(calls)).toEqual(['10.0.0.7:/r /run/mkroot/base']);
    const unknown = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=head:/r'\n${network}enter_stage 50; mount_base_layer`,
    );
    expect(unknown.kmsg[0]).toBe(
      '<3>mkroot: FAILED [50] base: head:/r cannot be resolved to an address by DNS (no DNS server known) (NFS v3); next: attempt 2 of 8 in 0 s',
    );
    expect(unknown.kmsg.at(-1)).toMatch(
      /head:\/r cannot be resolved to an address by DNS \(no DNS server known\) \(NFS v4\.1, 8 attempts\); next: reboot in \d+ s/,
    );
    expect([unknown.status, mounts(unknown.calls)]).toEqual([99, []]);
  });

  it('a server with an IPv6 address besides is found, whichever answer comes first', () => {
    const answer =
      "nslookup() { printf 'Server:\\t10.0.0.2\\nAddress:\\t10.0.0.2:53\\n\\nName:\\thead\\nAddress: 2001:db8::8\\n\\nName:\\thead\\nAddress: 10.0.0.8\\n'; }\n";
    const { calls } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=head:/r'\n${network}lease_dns='10.0.0.2'\n${answer}mount_base_layer`,
    );
    expect(mounts(calls)).toEqual(['10.0.0.8:/r /run/mkroot/base']);
    // As a small busybox has it.
    const small = answer
      .replace('Address: 2001:db8::8', 'Address 1: 2001:db8::8')
      .replace('Address: 10.0.0.8', 'Address 2: 10.0.0.8 head.x');
    expect(
      mounts(
        runOnTarget(
          shell,
          `read_command_line 'mkroot.base=head:/r'\n${network}lease_dns='10.0.0.2'\n${small}mount_base_layer`,
        ).calls,
      ),
    ).toEqual(['10.0.0.8:/r /run/mkroot/base']);
  });

  it('a DNS server that is away for seconds is asked again; a name that is known is not', () => {
    const late = `nslookup() {
  note nslookup "$@"
  [ "$(grep -c ^nslookup "$ROOT/calls")" -gt 3 ] || return 1
  printf 'Server:\\t10.0.0.2\\nAddress:\\t10.0.0.2:53\\n\\nName:\\thead\\nAddress: 10.0.0.7\\n'
}
mount() {
  note mount "$@"
  [ "$(grep -c '^mount' "$ROOT/calls")" -gt 2 ] || { echo 'mount: mounting x on y failed: Connection refused' >&2; return 1; }
}
`;
    const { calls, kmsg, stdout } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=head:/r'\n${network}lease_dns='10.0.0.2'\n${late}enter_stage 50; mount_base_layer; echo "$base_summary"`,
    );
    expect(stdout).toBe('head:/r NFS v4.1\n');
    expect(
      kmsg.map((line) => /r (cannot be resolved|Connection refused).* attempt (\d)/.exec(line)?.slice(1)),
    ).toEqual([
      ['cannot be resolved', '2'],
      ['cannot be resolved', '3'],
      ['cannot be resolved', '4'],
      ['Connection refused', '5'],
      ['Connection refused', '6'],
    ]);
    expect(calls.filter((call) => call.startsWith('nslookup'))).toHaveLength(4);
  });
});
