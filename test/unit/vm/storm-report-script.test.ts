import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSelfCheckReport } from '../../../src/vm/self-check-report.js';

const script = fileURLToPath(new URL('../../../qemu/storm/self-check.sh', import.meta.url));

/** As Linux 6.12 writes it, shortened. */
const MOUNTSTATS = `device proc mounted on /proc with fstype proc
device 10.77.0.1:/base mounted on /run/mkroot/base with fstype nfs statvers=1.1
	opts:	ro,vers=3,rsize=1048576
	age:	40
	sec:	flavor=1,pseudoflavor=1
	events:	5000 1 2 3 4
	RPC iostats version: 1.1  p/v: 100003/3 (nfs)
	xprt:	tcp 870 0 1 0 0 3000 3000 0 3000 0 2 0 0
	per-op statistics
	        NULL: 1 1 0 44 24 0 0 0 0
	     GETATTR: 200 201 0 22000 22400 3 40 50 0
	        READ: 1500 1500 0 1 2 3 4 5 0

device tmpfs mounted on /run with fstype tmpfs
device 10.77.0.1:/host mounted on /run/mkroot/host with fstype nfs4 statvers=1.1
	xprt:	tcp 870 0 1 0 0 99 99 0 99 0 2 0 0
	per-op statistics
	        READ: 7 7 0 1 2 3 4 5 0

`;

describe('what a node of a storm reports', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mkroot-storm-'));
    for (const made of ['proc/self', 'etc/mkroot-self-check']) {
      mkdirSync(join(directory, made), { recursive: true });
    }
    writeFileSync(join(directory, 'proc/uptime'), '12.34 20.00\n');
    writeFileSync(join(directory, 'proc/self/mountstats'), MOUNTSTATS);
    writeFileSync(join(directory, 'etc/mkroot-self-check/expected.sh'), `REPORT='${directory}/report'\n`);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([['sh'], ['busybox', 'sh']])(
    'under %s %s: requests of all NFS mounts, and of nothing else',
    (...shell) => {
      const [program = 'sh', ...args] = shell;
      execFileSync(program, [...args, script], { env: { ...process.env, ROOT: directory } });
      const report = parseSelfCheckReport(readFileSync(join(directory, 'report'), 'utf8'));
      expect(report).toEqual({
        begun: true,
        ended: true,
        checks: [{ name: 'nfs-requests', passed: true, detail: '1708' }],
      });
    },
  );

  it('is clean under shellcheck', () => {
    const { stdout, status } = spawnSync('shellcheck', ['--norc', '-a', script], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});
