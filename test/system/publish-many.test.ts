import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMkroot } from '../support/run-mkroot.js';

/** As many as make a second thread worth its start. */
const COUNT = 520;

const GENERATION = '20261101T000000Z-11111111';

const directory = mkdtempSync('/var/tmp/mkroot-test-publish-many-');
const state = join(directory, 'state');
const site = join(directory, 'site');

afterAll(() => rmSync(directory, { recursive: true }));

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

const publish = (words: readonly string[], wrapper: readonly string[] = []) =>
  runMkroot(['publish', ...words, '--site', site, '--state', state], wrapper);

beforeAll(async () => {
  const generation = join(state, 'images/compute/generations', GENERATION);
  write(join(generation, 'root/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  write(join(generation, 'root/etc/group'), 'root:x:0:\n');
  write(join(generation, 'vmlinuz'), 'kernel');
  write(join(generation, 'manifest.json'), '{}');
  write(join(state, 'images/compute/initrds', GENERATION, 'initrd.img'), 'initrd');
  symlinkSync(`generations/${GENERATION}`, join(state, 'images/compute/current'));
  // Keys are there: to make them takes ssh-keygen minutes.
  for (let number = 1; number <= COUNT; number += 1) {
    const identity = join(state, `hosts/n${number}/identity`);
    write(join(identity, 'machine-id'), `${String(number).padStart(32, '0')}\n`, 0o600);
    write(join(identity, 'ssh/ssh_host_ed25519_key'), `secret of n${number}\n`, 0o600);
    write(
      join(identity, 'ssh/ssh_host_ed25519_key.pub'),
      `ssh-ed25519 AAAA${Buffer.from(`key of n${number}`).toString('base64')} root@n${number}\n`,
    );
  }
  write(
    join(site, 'nodes.yaml'),
    `cluster:
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute }
nodes:
  n[1-${COUNT}]: { group: compute, ip: 10.1.16.1 }
`,
  );
  const { exitCode, stderr } = await publish([]);
  expect([exitCode, stderr]).toEqual([0, expect.anything()]);
});

/** Plans in two threads, or where there is one processor; the thread's own messages are Node's. */
async function plan(processors: 'two threads' | 'one processor') {
  const wrapper = processors === 'one processor' ? ['taskset', '--cpu-list', '0'] : [];
  const { stdout, stderr } = await publish(['--dry-run'], [...wrapper, 'env', 'NODE_DEBUG=worker']);
  expect(stderr).not.toMatch(/uncaught exception/);
  const isStarted = processors === 'two threads' && availableParallelism() > 1;
  expect(/WORKER .*create new worker/.test(stderr)).toBe(isStarted);
  return stdout;
}

describe.each(['two threads', 'one processor'] as const)('a publish of many nodes with %s', (processors) => {
  it('finds that nothing has changed', async () => {
    expect(await plan(processors)).toBe('Nothing has changed since the last publish\n');
  });

  it('finds what was edited by hand: a boot file, and a file of a layer', async () => {
    const bootFile = join(state, 'netboot/tftp/pxelinux.cfg/0A011005');
    const layerFile = join(state, 'hosts/n7/current/layer/etc/hostname');
    const before = [bootFile, layerFile].map((path) => [path, readFileSync(path, 'utf8')] as const);
    for (const [path] of before) writeFileSync(path, 'mine\n');
    const edited = await plan(processors);
    expect(edited).toContain('tftp/pxelinux.cfg/0A011005: it was changed after mkroot wrote it');
    expect(edited).toContain('  + n7: own layer');
    expect(edited).not.toMatch(/n8|n\[/);
    for (const [path, text] of before) writeFileSync(path, text);
    // The layer has another time now, and gets a version of its own.
    expect(await publish(['--force'])).toMatchObject({ exitCode: 0 });
  });
});
