import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BootReport } from '../../src/vm/boot-report.js';
import type { ClusterReport } from '../../src/vm/cluster-report.js';
import { ClusterSite } from '../support/cluster-site.js';
import { WITHOUT_IDLE_MODULES } from '../support/idle-modules.js';
import { judgeRoot } from '../support/judge-roots.js';

const [G1, G2] = ['20261101T000000Z-11111111', '20261110T000000Z-22222222'] as const;

/** Two groups, both kinds of firmware, a node that finds its layers by the pointers of its host layer. */
const NODES = `cluster:
  overlays: [cluster]
  kernelArguments: ["${WITHOUT_IDLE_MODULES}"]
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, http, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16, gateway: 10.1.0.1 }
groups:
  compute:
    image: compute
    overlays: [compute]
    serialConsole: ttyS0,115200
    persistent: [{ path: /var/spool/kept }]
  storage: { image: compute, overlays: [storage] }
nodes:
  n[1-2]: { group: compute, ip: 10.1.1.1, mac: ['52:54:00:00:00:01', '52:54:00:00:00:02'] }
  s[1-2]: { group: storage, ip: 10.1.2.1, mac: ['52:54:00:00:01:01', '52:54:00:00:01:02'] }
overrides:
  n2: { transport: { pointers: true } }
  s1: { firmware: uefi }
`;

const executable = fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));

let cluster: ClusterSite;

async function qemuTest(report: string, ...flags: readonly string[]): Promise<ClusterReport> {
  const directory = join(cluster.directory, report);
  const run = await cluster.mkroot(
    'qemu-test',
    '--json',
    '--report',
    directory,
    '--timeout',
    '1500',
    ...flags,
  );
  if (run.stdout === '') throw new Error(run.stderr);
  return JSON.parse(run.stdout) as ClusterReport;
}

const node = (report: ClusterReport, name: string) => report.nodes.find((one) => one.node === name)!;
const detail = (boot: BootReport | undefined, name: string) =>
  boot?.checks.find((check) => check.name === name)?.detail;
const reached = (boot: BootReport | undefined) => boot?.milestones.map(({ id }) => id) ?? [];

beforeAll(async () => {
  cluster = new ClusterSite();
  cluster.write('nodes.yaml', NODES);
  cluster.write('overlays/cluster/etc/motd', 'first\n');
  cluster.write('overlays/compute/etc/kind', 'compute\n');
  cluster.write('overlays/compute/overlay.yaml', 'delete: [/etc/issue.net]\n');
  cluster.write('overlays/storage/etc/kind', 'storage\n');
  await cluster.generation('compute', G1, judgeRoot('trixie'), ['tg3']);
  await cluster.ok('publish', '--interface', 'br0', '--http-root', 'http://10.1.0.1:8080/');
});

afterAll(() => cluster.remove());

describe('four nodes of two groups at once, from mkroot publish by mkroot serve', () => {
  let report: ClusterReport;
  let before: string[];
  let after: string[];

  beforeAll(async () => {
    before = cluster.listing();
    report = await qemuTest('four', '--nodes', '4', '--group', 'compute,storage');
    after = cluster.listing();
  });

  it('each comes up as itself, by BIOS or UEFI, and switches itself off', () => {
    expect(report.nodes.flatMap(({ boots }) => boots.flatMap(({ failure }) => failure ?? []))).toEqual([]);
    expect(report.nodes.map((one) => [one.node, one.group, one.firmware, one.result])).toEqual([
      ['n1', 'compute', 'bios', 'pass'],
      ['n2', 'compute', 'bios', 'pass'],
      ['s1', 'storage', 'uefi', 'pass'],
      ['s2', 'storage', 'bios', 'pass'],
    ]);
    for (const { boots } of report.nodes) {
      expect(reached(boots[0])).toEqual(
        expect.arrayContaining(['firmware-dhcp', 'tftp-loader', 'tftp-kernel', 'tftp-initrd', 'power-off']),
      );
    }
    expect(report.result).toBe('pass');
  });

  it('each has the layers, keys and machine-id that are its own, and no other', () => {
    for (const { node: name, group, boots } of report.nodes) {
      const [boot] = boots;
      expect(detail(boot, 'hostname')).toBe(name);
      expect(detail(boot, 'layer-cluster')).toContain(`/layers/${group}/versions/`);
      expect(detail(boot, 'layer-host')).toContain(`/hosts/${name}/versions/`);
      expect(detail(boot, 'layer-base')).toContain(`/generations/${G1}/root`);
      expect(detail(boot, 'ssh-host-keys')).toMatch(/its own, 0600: .*ssh_host_ed25519_key/);
      expect(detail(boot, 'others-refused')).toMatch(/refused by NFS v3 and v4\.1$/);
    }
    const ids = report.nodes.map(({ boots }) => detail(boots[0], 'machine-id'));
    expect(new Set(ids).size).toBe(4);
  });

  it('a deletion that an overlay declares hides the file of the base, on its group alone', () => {
    expect(detail(node(report, 'n1').boots[0], 'whiteouts')).toBe('hidden: /etc/issue.net');
    expect(detail(node(report, 's1').boots[0], 'whiteouts')).toBeUndefined();
  });

  it('what a group keeps over reboots is mounted from the server and gets there', () => {
    for (const name of ['n1', 'n2']) {
      const [boot] = node(report, name).boots;
      expect(detail(boot, 'persistent-var-spool-kept')).toContain(`/hosts/${name}/persistent/var/spool/kept`);
      expect(detail(boot, 'persistent-var-spool-kept-on-server')).toMatch(/what the node wrote/);
    }
    expect(detail(node(report, 's1').boots[0], 'persistent-var-spool-kept')).toBeUndefined();
  });

  it('says what it replaced in the lab, and leaves the state as it was', () => {
    expect(report.replaced.join('\n')).toMatch(/initramfs of compute: e1000, virtio_net added/);
    expect(report.replaced.join('\n')).toMatch(/boot files: console=ttyS0,115200 added/);
    expect(after).toEqual(before);
    for (const file of ['report.html', 'timeline.json', 'serve.log', 'dnsmasq.log', 'n1/console.log']) {
      expect(existsSync(join(cluster.directory, 'four', file)), file).toBe(true);
    }
  });
});

describe('a new generation and a new layer under running nodes', () => {
  let report: ClusterReport;
  let back: ClusterReport;
  let kept: string[];

  beforeAll(async () => {
    await cluster.generation('compute', G2, judgeRoot('trixie'), ['tg3']);
    writeFileSync(join(cluster.root('compute', G2), 'etc/generation'), `${G2}\n`);
    const mkroot = `'${process.execPath}' '${executable}'`;
    const where = `--site '${cluster.site}' --state '${cluster.state}'`;
    const during = [
      'set -e',
      `echo second >'${cluster.site}/overlays/cluster/etc/motd'`,
      `${mkroot} publish ${where}`,
      `${mkroot} gc --keep 1 --keep-days 0 ${where}`,
    ].join('\n');
    report = await qemuTest('publish', '--nodes', 'n1', '--write-state', '--during', during);
    kept = readdirSync(join(cluster.state, 'images/compute/generations'));
    await cluster.ok('rollback', 'compute');
    back = await qemuTest('rollback', '--nodes', 'n1');
  });

  it('disturb none of them, and each boots the new ones next', () => {
    expect(report.nodes.flatMap(({ boots }) => boots.flatMap(({ failure }) => failure ?? []))).toEqual([]);
    for (const { boots } of report.nodes) {
      expect(boots).toHaveLength(2);
      expect(detail(boots[0], 'layer-base')).toContain(G1);
      expect(detail(boots[0], 'undisturbed')).toMatch(/^its layers read the same \d+ times$/);
      expect(detail(boots[1], 'layer-base')).toContain(G2);
      expect(detail(boots[1], 'layer-cluster')).not.toBe(detail(boots[0], 'layer-cluster'));
      expect(detail(boots[1], 'machine-id')).toBe(detail(boots[0], 'machine-id'));
    }
  });

  it('what a node wrote before is there after its reboot', () => {
    const [, boot] = node(report, 'n1').boots;
    expect(detail(boot, 'persistent-var-spool-kept-on-server')).toBe(
      'the server has what the node wrote at 2 boots',
    );
  });

  it('gc keeps the generation that running nodes reported to have booted', () => {
    expect(kept).toEqual([G1, G2]);
    expect(cluster.read('booted/n1')).toMatch(/^hostname=n1$/m);
  });

  it('after a rollback the next boot is of the old generation again', () => {
    expect(node(back, 'n1').boots[0]?.failure).toBeUndefined();
    expect(detail(node(back, 'n1').boots[0], 'layer-base')).toContain(G1);
  });
});

describe('bad input', () => {
  it('is refused with a reason and an exit code before anything is started', async () => {
    const refused = async (...flags: readonly string[]) => {
      const { exitCode, stderr } = await cluster.mkroot('qemu-test', ...flags);
      return { exitCode, stderr: stderr.split('\n')[0] };
    };
    expect(await refused('--nodes', '5')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Cannot boot 5 nodes: 4 of all groups are published'),
    });
    expect(await refused('--nodes', 'n7')).toMatchObject({ exitCode: 4 });
    expect(await refused('--nodes', '2', 'compute')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nodes boot what is published for them'),
    });
  });
});
