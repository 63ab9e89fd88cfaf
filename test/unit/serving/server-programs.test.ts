import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  dnsmasqProgram,
  ganeshaProgram,
  nfsdKeeper,
  preparePlace,
  reloadCommand,
} from '../../../src/serving/server-programs.js';

const EXPORTS = "/state/it's/etc/exports";

describe('server programs', () => {
  it('are run in the foreground, with what was published and nothing of the machine', () => {
    const dnsmasq = dnsmasqProgram({ configuration: '/etc/d.conf', leaseFile: '/l', asRoot: false });
    expect(dnsmasq.argv).toEqual([
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/etc/d.conf', '--dhcp-leasefile=/l'],
      ...['--pid-file=/run/dnsmasq.pid', '--log-facility=-', '--log-dhcp'],
    ]);
    expect(dnsmasqProgram({ configuration: 'c', leaseFile: 'l', asRoot: true }).argv).toContain(
      '--user=root',
    );
    expect(ganeshaProgram('/g.conf').argv).toEqual([
      ...['ganesha.nfsd', '-F', '-f', '/g.conf', '-L', 'STDOUT', '-p', '/run/ganesha.pid'],
    ]);
  });

  it('say which port is taken by whom to look for', () => {
    const [pattern, hint] = dnsmasqProgram({ configuration: 'c', leaseFile: 'l', asRoot: false }).hint!;
    expect('dnsmasq: failed to bind DHCP server socket: Address already in use').toMatch(pattern);
    expect(hint).toContain('ss -lnup');
  });

  it.each(['kernel', 'ganesha', 'none'] as const)(
    'get a place for %s by a script that a shell can read',
    (nfs) => {
      for (const ownRpcbind of [true, false]) {
        const script = preparePlace(nfs, { exports: EXPORTS, ownRpcbind });
        expect(spawnSync('dash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({
          status: 0,
          stderr: '',
        });
        expect(script.includes('/var/lib/nfs/run/rpcbind.sock')).toBe(!ownRpcbind);
        expect(script.includes(`mount --bind '/state/it'\\''s/etc/exports' /etc/exports`)).toBe(
          nfs === 'kernel',
        );
        expect(script.includes('exportfs')).toBe(nfs === 'kernel');
      }
    },
  );

  it("the kernel's threads end with the standard input of their keeper, whatever signal comes first", () => {
    const directory = mkdtempSync(join(tmpdir(), 'mkroot-nfsd-'));
    for (const name of ['rpc.nfsd', 'exportfs']) {
      writeFileSync(join(directory, name), `#!/bin/sh\necho ${name} "$@"\n`, { mode: 0o755 });
    }
    const [program, ...args] = nfsdKeeper('10.1.0.1', 32);
    const { stdout, status } = spawnSync(program!, args, {
      encoding: 'utf8',
      input: '',
      env: { PATH: `${directory}:/bin:/usr/bin` },
    });
    rmSync(directory, { recursive: true });
    expect(stdout).toBe('rpc.nfsd --host 10.1.0.1 32\nnfsd runs\nrpc.nfsd 0\nexportfs -f\n');
    expect(status).toBe(0);
    expect(nfsdKeeper('10.1.0.1', 32)[2]).toMatch(/^trap "" INT TERM HUP;/);
  });

  it('read a changed configuration without being started anew where they can', () => {
    // That it finds the file which replaced the mounted one is in test/judges/netboot-servers.test.ts.
    expect(reloadCommand('kernel', '/state/exports').at(-1)).toBe('/state/exports');
    expect(reloadCommand('ganesha', '/state/exports')).toEqual([
      'sh',
      '-c',
      'kill -HUP "$(cat /run/ganesha.pid)"',
    ]);
  });
});
