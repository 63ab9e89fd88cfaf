import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const network = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 node_name=n001
lease_dns='' lease_domain='' lease_siaddr=10.77.0.1 lease_serverid=10.77.0.2 lease_rootpath=''
`;
const list = (text: string): TargetTree => ({ 'sysroot/etc/mkroot/persistent': text });
const script = (before = '', commandLine = '') =>
  `read_command_line '${commandLine}'\n${network}${before}\nenter_stage 75; mount_persistent; echo "$persistent_summary"`;
const failing = (times: string) => `mount() {
  note mount "$@"
  case $2 in nfs) ;; *) return 0 ;; esac
  [ "$(grep -c "^mount -t nfs" "$ROOT/calls")" -gt ${times} ] || { echo 'mount: mounting x on y failed: Connection refused' >&2; return 1; }
}`;

describe.each(shells)('persistent paths under $name', (shell) => {
  it('each line of the list is mounted in its order, the point made where no layer has it, the list read as fstab(5) has it', () => {
    const { stdout, calls, stderr, kmsg, read } = runOnTarget(
      shell,
      `${script()}; ls -d "$ROOT/sysroot/srv/data" >/dev/null && ls "$ROOT/run/initramfs/state"`,
      list(
        '# comment\n\n10.0.0.5:/s/var /var nfs rw,nodev,nolock 0 0\n\t/h/%h/%m  /srv/data\tnfs\trw,nolock,defaults,_netdev 0 0\n' +
          '10.0.0.6:/apps /opt/apps nfs ro,nodev',
      ),
    );
    expect(stderr).toBe('');
    expect(kmsg).toEqual([]);
    expect(calls).toEqual([
      'mount -t nfs -o hard,tcp,vers=3,rw,nodev,nolock 10.0.0.5:/s/var /sysroot/var',
      'mount -t nfs -o hard,tcp,vers=3,rw,nolock 10.77.0.1:/h/n001/52-54-00-00-00-01 /sysroot/srv/data',
      'mount -t nfs -o hard,tcp,vers=3,ro,nodev,nolock 10.0.0.6:/apps /sysroot/opt/apps',
    ]);
    expect(stdout).toBe(
      '/var 10.0.0.5:/s/var NFS v3, /srv/data 10.77.0.1:/h/n001/52-54-00-00-00-01 NFS v3, /opt/apps 10.0.0.6:/apps NFS v3\nservers\n',
    );
    // The last resort has to know whether these servers are gone, too.
    expect(read('run/initramfs/state/servers')).toBe('10.0.0.5 2049 3\n10.77.0.1 2049 3\n10.0.0.6 2049 3\n');
  });

  it('what several nodes write to is mounted so that locks reach all of them: v4.1 and never v3', () => {
    const { calls, status } = runOnTarget(
      shell,
      script(failing('99')),
      list('10.0.0.5:/home /home nfs rw 0 0\n'),
    );
    const versions = calls
      .filter((call) => call.startsWith('mount'))
      .map((call) => /vers=[\d.]+/.exec(call)?.[0]);
    expect(new Set(versions)).toEqual(new Set(['vers=4.1']));
    expect(status).toBe(99);
    const told = (options: string) =>
      runOnTarget(shell, script(), list(`10.0.0.5:/home /home nfs ${options} 0 0\n`)).calls[0];
    expect(told('rw,vers=3')).toContain('vers=3,rw,vers=3 ');
    expect(told('rw,vers=4.2')).toContain('vers=4.2,clientaddr=10.77.0.58,rw,vers=4.2 ');
    const nfs4 = runOnTarget(shell, script(), list('10.0.0.5:/home /home nfs4 defaults 0 0\n'));
    expect(nfs4.calls[0]).toBe(
      'mount -t nfs -o hard,tcp,vers=4.1,clientaddr=10.77.0.58,vers=4.1 10.0.0.5:/home /sysroot/home',
    );
  });

  it('options of the layers do not reach it, the version that the command line asks for does', () => {
    const { calls } = runOnTarget(
      shell,
      script('', 'mkroot.nfsopts=actimeo=3600 mkroot.nfsvers=4.2'),
      list('10.0.0.5:/s /var/log nfs rw,nolock 0 0\n'),
    );
    expect(calls).toEqual([
      'mount -t nfs -o hard,tcp,vers=4.2,clientaddr=10.77.0.58,rw,nolock 10.0.0.5:/s /sysroot/var/log',
    ]);
  });

  it('a server that comes late is waited for; one that does not come ends the boot, for memory is not what was promised', () => {
    const late = runOnTarget(shell, script(failing('3')), list('10.0.0.5:/s /var/log nfs rw,nolock 0 0\n'));
    expect(late.stdout).toBe('/var/log 10.0.0.5:/s NFS v4.1\n');
    expect(late.kmsg[0]).toBe(
      '<3>mkroot: FAILED [75] persistent: 10.0.0.5:/s Connection refused (NFS v3); next: attempt 2 of 8 in 0 s',
    );
    const never = runOnTarget(shell, script(failing('99')), list('10.0.0.5:/s /var/log nfs rw,nolock 0 0\n'));
    expect(never.status).toBe(99);
    expect(never.kmsg.at(-1)).toMatch(
      /FAILED \[75\] persistent: 10\.0\.0\.5:\/s Connection refused \(NFS v4\.1, 8 attempts\), needed for \/var\/log; next: reboot in \d+ s/,
    );
    expect(never.calls.filter((call) => /tmpfs/.test(call))).toEqual([]);
  });

  it('with nofail the node goes on, and nothing can be written where the directory would be', () => {
    const { calls, kmsg, stdout, status } = runOnTarget(
      shell,
      script(failing('8')),
      list('10.0.0.5:/s /scratch nfs rw,nofail 0 0\n10.0.0.5:/l /var/log nfs rw,nolock 0 0\n'),
    );
    expect(status).toBe(0);
    expect(calls.filter((call) => !/^(sleep|mount -t nfs .*scratch)/.test(call))).toEqual([
      'mount -t tmpfs -o ro,mode=0555,size=4k mkroot-absent /sysroot/scratch',
      'mount -t nfs -o hard,tcp,vers=3,rw,nolock 10.0.0.5:/l /sysroot/var/log',
    ]);
    expect(calls.filter((call) => call.includes('nofail'))).toEqual([]);
    expect(kmsg.at(-1)).toMatch(
      /FAILED \[75\] persistent: 10\.0\.0\.5:\/s .*; next: going on with \/scratch empty and read-only \(nofail\)/,
    );
    expect(stdout).toBe('/scratch absent, /var/log 10.0.0.5:/l NFS v3\n');
  });

  it('a server whose name DNS does not know is no end either where nofail is asked for', () => {
    const { kmsg, stdout, status } = runOnTarget(
      shell,
      script('lease_dns=10.0.0.9; nslookup() { return 1; }'),
      list('head:/s /scratch nfs rw,nofail 0 0\n10.0.0.5:/l /var/log nfs rw,nolock 0 0\n'),
    );
    expect(status).toBe(0);
    expect(stdout).toBe('/scratch absent, /var/log 10.0.0.5:/l NFS v3\n');
    expect(kmsg.at(-1)).toBe(
      '<3>mkroot: FAILED [75] persistent: head:/s cannot be resolved to an address by DNS (10.0.0.9) (NFS v4.1, 8 attempts); next: going on with /scratch empty and read-only (nofail)',
    );
  });

  it('a list that is no such list, or a point that leads out of the root, ends the boot before anything is mounted', () => {
    const refused = (text: string, tree: TargetTree = {}) => {
      const { calls, kmsg, status } = runOnTarget(shell, script(), { ...list(text), ...tree });
      expect(status).toBe(99);
      expect(calls.filter((call) => call.startsWith('mount'))).toEqual([]);
      return kmsg.at(-1);
    };
    expect(refused('nonsense\n')).toContain(
      '/etc/mkroot/persistent: "nonsense" is not server:/path; next: reboot',
    );
    expect(refused('/s relative nfs rw 0 0\n')).toContain('"relative" is no directory of the node');
    expect(refused('/s /a/../../etc nfs rw 0 0\n')).toContain('"/a/../../etc" is no directory of the node');
    expect(refused('/s /$(reboot) nfs rw 0 0\n')).toContain('"/$(reboot)" is no directory of the node');
    expect(refused('/s /home nfs rw;reboot 0 0\n')).toContain('"rw;reboot" are no mount options');
    expect(refused('/s /home ext4 rw 0 0\n')).toContain(
      '10.77.0.1:/s cannot be mounted at /home: "ext4" is not nfs',
    );
    expect(refused('/s /data/x nfs rw 0 0\n', { 'sysroot/data': { link: '/tmp' } })).toContain(
      'nothing can be mounted at /data/x: /data is a link in the root',
    );
  });

  it('without a list there is nothing to do', () => {
    const { stdout, calls } = runOnTarget(shell, script());
    expect([stdout, calls]).toEqual(['none\n', []]);
  });
});
