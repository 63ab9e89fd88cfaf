import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const network = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 node_name=n001
lease_dns='' lease_domain='' lease_siaddr=10.77.0.1 lease_serverid=10.77.0.2 lease_rootpath=''
lower_directories=/run/mkroot/base MKROOT_IMAGE=compute MKROOT_GENERATION=G2
`;
/** e2fsck of the initrd, which ends as it is told. */
const e2fsck = (status: number): TargetTree => ({
  'fsck-status': `${status}\n`,
});
const tools = (found = '/dev/vda') => `
mkdir -p "$ROOT/sbin"
printf '#!/bin/sh\\necho "fsck $*" >>"%s/calls"; echo "RECOVERED JOURNAL"; exit "$(cat "%s/fsck-status")"\\n' "$ROOT" "$ROOT" >"$ROOT/sbin/e2fsck"
chmod +x "$ROOT/sbin/e2fsck"
findfs() { note findfs "$@"; printf '%s' '${found}'; }
`;
const run = (shell: (typeof shells)[number], top: string, tree: TargetTree = e2fsck(0), before = tools()) =>
  runOnTarget(
    shell,
    `read_command_line 'mkroot.rw=${top}'\n${network}${before}\nenter_stage 70; mount_overlay; echo "$overlay_summary"`,
    tree,
  );
const mounts = (calls: readonly string[]) => calls.filter((call) => /^(mount|fsck)/.test(call));

describe.each(shells)('the writable top under $name', (shell) => {
  it('on a local disk is checked, mounted, and keyed by the generation; what belongs to another one goes', () => {
    const { calls, stdout, kmsg, read } = run(shell, 'disk:scratch', {
      ...e2fsck(0),
      'run/mkroot/rw/top-compute-20261119T041500Z-1a2b3c4d/upper/old': 'x',
      'run/mkroot/rw/top-compute-G2/upper/mine': 'x',
      'run/mkroot/rw/somebody/else': 'x',
    });
    expect(kmsg).toEqual([]);
    expect(mounts(calls)).toEqual([
      'fsck -p /dev/vda',
      'mount -t ext4 -o noatime /dev/vda /run/mkroot/rw',
      'mount -t overlay -o lowerdir=/run/mkroot/base,upperdir=/run/mkroot/rw/top-compute-G2/upper,' +
        'workdir=/run/mkroot/rw/top-compute-G2/work,index=off,xino=off,metacopy=off,redirect_dir=on mkroot /sysroot',
    ]);
    expect(stdout).toBe('/run/mkroot/base under disk scratch (/dev/vda), top-compute-G2\n');
    expect(read('run/mkroot/rw/top-compute-20261119T041500Z-1a2b3c4d/upper/old')).toBeUndefined();
    expect(read('run/mkroot/rw/top-compute-G2/upper/mine')).toBe('x');
    expect(read('run/mkroot/rw/somebody/else')).toBe('x');
  });

  it('on a disk of the site leaves everything alone that is not such a top, whatever it is called', () => {
    const kept = [
      'top-secret/keep',
      'top-secret/upper/keep',
      'top-of-the-pops-2026/upper/keep',
      'top-image-00/upper/keep',
      // Somebody has put something beside them.
      'top-compute-20261119T041500Z-1a2b3c4d/notes',
      'top-compute-20261119T041500Z-1a2b3c4d/upper/keep',
      'top-secret-G1/upper/keep',
      'top-secret-G1/work/keep',
    ];
    const gone = [
      'top-image-0/upper/x',
      'top-image-0/work/x',
      'top-a-b.c-20261118T235959Z-ffffffff-2/upper/x',
      // A removal that a power cut interrupted.
      'top-other-20261119T041500Z-00000000/work/work/x',
    ];
    const { read, stderr } = run(shell, 'disk:scratch', {
      ...e2fsck(0),
      'run/mkroot/rw/top-linked-20261119T041500Z-1a2b3c4d': { link: 'top-secret' },
      ...Object.fromEntries([...kept, ...gone].map((path) => [`run/mkroot/rw/${path}`, 'x'])),
    });
    expect(stderr).toBe('');
    const left = (paths: readonly string[]) => paths.filter((path) => read(`run/mkroot/rw/${path}`) === 'x');
    expect([left(kept), left(gone)]).toEqual([kept, []]);
  });

  it('without the disk, with one that e2fsck does not mend, or without e2fsck, is in memory, and that is said', () => {
    const inMemory = (tree: TargetTree, before: string) => {
      const { calls, stdout, kmsg, status } = run(shell, 'disk:scratch', tree, before);
      expect(status).toBe(0);
      expect(mounts(calls)).toContain('mount -t tmpfs -o mode=0755 mkroot-rw /run/mkroot/rw');
      expect(mounts(calls).filter((call) => call.includes('ext4'))).toEqual([]);
      expect(stdout).toContain('under tmpfs (mode=0755)');
      expect(kmsg.at(-1)).toContain('next: a writable top in memory, which is empty after a reboot');
      return kmsg.at(-1);
    };
    expect(inMemory(e2fsck(0), tools(''))).toContain(
      'FAILED [70] overlay: disk scratch is not the label of any disk (waited 30 s)',
    );
    expect(inMemory(e2fsck(4), tools())).toContain('disk scratch is damaged, e2fsck ends with 4');
    expect(inMemory(e2fsck(0), 'findfs() { echo /dev/vda; }')).toContain(
      'cannot be checked: the initrd has no e2fsck (mkroot initrd --top)',
    );
  });

  it('a disk that appears late is waited for, and errors that e2fsck mended are told', () => {
    const late = 'findfs() { [ "$(grep -c "^sleep" "$ROOT/calls")" -lt 9 ] || printf /dev/vdb; }';
    const { calls, kmsg } = run(shell, 'disk:scratch', e2fsck(1), `${tools()}\n: >"$ROOT/calls"\n${late}`);
    expect(mounts(calls)[0]).toBe('fsck -p /dev/vdb');
    expect(kmsg).toEqual(['<5>mkroot: e2fsck of /dev/vdb: RECOVERED JOURNAL']);
    // A journal that was replayed is no error to e2fsck.
    const replayed = run(
      shell,
      'disk:scratch',
      e2fsck(0),
      tools().replace('RECOVERED JOURNAL', 'scratch: recovering journal'),
    );
    expect(replayed.kmsg).toEqual(['<5>mkroot: e2fsck of /dev/vda: scratch: recovering journal']);
  });

  it('in an image that lies in the root of what is exported', () => {
    const { calls, stdout, read } = run(shell, 'image:10.0.0.5:/%h.ext4');
    expect(calls[0]).toMatch(/ 10\.0\.0\.5:\/ \/run\/mkroot\/archive-rw$/);
    expect(stdout).toContain('image 10.0.0.5:/n001.ext4, top-compute-G2');
    expect(read('run/initramfs/state/top')).toMatch(/^10\.0\.0\.5:\/ \S+ n001\.ext4\n$/);
  });

  it('in an image on NFS is locked, checked and mounted', () => {
    const { calls, stdout, read } = run(shell, 'image:/hosts/%h/top/top.ext4');
    expect(mounts(calls).slice(0, 3)).toEqual([
      'mount -t nfs -o hard,tcp,nolock,vers=3 10.77.0.1:/hosts/n001/top /run/mkroot/archive-rw',
      expect.stringMatching(/^fsck -p .*\/run\/mkroot\/archive-rw\/top\.ext4$/),
      'mount -t ext4 -o loop,noatime /run/mkroot/archive-rw/top.ext4 /run/mkroot/rw',
    ]);
    expect(stdout).toContain('image 10.77.0.1:/hosts/n001/top/top.ext4, top-compute-G2');
    // Out of sight of systemd, which would unmount it by force.
    expect(calls).toContain('umount -l /run/mkroot/archive-rw');
    expect(read('run/initramfs/state/top')).toBe(
      '10.77.0.1:/hosts/n001/top hard,tcp,nolock,vers=3 top.ext4\n',
    );
    expect(read('run/mkroot/archive-rw/top.ext4.lock')).toBe('52:54:00:00:00:01\n');
    expect(read('run/mkroot/archive-rw/top.ext4.lock.10.77.0.58')).toBeUndefined();
    expect(read('run/initramfs/state/servers')).toBe('10.77.0.1 2049 3\n');
  });

  it('on NFS is mounted without the options that are for read-only layers', () => {
    const layers = ' mkroot.nfsopts=ro,soft,nocto,actimeo=3600,vers=4.2';
    const image = run(shell, `image:/t/top.ext4${layers}`);
    expect(mounts(image.calls)[0]).toBe(
      'mount -t nfs -o hard,tcp,nolock,vers=3 10.77.0.1:/t /run/mkroot/archive-rw',
    );
    expect(image.read('run/initramfs/state/top')).toBe('10.77.0.1:/t hard,tcp,nolock,vers=3 top.ext4\n');
    const directory = run(shell, `unionfs:/t${layers}`, {}, 'find_tool() { answer=/bin/false; }');
    expect(mounts(directory.calls)[0]).toBe(
      'mount -t nfs -o hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3 10.77.0.1:/t /run/mkroot/rw',
    );
  });

  it('a lock that a power cut left is taken over by the same machine; another one does not touch the image', () => {
    const lock = (owner: string) => ({ ...e2fsck(0), 'run/mkroot/archive-rw/top.ext4.lock': `${owner}\n` });
    expect(run(shell, 'image:/t/top.ext4', lock('52:54:00:00:00:01')).status).toBe(0);
    const other = run(shell, 'image:/t/top.ext4', lock('52:54:00:00:00:99'));
    expect(other.status).toBe(99);
    expect(mounts(other.calls).filter((call) => /fsck|ext4 -o/.test(call))).toEqual([]);
    expect(other.read('run/mkroot/archive-rw/top.ext4.lock')).toBe('52:54:00:00:00:99\n');
    expect(other.kmsg.at(-1)).toMatch(
      /10\.77\.0\.1:\/t\/top\.ext4 is in use by the machine 52:54:00:00:00:99; if that one is gone, remove top\.ext4\.lock on the server; next: reboot/,
    );
  });

  it('an image is not touched by a machine that nothing tells from others', () => {
    const { status, kmsg, calls, read } = run(shell, 'image:/t/top.ext4', e2fsck(0), `${tools()}node_mac=''`);
    expect(status).toBe(99);
    expect(kmsg.at(-1)).toContain(
      '10.77.0.1:/t/top.ext4 cannot be locked: eth0 has no address that tells this machine from others; next: reboot',
    );
    expect(mounts(calls)).toHaveLength(1);
    expect(read('run/mkroot/archive-rw/top.ext4.lock')).toBeUndefined();
  });

  it('an image that cannot be mended ends the boot: what was to last does not go to memory', () => {
    const { calls, kmsg, status } = run(shell, 'image:/t/top.ext4', e2fsck(8));
    expect(status).toBe(99);
    expect(kmsg.at(-1)).toContain('10.77.0.1:/t/top.ext4 is damaged, e2fsck ends with 8; next: reboot');
    expect(calls.filter((call) => call.includes('tmpfs'))).toEqual([]);
  });

  it('in a directory on NFS is joined with the layers by unionfs-fuse, which sees them from /run/mkroot', () => {
    const unionfs = (status: number) => `
mkdir -p "$ROOT/usr/bin"
printf '#!/bin/sh\\necho "$0 $*" >>"%s/calls"; echo "no fuse"; exit ${status}\\n' "$ROOT" >"$ROOT/usr/bin/unionfs"
chmod +x "$ROOT/usr/bin/unionfs"
lower_directories=/run/mkroot/host:/run/mkroot/base
# The link of the initramfs is absolute.
ln() { command ln -sf "$ROOT/usr/bin/unionfs" "$3"; }
`;
    const tree = {
      'run/mkroot/rw/top-compute-20261119T041500Z-1a2b3c4d/upper/old': 'x',
      'sysroot/usr/lib/systemd/systemd-shutdown': 'ELF',
      'proc/self/oom_score_adj': '0\n',
    };
    const { calls, stdout, stderr, read } = run(shell, 'unionfs:/hosts/%h/top', tree, unionfs(0));
    expect(stderr).toBe('');
    expect(calls.filter((call) => /^(mount|@)/.test(call))).toEqual([
      'mount -t nfs -o hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3 10.77.0.1:/hosts/n001/top /run/mkroot/rw',
      '@/unionfs -o cow,allow_other,use_ino,suid,dev,auto_cache,hide_meta_files,max_files=32768,chroot=/run/mkroot ' +
        '/rw/top-compute-G2/upper=RW:/host=RO:/base=RO /sysroot',
      'mount --bind /run/initramfs/lib/mkroot/leave-root /sysroot/usr/lib/systemd/systemd-shutdown',
    ]);
    expect(stdout).toContain('under unionfs-fuse on 10.77.0.1:/hosts/n001/top, top-compute-G2');
    expect(read('run/mkroot/rw/top-compute-20261119T041500Z-1a2b3c4d/upper/old')).toBeUndefined();
    expect(read('proc/self/oom_score_adj')).toBe('-1000');
    for (const unit of ['usr-lib-systemd-systemd\\x2dshutdown.mount', 'run-mkroot-.mount']) {
      expect(read(`run/systemd/system/${unit}.d/50-mkroot.conf`)).toBe('[Unit]\nDefaultDependencies=no\n');
    }

    const failure = (before: string, files: TargetTree = {}) => {
      const { status, kmsg } = run(shell, 'unionfs:/t', files, before);
      expect(status).toBe(99);
      return kmsg.at(-1);
    };
    expect(failure(unionfs(1), tree)).toContain('unionfs cannot join the layers: no fuse; next: reboot');
    expect(failure(unionfs(0))).toContain(
      'unionfs cannot be the root here: a node without /usr/lib/systemd/systemd-shutdown would not go down; next: reboot',
    );
    expect(failure('')).toContain(
      'mkroot.rw=unionfs:/t takes a program that the initrd does not have (mkroot initrd --top unionfs); next: reboot',
    );
  });

  it('what is no writable top is refused', () => {
    const refused = (top: string) => run(shell, top).kmsg.at(-1);
    expect(refused('disk:$(x)')).toContain('mkroot.rw=disk:$(x) names no label of a disk');
    expect(refused('image:relative')).toContain('mkroot.rw=image:relative is not image:[server:]/path');
    expect(refused('zram')).toContain('mkroot.rw=zram is not supported');
  });
});
