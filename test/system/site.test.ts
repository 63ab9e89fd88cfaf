import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ExitCode } from '../../src/errors.js';

const executable = fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'mkroot-site-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs mkroot as a user would, in an empty directory. */
function mkroot(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('a site on the command line', () => {
  test('init, import, set and show: the story of docs/inventory.md', () => {
    expect(mkroot('init', 'site').status).toBe(0);
    expect(mkroot('init', 'site').status).toBe(ExitCode.Usage);
    expect(mkroot('nodes', 'check', '--site', 'site').stdout).toContain('4 nodes, 1 group, 1 network\n');

    writeFileSync(
      join(directory, 'leases'),
      '20 52:54:00:00:00:02 10.1.250.2 * *\n10 52:54:00:00:00:01 10.1.250.1 * *\n30 52:54:00:00:00:03 10.1.250.3 n001 *\n',
    );
    const imported = [
      'nodes',
      'import',
      '--from',
      'dnsmasq.leases',
      'leases',
      '--names',
      'n[001-004]',
      '--site',
      'site',
    ];
    expect(mkroot(...imported).stdout).toContain('nothing is written without --write');
    expect(mkroot(...imported, '--write').stdout).toContain(
      '3 nodes written to site/nodes.csv and site/nodes.yaml',
    );
    expect(readFileSync(join(directory, 'site/nodes.csv'), 'utf8')).toBe(
      'name,mac\nn002,52:54:00:00:00:01\nn003,52:54:00:00:00:02\nn001,52:54:00:00:00:03\n',
    );

    expect(mkroot('node', 'set', 'n003', '--image', 'compute-bookworm', '--site', 'site').stdout).toBe(
      'n003 changed, in overrides.n003\n',
    );
    const shown = mkroot('nodes', 'show', 'n003', '--site', 'site');
    expect(shown.stdout).toMatch(/^ {2}image +compute-bookworm +n003 \(site\/nodes\.yaml:\d+:\d+\)$/m);
    expect(shown.stdout).toMatch(/^ {2}mac +52:54:00:00:00:02 +n003 \(site\/nodes\.csv:3:6\)$/m);
    const listed = mkroot('nodes', 'list', '--image', 'compute-bookworm', '--site', 'site', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'n003', image: 'compute-bookworm' }]);
  });

  test('an import tells what it did not take: files of another kind, and empty ones', () => {
    mkroot('init', 'silent');
    const take = (format: string, text: string) => {
      writeFileSync(join(directory, 'seen'), text);
      return mkroot('nodes', 'import', '--from', format, 'seen', '--site', 'silent', '--write');
    };
    const wrong = take('ethers', 'garbage\n'.repeat(100));
    expect(wrong.status).toBe(ExitCode.InvalidInput);
    expect(wrong.stderr).toContain('Cannot take machines from "seen": nothing in it is to be used as ethers');
    expect(wrong.stderr.match(/seen:\d+: /g)).toHaveLength(10);
    expect(wrong.stderr).toContain('seen: 90 more lines like these');
    expect(take('dhcpd.leases', 'garbage').status).toBe(ExitCode.InvalidInput);
    expect(take('dnsmasq.leases', '')).toMatchObject({ status: 0, stdout: 'seen: no machines\n' });
    const strange = take('ethers', '52:54:00:00:00:01 stranger\n');
    expect(strange).toMatchObject({ status: 0, stdout: 'No node gets a MAC address from seen\n' });
    expect(strange.stderr).toContain('it told no name of the inventory');
    expect(take('ethers', '52:54:00:00:00:01 10.1.1.1\n').stdout).toContain('n001  52:54:00:00:00:01\n');
  });

  test('changes at the same time are all kept, and each new node gets an address of its own', async () => {
    mkroot('init', 'busy');
    const commands = [
      ...['n001', 'n002', 'n003', 'n004'].map((name) => ['set', name, '--variable', `v=${name}`]),
      ...['n005', 'n006'].map((name) => ['create', name, '--no-layer']),
    ];
    const ended = commands.map(async (args) => {
      const child = spawn(process.execPath, [executable, 'node', ...args, '--site', 'busy'], {
        cwd: directory,
        stdio: 'ignore',
      });
      const [status] = await once(child, 'exit');
      return status;
    });
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0, 0, 0]);
    const listed = JSON.parse(mkroot('nodes', 'list', '--site', 'busy', '--json').stdout);
    expect(listed.map((node: { variables: { v?: string } }) => node.variables.v)).toEqual([
      ...['n001', 'n002', 'n003', 'n004'],
      ...[undefined, undefined],
    ]);
    expect(listed.slice(4).map((node: { ip: string }) => node.ip)).toEqual(['10.1.1.5', '10.1.1.6']);
    expect(readdirSync(join(directory, 'busy')).sort()).toEqual([
      ...['nodes.schema.json', 'nodes.yaml', 'overlays', 'recipes'],
    ]);
  });

  test('mistakes end with 3 and their places, an unknown node with 4 and the nearest name', () => {
    mkroot('init', 'broken');
    const file = join(directory, 'broken/nodes.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('group: compute', 'group: comptue'));
    const { status, stderr } = mkroot('nodes', 'check', '--site', 'broken');
    expect(status).toBe(ExitCode.InvalidInput);
    expect(stderr).toMatch(
      /broken\/nodes\.yaml:\d+:\d+: group "comptue" is not known; did you mean "compute"\?/,
    );
    mkroot('init', 'other');
    const unknown = mkroot('nodes', 'show', 'n01', '--site', 'other');
    expect(unknown.status).toBe(ExitCode.NotFound);
    expect(unknown.stderr).toContain('did you mean "n001"?');
  });
});
