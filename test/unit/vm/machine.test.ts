import { describe, expect, it } from 'vitest';
import {
  acceleratorsToTry,
  FIRMWARE_SILENCE_MS,
  KERNEL_SILENCE_MS,
  silenceOf,
} from '../../../src/vm/accelerator.js';
import { canUseKvm, machineTypeFor } from '../../../src/vm/machine-types.js';
import { type Machine, qemuArgv } from '../../../src/vm/qemu-argv.js';

const machine: Machine = {
  type: machineTypeFor('amd64'),
  accelerator: 'tcg',
  nic: 'e1000',
  mac: '52:54:00:77:00:01',
  network: { kind: 'tap', device: 'tap0' },
  memory: 1024,
  cpus: 2,
  secondSerial: '/tmp/a,b/self-check.log',
};

describe('qemuArgv', () => {
  it('boots from the NIC, never twice, with the console on standard output', () => {
    const words = qemuArgv(machine).join(' ');
    for (const part of [
      '-boot n',
      '-no-reboot',
      '-serial stdio',
      '-device e1000,netdev=boot,mac=52:54:00:77:00:01',
    ]) {
      expect(words).toContain(part);
    }
  });

  it('may start with a clock that is wrong', () => {
    expect(qemuArgv({ ...machine, clock: '2000-01-01' }).join(' ')).toContain('-rtc base=2000-01-01');
    expect(qemuArgv(machine)).not.toContain('-rtc');
  });

  it('has its disks in their order', () => {
    const words = qemuArgv({ ...machine, disks: ['/kept/before.disk', '/kept/top.ext4'] }).join(' ');
    expect(words.match(/file=\S+,id=\w+|virtio-blk-pci,drive=\w+/g)).toEqual([
      'file=/kept/before.disk,format=raw,if=none,id=disk0',
      'virtio-blk-pci,drive=disk0',
      'file=/kept/top.ext4,format=raw,if=none,id=disk1',
      'virtio-blk-pci,drive=disk1',
    ]);
    expect(qemuArgv(machine).join(' ')).not.toContain('virtio-blk');
  });

  it('writes a comma in a path twice', () => {
    expect(qemuArgv(machine)).toContain('file,id=check,path=/tmp/a,,b/self-check.log');
  });

  it('has the firmware as flash with UEFI, no ROM on its card, and no PXE where it is to boot over HTTP', () => {
    const uefi = { code: '/ovmf/code.fd', variables: '/lab/variables.fd' };
    const argv = qemuArgv({ ...machine, nic: 'virtio_net', uefi });
    for (const part of [
      'if=pflash,unit=0,format=raw,readonly=on,file=/ovmf/code.fd',
      'if=pflash,unit=1,format=raw,file=/lab/variables.fd',
      'virtio-net-pci,netdev=boot,mac=52:54:00:77:00:01,romfile=,bootindex=1',
    ]) {
      expect(argv).toContain(part);
    }
    expect(argv).not.toContain('-boot');
    expect(argv).not.toContain('-fw_cfg');
    const http = qemuArgv({ ...machine, nic: 'virtio_net', uefi, uefiHttpBoot: true });
    expect(http).toContain('name=opt/org.tianocore/IPv4PXESupport,string=n');
    expect(http).toContain('name=opt/org.tianocore/IPv6PXESupport,string=n');
  });

  it('serves DHCP and TFTP itself without a lab', () => {
    const network = { kind: 'user', tftpRoot: '/t', bootFile: 'pxelinux.0', hostname: 'n' } as const;
    expect(qemuArgv({ ...machine, network })).toContain(
      'user,id=boot,hostname=n,tftp=/t,bootfile=pxelinux.0',
    );
  });
});

describe('a machine at a tagged port', () => {
  it('is plugged into the switch, whose untagged port QEMU joins to the tap', () => {
    const network = { kind: 'tagged', device: 'tap0', untaggedPort: 7701, taggedPort: 7702 } as const;
    const argv = qemuArgv({ ...machine, network });
    expect(argv.filter((_, index) => argv[index - 1] === '-netdev')).toEqual([
      'tap,id=wire,ifname=tap0,script=no,downscript=no',
      'socket,id=untagged,connect=127.0.0.1:7701',
      'hubport,id=hub-wire,hubid=1,netdev=wire',
      'hubport,id=hub-untagged,hubid=1,netdev=untagged',
      'socket,id=boot,connect=127.0.0.1:7702',
    ]);
    expect(argv).toContain('e1000,netdev=boot,mac=52:54:00:77:00:01');
  });
});

describe('a machine of a scenario', () => {
  const several = qemuArgv({
    ...machine,
    monitor: true,
    otherNics: [
      { mac: '52:54:00:77:01:01', tap: 'other1', slot: 'before' },
      { mac: '52:54:00:77:01:03', tap: 'other3', slot: 'behind' },
    ],
  });

  it('has its boot NIC in the slot that was asked for, and boots from that one', () => {
    const devices = several.filter((word) => word.startsWith('e1000,'));
    expect(devices.map((word) => /netdev=(\w+)/.exec(word)?.[1])).toEqual(['other1', 'boot', 'other3']);
    expect(devices.map((word) => word.includes('bootindex=1'))).toEqual([false, true, false]);
  });

  it('has its monitor on standard input beside the console', () => {
    expect(several.join(' ')).toContain('-serial mon:stdio');
  });

  it('may be given its kernel by QEMU, without firmware', () => {
    const direct = { kernel: '/k', initrd: '/i', commandLine: 'console=ttyS0 a=b' };
    const argv = qemuArgv({ ...machine, direct });
    expect(argv.slice(-6)).toEqual(['-kernel', '/k', '-initrd', '/i', '-append', 'console=ttyS0 a=b']);
    expect(argv).not.toContain('-boot');
  });
});

describe('the machine of an architecture', () => {
  it('is one PC for amd64 and i386: an emulator of 64-bit processors runs both kernels', () => {
    expect(machineTypeFor('i386')).toBe(machineTypeFor('amd64'));
    expect(qemuArgv(machine).slice(0, 3)).toEqual(['qemu-system-x86_64', '-machine', 'q35,graphics=off']);
  });

  it('is a board for arm64, into which QEMU loads the kernel, with a second serial port on a card', () => {
    const direct = { kernel: '/vmlinuz', initrd: '/initrd.img', commandLine: 'console=ttyAMA0' };
    const argv = qemuArgv({ ...machine, type: machineTypeFor('arm64'), nic: 'virtio_net', direct });
    expect(argv[0]).toBe('qemu-system-aarch64');
    const words = argv.join(' ');
    for (const part of [
      '-machine virt',
      '-cpu cortex-a57',
      '-device pci-serial,chardev=check',
      '-device virtio-net-pci,netdev=boot',
      '-kernel /vmlinuz -initrd /initrd.img -append console=ttyAMA0',
    ]) {
      expect(words).toContain(part);
    }
    expect(words).not.toContain('-boot n');
  });

  it('is none where nobody has seen one boot, and the error names those that there are', () => {
    expect(() => machineTypeFor('s390x')).toThrow(
      expect.objectContaining({ hint: 'Boot tests are there for amd64, i386, arm64.' }),
    );
  });

  it('runs under KVM on a processor of its own kind only', () => {
    expect(canUseKvm('i386', 'amd64')).toBe(true);
    expect(canUseKvm('arm64', 'amd64')).toBe(false);
    expect(canUseKvm('amd64', 'i386')).toBe(false);
  });
});

describe('the choice of accelerator', () => {
  it('tries KVM first only where it is, and never more than was asked for', () => {
    expect(acceleratorsToTry('auto', true)).toEqual(['kvm', 'tcg']);
    expect(acceleratorsToTry('auto', false)).toEqual(['tcg']);
    expect(acceleratorsToTry('kvm', false)).toEqual(['kvm']);
  });

  const quiet = { firmwareAtMs: 3_000, initrdAtMs: 5_000, kernelAtMs: undefined };

  it('gives up a kernel that is silent after it was loaded', () => {
    expect(silenceOf({ ...quiet, nowMs: 5_000 + KERNEL_SILENCE_MS })).toBeUndefined();
    expect(silenceOf({ ...quiet, nowMs: 5_001 + KERNEL_SILENCE_MS })).toMatch(/kernel printed nothing/);
    expect(silenceOf({ ...quiet, kernelAtMs: 6_000, nowMs: 900_000 })).toBeUndefined();
  });

  it('gives up a firmware that asks for no address, but not a slow transfer', () => {
    const nothing = { firmwareAtMs: undefined, initrdAtMs: undefined, kernelAtMs: undefined };
    expect(silenceOf({ ...nothing, nowMs: FIRMWARE_SILENCE_MS + 1 })).toMatch(/firmware/);
    expect(silenceOf({ ...nothing, firmwareAtMs: 3_000, nowMs: 90_000 })).toBeUndefined();
  });
});
