import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../../qemu/self-check/cluster-check.sh', import.meta.url));
const sum = (text: string) => createHash('sha256').update(text).digest('hex');

/** busybox mount: gives only what is below /srv/own, and fills the mount point (its last argument). */
const HONEST_SERVER = `for last; do :; done
case " $* " in *:/srv/own\\ *) echo x >"$last/file" ;; *) exit 255 ;; esac`;

describe.each(['sh', 'busybox sh'])('the check of a node of a cluster, under %s', (shell) => {
  let directory: string;
  let files: Record<string, string>;
  let modes: Record<string, number>;
  let mounts: Record<string, string>;
  let server: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mkroot-cluster-check-'));
    const facts = 'etc/mkroot-self-check';
    files = {
      [`${facts}/mounts`]: 'base /srv/root\nhost /srv/own\n',
      [`${facts}/files`]: `host yes ${sum('own\n')} /etc/kind\nbase no ${sum('base\n')} /etc/kind\n`,
      [`${facts}/whiteouts`]: '/etc/gone\n',
      [`${facts}/keys`]: `${sum('key\n')} /etc/ssh/ssh_host_rsa_key\n`,
      [`${facts}/machine-id`]: 'abc\n',
      [`${facts}/own`]: '10.1.0.1 /srv/own\n',
      [`${facts}/others`]: 'n2 10.1.0.1 /srv/other\n',
      [`${facts}/persistent`]: '/var/kept rw token 1\n',
      'etc/kind': 'own\n',
      'etc/machine-id': 'abc\n',
      'etc/ssh/ssh_host_rsa_key': 'key\n',
      'run/mkroot/host/etc/kind': 'own\n',
      'run/mkroot/base/etc/kind': 'base\n',
      'run/mkroot/base/etc/gone': 'x',
      'var/kept/.mkroot-lab/planted': 'token\n',
      'var/kept/.mkroot-lab/n1': 'of the boot before\n',
    };
    modes = { 'etc/ssh/ssh_host_rsa_key': 0o600 };
    mounts = {
      '/run/mkroot/base': '10.1.0.1:/srv/root nfs ro',
      '/run/mkroot/host': '10.1.0.1:/srv/own nfs ro',
      '/var/kept': '10.1.0.1:/srv/kept nfs rw',
    };
    server = HONEST_SERVER;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function check(): Record<string, string> {
    const write = (path: string, text: string, mode = 0o644) => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
      chmodSync(join(directory, path), mode);
    };
    for (const [path, text] of Object.entries(files)) write(`root/${path}`, text, modes[path]);
    write('root/run/initramfs/bin/busybox', `#!/bin/sh\n${server}\n`, 0o755);
    write('bin/umount', '#!/bin/sh\nrm -f "$1"/*\n', 0o755);
    write('bin/stat', `#!/bin/sh\n/usr/bin/stat "$@" | sed 's/ .*/ 0/'\n`, 0o755);
    const table = Object.entries(mounts).map(([at, mount]) => `${at}) echo '${mount}' ;;`);
    write(
      'run.sh',
      `report() { printf '%s=%s %s\\n' "$1" "$2" "$3"; }
mount_at() { case $1 in ${table.join('\n')} esac; }
EXPECT_HOSTNAME=n1
. ${script}
`,
    );
    const [program = '', ...args] = shell.split(' ');
    const output = execFileSync(program, [...args, join(directory, 'run.sh')], {
      encoding: 'utf8',
      env: { ROOT: join(directory, 'root'), PATH: `${directory}/bin:${process.env['PATH']}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return Object.fromEntries(
      output
        .trim()
        .split('\n')
        .map((line) => {
          const [, name = '', verdict = '', text = ''] = /^([\w.-]+)=(pass|fail) (.*)$/.exec(line) ?? [];
          return [name, verdict === 'pass' ? 'pass' : text];
        }),
    );
  }

  const allWell = {
    'layer-base': 'pass',
    'layer-host': 'pass',
    whiteouts: 'pass',
    'ssh-host-keys': 'pass',
    'machine-id': 'pass',
    'others-refused': 'pass',
    'persistent-var-kept': 'pass',
  };

  it('passes a node that is itself', () => {
    expect(check()).toEqual(allWell);
  });

  it('passes one that has copied its layer into memory, and only as such', () => {
    files['etc/mkroot-self-check/mounts'] = 'base /srv/root\nhost memory\n';
    expect(check()['layer-host']).toMatch(/is mounted, expected memory/);
    mounts['/run/mkroot/host'] = 'mkroot-host tmpfs ro';
    expect(check()).toEqual(allWell);
  });

  it('passes one whose base came as one file, and only as such', () => {
    files['etc/mkroot-self-check/mounts'] = 'base image\nhost /srv/own\n';
    expect(check()['layer-base']).toMatch(/is mounted, expected image/);
    mounts['/run/mkroot/base'] = '/dev/loop0 squashfs ro';
    expect(check()).toEqual(allWell);
  });

  it.each<[string, () => void, string, RegExp]>([
    [
      'a layer of another node',
      () => {
        mounts['/run/mkroot/host'] = '10.1.0.1:/srv/other nfs ro';
      },
      'layer-host',
      /srv\/other is mounted, expected \/srv\/own/,
    ],
    [
      'a file that is not as on the server',
      () => {
        files['etc/kind'] = 'changed\n';
      },
      'layer-host',
      /etc\/kind is not as it is on the server/,
    ],
    [
      'a deleted file that can be seen',
      () => {
        files['etc/gone'] = 'x';
      },
      'whiteouts',
      /\/etc\/gone can be seen/,
    ],
    [
      'a key that others may read',
      () => {
        modes['etc/ssh/ssh_host_rsa_key'] = 0o644;
      },
      'ssh-host-keys',
      /mode and owner 644 0/,
    ],
    [
      'the key of another node',
      () => {
        files['etc/ssh/ssh_host_rsa_key'] = 'other\n';
      },
      'ssh-host-keys',
      /is not this node's/,
    ],
    [
      'another machine-id',
      () => {
        files['etc/machine-id'] = 'xyz\n';
      },
      'machine-id',
      /xyz, expected abc/,
    ],
    [
      'a server that gives everything',
      () => {
        server = 'for last; do :; done\necho x >"$last/file"';
      },
      'others-refused',
      /mounted \/srv\/other of n2 by NFS v3/,
    ],
    [
      'a server that gives nothing, of which a refusal says nothing',
      () => {
        server = 'exit 255';
      },
      'others-refused',
      /cannot mount what is its own either/,
    ],
    [
      'a persistent path that is not mounted',
      () => {
        delete mounts['/var/kept'];
      },
      'persistent-var-kept',
      /nothing is mounted at \/var\/kept/,
    ],
    [
      'a persistent path that shows something else than the server has',
      () => {
        files['var/kept/.mkroot-lab/planted'] = 'other\n';
      },
      'persistent-var-kept',
      /does not show what the server has: other/,
    ],
    [
      'a persistent path that lost what was written at the boot before',
      () => {
        delete files['var/kept/.mkroot-lab/n1'];
      },
      'persistent-var-kept',
      /has 0 lines of the 1 boots before/,
    ],
  ])('fails %s', (_, plant, name, message) => {
    plant();
    const found = check();
    expect(found[name]).toMatch(message);
    expect({ ...found, [name]: 'pass' }).toEqual(allWell);
  });
});
