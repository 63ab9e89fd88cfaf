import { describe, expect, it } from 'vitest';
import type { BootReport } from '../../../src/vm/boot-report.js';
import { clusterNetworkBatch, tapName } from '../../../src/vm/cluster-network.js';
import type { ClusterReport } from '../../../src/vm/cluster-report.js';
import { clusterReportHtml } from '../../../src/vm/cluster-report-html.js';
import { clusterSummary } from '../../../src/vm/cluster-summary.js';
import { machineTypeFor } from '../../../src/vm/machine-types.js';
import { qemuArgv } from '../../../src/vm/qemu-argv.js';
import { findOvmf, OVMF_FILES } from '../../../src/vm/uefi.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const file = { path: '/state/vmlinuz', size: 1, sha256: '00' };

const boot: BootReport = {
  result: 'pass',
  image: 'compute 20261101T000000Z-11111111',
  startedAt: '2026-11-20T08:00:00.000Z',
  network: 'lab',
  accelerator: 'tcg',
  root: '/state/root',
  kernel: file,
  initrd: file,
  milestones: [
    { id: 'power-on', title: 'power-on', phase: 'firmware', atMs: 0, detail: '' },
    { id: 'kernel', title: 'kernel starts', phase: 'kernel', atMs: 12_300, detail: '' },
  ],
  checks: [{ name: 'hostname', passed: true, detail: 'n1' }],
  endedMs: 45_600,
  notTested: [],
};

const failed: BootReport = {
  ...boot,
  result: 'fail',
  checks: [{ name: 'hostname', passed: false, detail: 'node-52540000 <expected> s1' }],
  failure: { reason: 'check hostname: node-52540000 <expected> s1', console: ['the <last> line'] },
};

const report: ClusterReport = {
  result: 'fail',
  startedAt: '2026-11-20T08:00:00.000Z',
  nodes: [
    {
      node: 'n1',
      group: 'compute',
      address: '10.1.1.1',
      firmware: 'bios',
      result: 'pass',
      boots: [boot, boot],
    },
    { node: 's1', group: 'storage', address: '10.1.2.1', firmware: 'uefi', result: 'fail', boots: [failed] },
  ],
  during: ['mkroot publish'],
  replaced: ['host layers: copies of them'],
  logs: '/report',
};

describe('a report of several nodes', () => {
  it('ends with a line per boot and how many nodes pass', () => {
    const lines = clusterSummary(report);
    expect(lines.at(-1)).toBe('FAIL  1 of 2 nodes');
    expect(lines).toContain(
      'n1, boot 2  compute  10.1.1.1  bios      compute 20261101T000000Z-11111111  12.3 s  -           45.6 s  1 of 1  pass',
    );
    expect(lines.filter((line) => /^(n1|s1).*(pass|fail)$/.test(line))).toHaveLength(3);
  });

  it('leaves out of its table what a narrow terminal has no room for, the image last', () => {
    const rows = (columns: number) => {
      const lines = clusterSummary(report, columns);
      return lines.slice(
        lines.findIndex((line) => line.startsWith('node ')),
        -2,
      );
    };
    for (const columns of [60, 80, 100, 120]) {
      const longest = Math.max(...rows(columns).map((line) => line.length));
      expect([columns, longest <= columns]).toEqual([columns, true]);
      expect(rows(columns)).toHaveLength(4);
    }
    expect(rows(120)[0]).toMatch(/^node +group +address +firmware +image +kernel +multi-user +end +checks$/);
    expect(rows(100)[0]).toMatch(/^node +group +image +kernel +multi-user +end +checks$/);
    expect(rows(60)[0]).toMatch(/^node +kernel +multi-user +end +checks$/);
    expect(rows(60)[3]).toMatch(/^s1 .* fail$/);
  });

  it('says what failed on which node, with its console', () => {
    const text = clusterSummary(report).join('\n');
    expect(text).toContain(
      's1 failed\nLast lines of the serial console:\n  | the <last> line\n\nFailed: check hostname',
    );
    expect(text).not.toContain('n1, boot 1 failed');
  });

  it('as a page has one timeline per boot, and escapes what nodes say', () => {
    const page = clusterReportHtml(report);
    expect(page.match(/<svg/g)).toHaveLength(3);
    expect(page).toContain('the &lt;last&gt; line');
    expect(page).not.toContain('<expected>');
    expect(page).toContain('<a href="#s1">s1</a>');
  });
});

describe('the network of several nodes', () => {
  it('has one bridge with the head node’s addresses, a tap per node, and further devices that servers are configured for', () => {
    const lines = clusterNetworkBatch({
      devices: ['eno1', 'eno2'],
      addresses: ['10.1.0.1/16', '10.2.0.1/16'],
      taps: [tapName(0), tapName(1)],
    }).split('\n');
    for (const line of [
      'address add 10.1.0.1/16 dev eno1',
      'address add 10.2.0.1/16 dev eno1',
      'link add eno2 type bridge forward_delay 0 mcast_snooping 0',
      'link set node1 master eno1 up',
      'link set node2 master eno1 up',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines).not.toContain('link set node3 master eno1 up');
  });

  it('names taps so that the kernel takes them', () => {
    expect(tapName(9_999)).toHaveLength(9);
  });
});

describe('a machine with UEFI', () => {
  const [debian] = OVMF_FILES;

  it('has firmware and variables in flash, and a virtio card that the firmware drives itself', () => {
    const argv = qemuArgv({
      type: machineTypeFor('amd64'),
      accelerator: 'tcg',
      nic: 'virtio_net',
      mac: '52:54:00:77:00:01',
      network: { kind: 'tap', device: 'node1' },
      memory: 1024,
      cpus: 1,
      secondSerial: '/self-check.log',
      uefi: { code: '/code.fd', variables: '/a,b.fd' },
    });
    expect(argv).toContain('if=pflash,unit=0,format=raw,readonly=on,file=/code.fd');
    expect(argv).toContain('if=pflash,unit=1,format=raw,file=/a,,b.fd');
    expect(argv).toContain('virtio-net-pci,netdev=boot,mac=52:54:00:77:00:01,romfile=,bootindex=1');
    expect(argv).not.toContain('-boot');
  });

  it('needs both files of OVMF, and the error names the package', () => {
    const files = (paths: readonly string[]) =>
      memoryFileSystem(Object.fromEntries(paths.map((path) => [path, 'x'])));
    expect(findOvmf(files([debian!.code, debian!.variables]))).toEqual(debian);
    expect(() => findOvmf(files([debian!.code]))).toThrow(
      expect.objectContaining({ exitCode: 5, hint: expect.stringContaining('ovmf (Debian)') }),
    );
  });
});
