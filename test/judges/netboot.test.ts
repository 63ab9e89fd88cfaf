import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderNetbootTree } from '../../src/netboot/netboot-tree.js';
import { smallSite } from '../support/small-site.js';

/** Each generated file goes through the program that will read it. */

let directory: string;
const files = renderNetbootTree(smallSite);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mkroot-netboot-'));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Output of a checker that has to succeed. */
function output(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Both streams and the exit code of a checker. */
function outcome(argv: readonly string[]): { code: number | null; text: string } {
  const [program, ...args] = argv as [string, ...string[]];
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: directory });
  if (error) throw error;
  return { code: status, text: `${stdout}${stderr}` };
}

/** Writes a file that is wrong, to see that its checker would have told. */
function spoiled(path: string, change: (text: string) => string): string {
  const text = readFileSync(join(directory, path), 'utf8');
  const wrong = change(text);
  expect(wrong).not.toBe(text);
  writeFileSync(join(directory, 'spoiled'), wrong);
  return 'spoiled';
}

describe('DHCP servers', () => {
  test('dnsmasq --test takes both configurations, and refuses a spoilt one', () => {
    for (const file of ['etc/dnsmasq.conf', 'etc/dnsmasq-proxy.conf']) {
      expect(outcome(['dnsmasq', '--test', `--conf-file=${file}`])).toEqual({
        code: 0,
        text: expect.stringContaining('syntax check OK'),
      });
    }
    const wrong = spoiled('etc/dnsmasq.conf', (text) => text.replace('dhcp-host=52:', 'dhcp-host=5g:'));
    expect(outcome(['dnsmasq', '--test', `--conf-file=${wrong}`]).code).not.toBe(0);
  });

  test('dhcpd -t takes dhcpd.conf without a warning, and refuses a spoilt one', () => {
    const { code, text } = outcome(['dhcpd', '-4', '-t', '-cf', 'etc/dhcp/dhcpd.conf']);
    expect(text.toLowerCase()).not.toMatch(/warning|error|semicolon|expecting|unknown/);
    expect(code).toBe(0);
    const wrong = spoiled('etc/dhcp/dhcpd.conf', (before) =>
      before.replace('option host-name "n001";', 'x n001'),
    );
    expect(outcome(['dhcpd', '-4', '-t', '-cf', wrong]).code).not.toBe(0);
  });

  test('kea-dhcp4 -t takes kea-dhcp4.conf, reservations and classes included, and refuses a spoilt one', () => {
    // It wants the interface to exist; a network namespace of its own has one of that name.
    const inNamespace = (file: string) =>
      outcome([
        'unshare',
        '--net',
        'sh',
        '-c',
        `ip link add ${smallSite.server.interfaces[0]!} type bridge && exec kea-dhcp4 -t "$1"`,
        'sh',
        file,
      ]);
    const { code, text } = inNamespace('etc/kea/kea-dhcp4.conf');
    expect(text).not.toMatch(/WARN|ERROR/);
    expect(code).toBe(0);
    const wrong = spoiled('etc/kea/kea-dhcp4.conf', (before) =>
      before.replace('option[175]', 'option[bogus]'),
    );
    expect(inNamespace(wrong).code).not.toBe(0);
  });
});

describe('boot loaders', () => {
  test('grub-script-check takes every GRUB file', () => {
    const paths = [...files.keys()].filter((path) => path.startsWith('tftp/grub/'));
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) expect(outcome(['grub-script-check', path])).toEqual({ code: 0, text: '' });
    const wrong = spoiled('tftp/grub/grub.cfg', (text) => text.replace('menuentry ', "menuentry 'x "));
    expect(outcome(['grub-script-check', wrong]).code).not.toBe(0);
  });
});

describe('NFS servers', () => {
  test('exportfs reads every line of /etc/exports as it is meant, and refuses a spoilt one', () => {
    // exportfs needs no kernel server to read; state and /etc/exports are those of a mount namespace of its own.
    const read = (file: string) =>
      outcome([
        'unshare',
        '--mount',
        'sh',
        '-c',
        `mount -t tmpfs mkroot-test /var/lib/nfs && mkdir -p /etc/exports.d && : >>/var/lib/nfs/etab && : >>/var/lib/nfs/rmtab &&
         mount -t tmpfs mkroot-test /etc/exports.d && { [ -e /etc/exports ] || : >/etc/exports; } &&
         mount --bind "$1" /etc/exports && exportfs -ra; code=$?; cat /var/lib/nfs/etab; exit $code`,
        'sh',
        file,
      ]);
    const { text } = read('etc/exports');
    // The directories do not exist here, which is all that it may complain about.
    expect(text.split('\n').filter((line) => /exportfs:/.test(line) && !/Failed to stat/.test(line))).toEqual(
      [],
    );
    const table = text.split('\n').filter((line) => line.startsWith('/'));
    const entries = table.map((line) => line.split(/[\t(]/).slice(0, 2).join(' ')).sort();
    expect(entries).toEqual(
      [
        ...smallSite.directories.flatMap(({ path }) =>
          smallSite.networks.map(({ subnet }) => `${path} ${subnet}`),
        ),
        ...smallSite.nodes.flatMap(({ address, directories = [] }) =>
          directories.map(({ path }) => `${path} ${address}`),
        ),
      ].sort(),
    );
    const options = table.find((line) => line.startsWith('/srv/mkroot/hosts/n001'))!;
    for (const option of ['ro', 'sync', 'no_root_squash', 'subtree_check']) expect(options).toContain(option);
    const wrong = spoiled('etc/exports', (before) => before.replace('subtree_check', 'subtree_chekc'));
    expect(read(wrong).text).toContain('unknown keyword');
  });
});

describe('administration', () => {
  test('nodeset finds every group and its nodes, by either file of ClusterShell', () => {
    const configuration = join(directory, 'groups.conf');
    writeFileSync(
      configuration,
      `[Main]\ndefault: local\nautodir: ${directory}/etc/clustershell/groups.d\n[local]\n` +
        `map: sed -n 's/^$GROUP:\\(.*\\)/\\1/p' ${directory}/etc/clustershell/groups.d/local.cfg\n`,
    );
    const nodes = (group: string) =>
      output('nodeset', `--groupsconf=${configuration}`, '-e', group).trim().split(' ');
    for (const source of ['@', '@mkroot:']) {
      expect(nodes(`${source}all`)).toEqual(smallSite.nodes.map(({ name }) => name));
      expect(nodes(`${source}compute`)).toEqual(['n001', 'n002', 'n010']);
      expect(nodes(`${source}gpu-test`)).toEqual(['n002']);
    }
  });

  test('nodeattr finds groups and variables in the genders file', () => {
    const query = (...args: string[]) => output('nodeattr', '-f', 'etc/genders', ...args).trim();
    expect(outcome(['nodeattr', '-f', 'etc/genders', '-k']).code).toBe(0);
    expect(query('-n', 'compute').split('\n')).toEqual(['n001', 'n002', 'n010']);
    expect(query('-v', 'n001', 'role')).toBe('worker');
  });

  test('dsh runs its command on every machine of its lists, and of a group', () => {
    mkdirSync(join(directory, 'home'));
    symlinkSync(join(directory, 'etc/dsh'), join(directory, 'home/.dsh'));
    const told = (...args: string[]) =>
      output('env', `HOME=${directory}/home`, 'dsh', '-w', '-r', 'echo', ...args, '--', 'hello')
        .trim()
        .split('\n');
    expect(told('-a')).toEqual(smallSite.nodes.map(({ name }) => `${name} hello`));
    expect(told('-g', 'gpu-test')).toEqual(['n002 hello']);
  });

  test('rsync pulls an image from rsyncd.conf, without identities, from addresses of the networks only', () => {
    const state = join(directory, 'state');
    const generation = join(state, 'images/compute/generations/20261120T041500Z-1a2b3c4d');
    for (const [path, text] of Object.entries({
      'manifest.json': '{}',
      'root/etc/os-release': 'ID=debian',
      'root/etc/hostname': 'somebody',
      'root/etc/ssh/ssh_host_rsa_key': 'secret',
      'root/tmp/x': '',
    })) {
      mkdirSync(dirname(join(generation, path)), { recursive: true });
      writeFileSync(join(generation, path), text);
    }
    symlinkSync('generations/20261120T041500Z-1a2b3c4d', join(state, 'images/compute/current'));
    const text = files.get('etc/rsyncd.conf')!.replaceAll('/var/lib/mkroot', state);
    writeFileSync(join(directory, 'rsyncd.conf'), text);
    const script = `ip link set lo up
for address in 10.1.0.1 10.1.0.11 192.0.2.1; do ip address add $address/32 dev lo; done
rsync --daemon --no-detach --config="$1/rsyncd.conf" &
for try in 1 2 3 4 5 6 7 8 9 10; do rsync 10.1.0.1:: >/dev/null 2>&1 && break; sleep 0.3; done
rsync --address=10.1.0.11 -a 10.1.0.1::compute/ "$1/pulled/"
find "$1/pulled" -type f -printf '%P\n' | sort
rsync --address=192.0.2.1 -a 10.1.0.1::compute/ "$1/refused/" 2>&1 | head -1
rsync --address=10.1.0.11 -a "$1/pulled/" 10.1.0.1::compute/ 2>&1 | head -1
kill $!`;
    const { text: told } = outcome(['unshare', '--net', 'sh', '-c', script, 'sh', directory]);
    expect(told.trim().split('\n')).toEqual([
      'manifest.json',
      'root/etc/os-release',
      expect.stringContaining('@ERROR: access denied to compute'),
      expect.stringContaining('ERROR: module is read only'),
    ]);
  });

  test('ansible-inventory finds hosts, groups and variables, and expands nothing', () => {
    const inventory = JSON.parse(output('ansible-inventory', '-i', 'etc/ansible/hosts.yaml', '--list'));
    expect(inventory.compute.hosts).toEqual(['n001', 'n002', 'n010']);
    expect(inventory.gpu_test.hosts).toEqual(['n002']);
    const { n001 } = inventory._meta.hostvars;
    expect(n001).toMatchObject({ ansible_host: '10.1.0.11', rack: 1, slots: [1, 2.5, null] });
    expect(n001.motd).toEqual({ __ansible_unsafe: 'Hello, "world" {{ lookup(1) }}\n' });
  });

  test('ssh-keygen finds the host keys by short name, full name and address', () => {
    for (const name of ['n001', 'n001.cluster.example', '10.1.0.11']) {
      expect(output('ssh-keygen', '-F', name, '-f', 'etc/ssh/ssh_known_hosts')).toContain('ssh-ed25519');
    }
  });
});
