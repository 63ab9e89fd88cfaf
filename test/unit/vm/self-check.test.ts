import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSelfCheckReport, selfCheckNames } from '../../../src/vm/self-check-report.js';

const script = fileURLToPath(new URL('../../../qemu/self-check/self-check.sh', import.meta.url));

const goodMounts = [
  'root / overlay rw,relatime,lowerdir=/run/mkroot/host:/run/mkroot/cluster:/run/mkroot/base,upperdir=/u,workdir=/w 0 0',
  '10.77.0.1:/base /run/mkroot/base nfs ro,relatime,vers=3 0 0',
  '10.77.0.1:/cluster /run/mkroot/cluster nfs ro,relatime,vers=3 0 0',
  '10.77.0.1:/host /run/mkroot/host nfs ro,relatime,vers=3 0 0',
  'tmpfs /run/mkroot/rw tmpfs rw 0 0',
].join('\n');

describe('the self-check script, under the host’s sh with $ROOT and mocked commands', () => {
  let directory: string;
  let files: Record<string, string>;
  let programs: Record<string, string>;
  let level: readonly [previous: string, now: string];

  beforeEach(() => {
    level = ['', ''];
    directory = mkdtempSync(join(tmpdir(), 'mkroot-self-check-'));
    files = {
      'proc/mounts': `${goodMounts}\n`,
      'proc/uptime': '12.34 20.00\n',
      'proc/sys/kernel/hostname': 'node\n',
      'etc/mkroot-self-check/layer': 'host\n',
      'etc/mkroot-self-check/expected.sh': `REPORT='${directory}/report'\nEXPECT_HOSTNAME='node'\nEXPECT_LAYERS='host cluster base'\nEXPECT_MODULES='tg3'\n`,
      'etc/debian_version': '13\n',
      'usr/lib/os-release': 'ID=debian\n',
      'run/mkroot/base/usr/lib/os-release': 'ID=debian\n',
    };
    programs = {
      systemctl: 'case $1 in is-system-running) echo running ;; esac',
      modprobe: 'exit 0',
      modinfo: 'echo /lib/modules/tg3.ko',
    };
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function check(): Record<string, string> {
    const write = (path: string, content: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    };
    for (const [path, content] of Object.entries(files)) write(join(directory, 'root', path), content);
    for (const [name, body] of Object.entries(programs)) {
      const path = join(directory, 'bin', name);
      write(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
    }
    const report = join(directory, 'report');
    execFileSync('sh', [script], {
      env: {
        PATH: `${directory}/bin:${process.env['PATH']}`,
        ROOT: join(directory, 'root'),
        PREVLEVEL: level[0],
        RUNLEVEL: level[1],
      },
      stdio: 'pipe',
    });
    const text = readFileSync(report, 'utf8');
    const parsed = parseSelfCheckReport(text);
    expect([parsed.begun, parsed.ended]).toEqual([true, true]);
    expect(parsed.checks.map(({ name }) => name).sort()).toEqual(selfCheckNames(['tg3']).sort());
    return Object.fromEntries(
      parsed.checks.map(({ name, passed, detail }) => [name, passed ? 'pass' : detail]),
    );
  }

  it('reports every check, and only a base that takes writes where all else is well', () => {
    // A directory on this host is writable for its owner whatever the mounts say.
    expect(check()).toEqual({
      'no-failed-units': 'pass',
      'root-is-overlay': 'pass',
      'layers-in-order': 'pass',
      'base-is-read-only': 'a file could be made in it',
      'writing-works': 'pass',
      hostname: 'pass',
      'module-tg3': 'pass',
    });
  });

  it('looks at the run level where sysvinit is process 1, although there is a systemctl', () => {
    files['proc/1/comm'] = 'init\n';
    programs['systemctl'] = 'echo Failed; exit 1';
    level = ['N', '2'];
    expect(check()['no-failed-units']).toBe('pass');
    level = ['N', '1'];
    expect(check()['no-failed-units']).toBe('run level N 1');
  });

  it('takes the layers of unionfs-fuse from its own command line', () => {
    files['proc/mounts'] = goodMounts.replace(/^root .*/, 'unionfs / fuse.unionfs rw,user_id=0 0 0');
    const branches = (order: string) => `@/unionfs\0-o\0cow\0/rw/top-c-1/upper=RW:${order}\0/sysroot\0`;
    files['proc/77/cmdline'] = branches('/host=RO:/cluster=RO:/base=RO');
    expect(check()).toMatchObject({ 'root-is-overlay': 'pass', 'layers-in-order': 'pass' });
    files['proc/77/cmdline'] = branches('/cluster=RO:/host=RO:/base=RO');
    expect(check()['layers-in-order']).toContain('expected host cluster base');
  });

  it.each<
    [
      string,
      string,
      RegExp,
      (set: { files: Record<string, string>; programs: Record<string, string> }) => void,
    ]
  >([
    [
      'a root that is no overlay',
      'root-is-overlay',
      /type nfs/,
      ({ files: f }) => {
        f['proc/mounts'] = goodMounts.replace('/ overlay', '/ nfs');
      },
    ],
    [
      'layers in another order',
      'layers-in-order',
      /expected host cluster base/,
      ({ files: f }) => {
        f['proc/mounts'] = goodMounts.replace('host:/run/mkroot/cluster', 'cluster:/run/mkroot/host');
      },
    ],
    [
      'a layer that is not to be seen',
      'layers-in-order',
      /nothing is mounted at \/run\/mkroot\/cluster/,
      ({ files: f }) => {
        f['proc/mounts'] = goodMounts.replace(' /run/mkroot/cluster ', ' /elsewhere ');
      },
    ],
    [
      'a merged tree that shows the lower file',
      'layers-in-order',
      /layer 'cluster'/,
      ({ files: f }) => {
        f['etc/mkroot-self-check/layer'] = 'cluster\n';
      },
    ],
    [
      'a base that is mounted for writing',
      'base-is-read-only',
      /mounted rw/,
      ({ files: f }) => {
        f['proc/mounts'] = goodMounts.replace('nfs ro', 'nfs rw');
      },
    ],
    [
      'another host name',
      'hostname',
      /localhost, expected node/,
      ({ files: f }) => {
        f['proc/sys/kernel/hostname'] = 'localhost\n';
      },
    ],
    [
      'a failed unit',
      'no-failed-units',
      /ssh\.service/,
      ({ programs: p }) => {
        p['systemctl'] =
          'case $1 in list-units) echo "ssh.service loaded failed failed" ;; *) echo degraded ;; esac';
      },
    ],
    [
      'a module that the root lacks',
      'module-tg3',
      /not found/,
      ({ programs: p }) => {
        p['modprobe'] = 'echo "modprobe: FATAL: Module tg3 not found" >&2; exit 1';
      },
    ],
    [
      'a module that does not load',
      'module-tg3',
      /does not load: Exec format error/,
      ({ programs: p }) => {
        p['modprobe'] = 'case $1 in --dry-run) ;; *) echo "Exec format error" >&2; exit 1 ;; esac';
      },
    ],
  ])('reports %s', (_, name, detail, change) => {
    change({ files, programs });
    expect(check()[name]).toMatch(detail);
  });
});

describe('parseSelfCheckReport', () => {
  it('leaves out a line that is still on the way, and the noise of a serial port', () => {
    const report = parseSelfCheckReport('\u0000noise\r\nbegin=1\r\nhostname=pass a b\r\nroot-is-ov');
    expect(report).toEqual({
      begun: true,
      ended: false,
      checks: [{ name: 'hostname', passed: true, detail: 'a b' }],
    });
  });
});
