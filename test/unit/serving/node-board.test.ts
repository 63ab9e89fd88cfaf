import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DhcpLog, type DhcpLogEvent } from '../../../src/serving/dhcp-log.js';
import { type KnownNode, NodeBoard } from '../../../src/serving/node-board.js';
import type { NodeReport } from '../../../src/serving/node-report.js';

const NODES: readonly KnownNode[] = ['1', '2'].map((digit) => ({
  name: `n${digit}`,
  group: 'compute',
  address: `10.1.1.${digit}`,
  mac: `52:54:00:00:00:0${digit}`,
  image: 'compute',
  generation: 'g2',
}));

const REPORT: NodeReport = {
  boot: 'b1',
  node: 'n1',
  mac: '52:54:00:00:00:01',
  ip: '10.1.1.1',
  image: 'compute',
  generation: 'g1',
  firmware: 'uefi',
  uptime: 10,
  state: 'ok',
  stage: { number: 50, name: 'base' },
  detail: '10.1.0.1:/b NFS v3',
  base: 'b',
  layers: '',
};

function board(): { board: NodeBoard; tick: () => void } {
  let seconds = 0;
  const made = new NodeBoard(NODES, () => new Date(Date.UTC(2026, 10, 20, 0, 0, seconds)));
  return { board: made, tick: () => (seconds += 1) };
}

const at = (seconds: number) => `2026-11-20T00:00:${String(seconds).padStart(2, '0')}.000Z`;

describe("dnsmasq's log", () => {
  const events = (lines: readonly string[]): DhcpLogEvent[] => {
    const log = new DhcpLog();
    return lines.flatMap((line) => log.read(line) ?? []);
  };

  it('tells leases, with the firmware that asked, and whole files', () => {
    expect(
      events([
        'dnsmasq-dhcp[26]: 3420492592 vendor class: PXEClient:Arch:00007:UNDI:003016',
        'dnsmasq-dhcp[26]: 3420492592 DHCPDISCOVER(br0) 52:54:00:00:00:01 ',
        'dnsmasq-dhcp[26]: 3420492592 DHCPOFFER(br0) 10.1.1.1 52:54:00:00:00:01 ',
        'dnsmasq-dhcp[26]: 3420492592 DHCPACK(br0) 10.1.1.1 52:54:00:00:00:01 n1',
        'dnsmasq-dhcp[26]: 5 vendor class: PXEClient:Arch:00000:UNDI:002001',
        'dnsmasq-dhcp[26]: 5 DHCPACK(br0) 10.1.200.7 52:54:00:00:00:99 ',
        'dnsmasq-dhcp[26]: 106690576 vendor class: udhcp 1.35.0',
        'dnsmasq-dhcp[26]: 106690576 DHCPACK(br0) 10.1.1.1 52:54:00:00:00:01 n1',
        'dnsmasq-tftp[26]: sent /state/netboot/tftp/a b/vmlinuz to 10.1.1.1',
        'dnsmasq-tftp[26]: file /state/netboot/tftp/nix not found for 10.1.1.1',
        'dnsmasq-tftp[26]: failed sending /t/lost to 10.1.1.1',
        'dnsmasq-tftp[23]: error 0 No error, file close received from 10.1.1.1',
        'dnsmasq-tftp[23]: failed sending /t/initrd.img to 10.1.1.1',
      ]),
    ).toEqual([
      { kind: 'lease', mac: '52:54:00:00:00:01', ip: '10.1.1.1', firmware: 'uefi' },
      { kind: 'lease', mac: '52:54:00:00:00:99', ip: '10.1.200.7', firmware: 'bios' },
      { kind: 'lease', mac: '52:54:00:00:00:01', ip: '10.1.1.1' },
      { kind: 'file', ip: '10.1.1.1', path: '/state/netboot/tftp/a b/vmlinuz' },
      { kind: 'file', ip: '10.1.1.1', path: '/t/initrd.img' },
    ]);
  });

  it('never makes the reader fail', () => {
    const word = fc.constantFrom(
      'DHCPACK(br0) ',
      'vendor class: PXEClient:Arch:',
      '1.2.3.4 ',
      'sent ',
      ' to ',
      ': 12 ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (parts) => {
        new DhcpLog().read(parts.join(''));
      }),
    );
  });
});

describe('the board of nodes', () => {
  it('follows a boot from the firmware to up, and back to the firmware', () => {
    const { board: nodes, tick } = board();
    expect(nodes.nodes.map(({ state }) => state.phase)).toEqual(['unseen', 'unseen']);
    const phases: unknown[] = [];
    const note = (news: unknown) => {
      phases.push(news);
      tick();
    };
    const lease = { kind: 'lease', mac: '52:54:00:00:00:01', ip: '10.1.1.1' } as const;
    note(nodes.dhcp({ ...lease, firmware: 'bios' }));
    note(nodes.dhcp({ kind: 'file', ip: '10.1.1.1', path: '/s/tftp/pxelinux.0' }));
    note(nodes.dhcp({ kind: 'file', ip: '10.1.1.1', path: '/s/netboot/tftp/images/compute/g1/vmlinuz' }));
    note(nodes.fetched('10.1.1.1', '/images/compute/g1/initrd.img', 'HTTP'));
    note(nodes.dhcp(lease));
    note(nodes.report(REPORT, '10.1.1.1')?.news);
    note(nodes.report({ ...REPORT, state: 'up', uptime: 30 }, '10.1.1.1')?.news);
    note(nodes.dhcp({ ...lease, firmware: 'bios' }));
    expect(phases).toMatchObject([
      { phase: 'firmware', firmware: 'bios', lease: '10.1.1.1', since: at(0) },
      { phase: 'loader', detail: 'pxelinux.0', since: at(1) },
      { phase: 'kernel', kernel: 'TFTP', detail: 'compute/g1', since: at(2) },
      undefined,
      undefined,
      {
        phase: 'init',
        stage: { number: 50 },
        booted: { image: 'compute', generation: 'g1' },
        since: at(5),
      },
      { phase: 'up', since: at(6) },
      { phase: 'firmware', since: at(7) },
    ]);
    expect(phases.at(-1)).not.toHaveProperty('kernel');
    expect(phases.at(-1)).not.toHaveProperty('stage');
  });

  it('tells a failure that ends the boot from one after which it goes on, and forgets it when it is over', () => {
    const { board: nodes } = board();
    const phase = (change: Partial<NodeReport>) =>
      nodes.report({ ...REPORT, ...change }, '10.1.1.1')?.news?.phase;
    expect(phase({ state: 'failed', detail: 'x refused; next: attempt 2 of 8', uptime: 11 })).toBe('trouble');
    expect(phase({ state: 'failed', detail: 'x refused; next: reboot in 30 s', uptime: 12 })).toBe('failed');
    expect(phase({ boot: 'b2', uptime: 5 })).toBe('init');
  });

  it('takes a report that comes late for old, and one of another boot for new', () => {
    const { board: nodes } = board();
    nodes.report({ ...REPORT, state: 'up', uptime: 30 }, '10.1.1.1');
    expect(nodes.report({ ...REPORT, uptime: 29 }, '10.1.1.1')).toMatchObject({ news: undefined });
    expect(nodes.report({ ...REPORT, boot: 'b2', uptime: 3 }, '10.1.1.1')?.news?.phase).toBe('init');
  });

  it('remembers so many strangers and no more, and none of them as a node', () => {
    const { board: nodes } = board();
    for (let count = 0; count < 1000; count += 1) {
      const mac = `02:00:00:00:${(count >> 8).toString(16).padStart(2, '0')}:${(count & 255).toString(16).padStart(2, '0')}`;
      expect(nodes.report({ ...REPORT, node: 'x', mac }, '10.1.9.9')).toBeUndefined();
    }
    nodes.dhcp({ kind: 'lease', mac: '02:00:00:00:03:e7', ip: '10.1.200.1', firmware: 'bios' });
    expect(nodes.unknown).toHaveLength(64);
    expect(nodes.unknown.at(-1)).toMatchObject({
      mac: '02:00:00:00:03:e7',
      ip: '10.1.200.1',
      firmware: 'bios',
    });
    expect(nodes.nodes.every(({ state }) => state.phase === 'unseen')).toBe(true);
  });

  it('knows a node that has lost its name by its MAC, and new nodes after a publish', () => {
    const { board: nodes } = board();
    expect(nodes.report({ ...REPORT, node: 'node-525400000001' }, '10.1.1.1')?.known.name).toBe('n1');
    nodes.setNodes([...NODES.slice(1), { ...NODES[0]!, name: 'n9' }]);
    expect(nodes.nodes.map(({ known }) => known.name)).toEqual(['n2', 'n9']);
  });
});
