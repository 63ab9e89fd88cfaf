import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skeleton } from './target-shell.js';

const programs = [
  'init',
  'shutdown',
  'lib/mkroot/dhcp-client',
  'lib/mkroot/dhcp-event',
  'lib/mkroot/last-resort',
  'lib/mkroot/leave-root',
  'lib/mkroot/ready-process-one',
  'lib/mkroot/report-state',
  'lib/mkroot/sysv-last-resort',
];
const library = readdirSync(join(skeleton, 'lib/mkroot')).map((name) => `lib/mkroot/${name}`);

describe("the target's shell code", () => {
  it('is clean under shellcheck, as POSIX sh, with the parts that each program sources', () => {
    const result = spawnSync('shellcheck', ['--norc', '-a', '-x', '-P', 'SCRIPTDIR', ...programs], {
      cwd: skeleton,
      encoding: 'utf8',
    });
    expect(result.error).toBeUndefined();
    expect(result.stdout + result.stderr).toBe('');
    expect(result.status).toBe(0);
  });

  it('is all reached by that check: /init sources every part', () => {
    const init = readFileSync(join(skeleton, 'init'), 'utf8');
    const sourced = [...init.matchAll(/^\. "\$ROOT\/(lib\/mkroot\/[a-z-]+\.sh)"$/gm)].map(([, path]) => path);
    expect([...sourced, ...programs].sort()).toEqual([...new Set([...library, ...programs])].sort());
  });

  it('switches no check off for a whole file: each directive stands before one indented command and is explained', () => {
    for (const file of [...new Set([...programs, ...library])]) {
      const lines = readFileSync(join(skeleton, file), 'utf8').split('\n');
      for (const [index, line] of lines.entries()) {
        if (line.includes('shellcheck disable=')) expect(`${file}: ${lines[index + 1]}`).toMatch(/: {2,}\S/);
      }
    }
  });

  it('has programs that can be executed and parts that cannot', () => {
    const executable = (file: string) => (statSync(join(skeleton, file)).mode & 0o111) !== 0;
    expect(programs.filter((file) => !executable(file))).toEqual([]);
    expect(library.filter((file) => file.endsWith('.sh') && executable(file))).toEqual([]);
  });

  it('uses applets that busybox has', () => {
    const wanted = readFileSync(join(skeleton, 'applets'), 'utf8').trim().split('\n');
    const present = new Set(spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout.split('\n'));
    expect(wanted.filter((name) => !present.has(name))).toEqual([]);
    expect(wanted).toEqual([...wanted].sort());
  });
});
