import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const line = (path: string, content: string, capabilities = 'cap_net_raw=ep') =>
  `${createHash('sha256').update(content).digest('hex')}\t${capabilities}\t${path}\n`;

const node = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_name=n1 base_summary=b layers_summary=l lower_directories=d
upper_directory=/run/mkroot/rw/upper
`;

const onNfs: TargetTree = {
  'proc/mounts': '10.77.0.1:/base /run/mkroot/base nfs ro,vers=3 0 0\n',
  'sysroot/usr/sbin/setcap': 'a program',
  'sysroot/usr/bin/ping': 'ping',
  'sysroot/usr/bin/dump cap': 'dumpcap',
  'etc/mkroot/capabilities':
    line('/usr/bin/ping', 'ping') + line('/usr/bin/dump cap', 'dumpcap', 'cap_chown=p cap_net_raw=ep'),
};

describe.each(shells)('file capabilities under $name', (shell) => {
  // The fixture's files are not executable, and git keeps none for a temporary directory.
  const restore = (tree: TargetTree, before = '') =>
    runOnTarget(
      shell,
      `chmod -f +x "$ROOT"/sysroot/usr/sbin/setcap\n${node}${before}\nenter_stage 80; restore_capabilities; write_hand_over; echo "$hand_over_summary"`,
      tree,
    );
  const setcaps = (tree: TargetTree, before?: string) =>
    restore(tree, before).calls.filter((call) => call.includes('setcap'));

  it('are given back by the setcap of a root that comes over NFS, which does not carry them', () => {
    expect(setcaps(onNfs)).toEqual([
      'chroot /sysroot /usr/sbin/setcap -q cap_net_raw=ep /usr/bin/ping',
      'chroot /sysroot /usr/sbin/setcap -q cap_chown=p cap_net_raw=ep /usr/bin/dump cap',
    ]);
    expect(restore(onNfs).stdout).toBe('hostname n1, eth0 kept, file capabilities restored: 2\n');
    expect(setcaps({ ...onNfs, 'proc/mounts': 's:/b /run/mkroot/base nfs4 ro 0 0\n' })).toHaveLength(2);
  });

  it('are left alone in a squashfs, which has them itself, and in a root that has none', () => {
    expect(setcaps({ ...onNfs, 'proc/mounts': '/dev/loop0 /run/mkroot/base squashfs ro 0 0\n' })).toEqual([]);
    expect(restore({ 'proc/mounts': onNfs['proc/mounts']! }).stdout).toBe('hostname n1, eth0 kept\n');
  });

  it('are not given to other bytes under the same name, nor to what the node wrote itself', () => {
    const ping = ['chroot /sysroot /usr/sbin/setcap -q cap_net_raw=ep /usr/bin/ping'];
    expect(setcaps({ ...onNfs, 'sysroot/usr/bin/dump cap': 'of an overlay' })).toEqual(ping);
    expect(setcaps({ ...onNfs, 'run/mkroot/rw/upper/usr/bin/dump cap': 'dumpcap' })).toEqual(ping);
    const { 'sysroot/usr/bin/dump cap': _, ...deleted } = onNfs;
    const result = restore(deleted);
    expect(result.calls.filter((call) => call.includes('setcap'))).toEqual(ping);
    expect(result.stderr).toBe('');
  });

  it('a root without setcap, and a setcap that fails, are told, and the node boots', () => {
    const { 'sysroot/usr/sbin/setcap': _, ...without } = onNfs;
    expect(restore(without).kmsg).toEqual([
      '<3>mkroot: FAILED [80] hand-over: - the root has no setcap that could give back capabilities to: /usr/bin/ping /usr/bin/dump cap ; next: going on without',
    ]);
    const failing = restore(
      onNfs,
      'chroot() { echo "Failed to set capabilities on file: Operation not supported" >&2; return 1; }',
    );
    expect(failing.kmsg[0]).toBe(
      '<3>mkroot: FAILED [80] hand-over: /usr/bin/ping cannot be given cap_net_raw=ep: Operation not supported; next: going on without',
    );
    expect(failing.stdout).toBe('hostname n1, eth0 kept\n');
  });
});
