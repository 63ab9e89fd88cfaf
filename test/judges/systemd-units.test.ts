import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemdUnits, type UnitOptions } from '../../src/serving/systemd-units.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mkroot-units-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What systemd-analyze(1) says about the units, one of which may be changed before; empty if it accepts them. */
function verify(options: UnitOptions, change: (text: string) => string = (text) => text): string {
  const files = [...systemdUnits(options)].map(([name, text]) => {
    const path = join(directory, name);
    writeFileSync(path, name === 'mkroot-http.service' ? change(text) : text);
    return path;
  });
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...files], { encoding: 'utf8' });
  return status === 0 ? '' : `${status} ${stderr}`;
}

const OPTIONS = {
  mkroot: [process.execPath, '/opt/my tools/100%/mkroot.js'],
  state: '/var/lib/mk root/$x',
  dnsmasq: '/usr/sbin/dnsmasq',
  dnsmasqAsRoot: true,
  systemctl: '/usr/bin/systemctl',
} as const;

describe('systemd-analyze', () => {
  it.each([
    { server: 'kernel', program: '/usr/sbin/exportfs' },
    { server: 'ganesha', program: '/usr/bin/ganesha.nfsd' },
    { server: 'none' },
  ] as const)('accepts the units for NFS by $server, and refuses one that is spoilt', (nfs) => {
    expect(verify({ ...OPTIONS, nfs })).toBe('');
    expect(
      verify({ ...OPTIONS, nfs }, (text) => text.replace('ExecStart=', 'ExecStart=no/absolute/')),
    ).toMatch(/mkroot-http\.service/);
  });
});
