import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootStages, parseStageLine } from '../../../src/netboot/boot-stages.js';
import { plainConsoleLine } from '../../../src/vm/console-text.js';
import { bootMilestones, DhcpLogReader, eventFromConsole } from '../../../src/vm/milestones.js';
import { Timeline } from '../../../src/vm/timeline.js';

const served = { loader: 'pxelinux.0', kernel: 'vmlinuz', lastInitrd: 'driver.img' };
const read = (line: string) => eventFromConsole(line, served, parseStageLine);

function recorded(name: string): string[] {
  return readFileSync(new URL(`./recorded/${name}`, import.meta.url), 'utf8').split('\n');
}

function timelineOf(lines: readonly string[]): Timeline {
  const timeline = new Timeline(bootMilestones(bootStages));
  lines.forEach((line, index) => {
    const event = read(line);
    if (event !== undefined) timeline.add(event, index);
  });
  return timeline;
}

describe('milestones of a recorded boot', () => {
  it('finds every one that the console shows, in the order of the boot', () => {
    const timeline = timelineOf(recorded('console-trixie.log'));
    const expected = bootMilestones(bootStages)
      .map(({ id }) => id)
      .filter((id) => id !== 'init-75-persistent') // recorded before there was one
      .filter((id) => id !== 'self-check'); // comes over the second serial port
    expect(timeline.reached.map(({ id }) => id)).toEqual(expected);
    const times = timeline.reached.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(timeline.failure).toBeUndefined();
  });

  it('names what comes next when the console ends anywhere', () => {
    const lines = recorded('console-trixie.log');
    const upTo = (text: string) =>
      timelineOf(lines.slice(0, lines.findIndex((line) => line.includes(text)) + 1));
    expect(upTo('Linux version').missing?.id).toBe('init-10-start');
    expect(upTo('[40] dhcp').missing?.id).toBe('init-50-base');
    expect(upTo('[90] switch-root').missing?.id).toBe('init');
    expect(timelineOf([]).missing?.id).toBe('firmware-dhcp');
  });

  it('reads lease and transfers from dnsmasq, a last block closed by PXELINUX too', () => {
    const reader = new DhcpLogReader(served);
    const seen = recorded('dnsmasq.log').flatMap((line) => reader.read(line) ?? []);
    expect(seen.slice(0, 4)).toEqual([
      { kind: 'milestone', id: 'firmware-dhcp', detail: '10.77.0.199' },
      { kind: 'milestone', id: 'tftp-loader', detail: 'pxelinux.0' },
      { kind: 'milestone', id: 'tftp-kernel', detail: 'vmlinuz' },
      { kind: 'milestone', id: 'tftp-initrd', detail: 'driver.img' },
    ]);
  });

  it('does not take a transfer that broke off for a whole one', () => {
    const reader = new DhcpLogReader(served);
    expect(reader.read('dnsmasq-tftp[1]: failed sending /t/vmlinuz to 10.77.0.199')).toBeUndefined();
  });
});

describe('a boot that gives up', () => {
  it.each([
    [
      '[    3.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
      'Kernel panic',
    ],
    [
      'mkroot: FAILED [50] base: 10.77.0.1 No route to host; next: reboot in 1 s',
      '/init: base: 10.77.0.1 No',
    ],
    [
      'mkroot: FAILED [40] dhcp: - no device; next: nothing (panic=0), the machine stays like this',
      '/init: dhcp',
    ],
    ['You are in emergency mode. After logging in, type "journalctl -xb"', 'You are in emergency mode'],
    ['No bootable device.', 'No bootable device'],
    ['Loading vmlinuz... failed: No such file or directory', 'failed: No such file'],
    ['Booting kernel failed: Invalid argument', 'Booting kernel failed'],
  ])('is known by %j', (line, reason) => {
    const event = read(line);
    expect(event?.kind).toBe('failure');
    expect(event?.kind === 'failure' && event.detail).toContain(reason);
  });

  it('is not seen where /init goes on trying, but what it says is kept until the next milestone', () => {
    const complaint = 'mkroot: FAILED [40] dhcp: DHCP no answer on eth0 for 12 s; next: asking again';
    const timeline = timelineOf([complaint]);
    expect(timeline.failure).toBeUndefined();
    expect(timeline.trouble).toBe('/init: dhcp: DHCP no answer on eth0 for 12 s');
    expect(timelineOf([complaint, 'mkroot: [40] dhcp: eth0 10.77.0.100']).trouble).toBeUndefined();
  });
});

describe('console text', () => {
  it('loses escape sequences and what backspaces take away', () => {
    expect(plainConsoleLine('\u001b[0;32m  OK  \u001b[0m Reached\r')).toBe('  OK   Reached');
    expect(plainConsoleLine('Press\b\b\b\b\bok\r\n'.trimEnd())).toBe('ok');
  });

  it('never throws and never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        expect(plainConsoleLine(line)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
        read(line);
        new DhcpLogReader(served).read(line);
      }),
    );
  });
});

describe('the boot loaders of a published tree', () => {
  const ipxe = { loader: 'boot.ipxe', kernel: 'vmlinuz', lastInitrd: 'initrd.img' };
  const readIpxe = (line: string) => eventFromConsole(line, ipxe, parseStageLine);

  it('are heard on the console: iPXE, which takes its percents back, and UEFI before it', () => {
    expect(
      [
        '  Station IP address is 10.1.2.1\r',
        'tftp://10.1.0.1/ipxe/boot.ipxe... ok\r',
        'tftp://10.1.0.1/images/c/1/vmlinuz... 76%\b\b\b\b    \b\b\b\b ok\r',
        'http://10.1.0.1:8080/images/c/1/initrd.img... ok\r',
      ].map(readIpxe),
    ).toEqual([
      { kind: 'milestone', id: 'firmware-dhcp', detail: '10.1.2.1' },
      { kind: 'milestone', id: 'tftp-loader', detail: 'boot.ipxe' },
      { kind: 'milestone', id: 'tftp-kernel', detail: 'vmlinuz' },
      { kind: 'milestone', id: 'tftp-initrd', detail: 'initrd.img' },
    ]);
  });

  it('are not taken for through with a file while it is still on the way', () => {
    expect(readIpxe('tftp://10.1.0.1/images/c/1/vmlinuz... 76%')).toBeUndefined();
    expect(readIpxe('tftp://10.1.0.1/images/c/1/vmlinuz... Connection timed out')).toBeUndefined();
  });
});
