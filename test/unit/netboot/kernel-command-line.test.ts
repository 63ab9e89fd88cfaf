import { describe, expect, it } from 'vitest';
import { MkrootError } from '../../../src/errors.js';
import { bootMenu } from '../../../src/netboot/boot-menu.js';
import {
  type ImageLocation,
  macBytes,
  renderKernelCommandLine,
  renderNfsLocation,
  type WritableTopPlace,
} from '../../../src/netboot/kernel-command-line.js';

describe('the kernel command line', () => {
  it('has every parameter in one fixed order', () => {
    expect(
      renderKernelCommandLine({
        extra: ['systemd.log_level=debug'],
        quiet: true,
        panic: 10,
        bootMac: '52:54:00:AA:BB:0C',
        hostname: 'n001.cluster.example',
        top: { size: '50%', inodes: '1m' },
        nfsOptions: 'nconnect=4',
        nfsVersion: '4.2',
        roots: { path: '/srv/roots' },
        host: { path: '/srv/hosts/%h' },
        cluster: [{ path: '/srv/c1' }, { server: 'head', path: '/srv/c2' }],
        base: { server: '10.77.0.1', path: '/srv/roots/compute/1', options: 'timeo=50' },
        consoles: ['tty0', 'ttyS0,115200'],
      }),
    ).toBe(
      'console=tty0 console=ttyS0,115200 mkroot.base=10.77.0.1:/srv/roots/compute/1,timeo=50 mkroot.cluster=/srv/c1 ' +
        'mkroot.cluster=head:/srv/c2 mkroot.host=/srv/hosts/%h mkroot.roots=/srv/roots mkroot.nfsvers=4.2 ' +
        'mkroot.nfsopts=nconnect=4 mkroot.rw=tmpfs:size=50%,nr_inodes=1m mkroot.hostname=n001.cluster.example ' +
        'BOOTIF=01-52-54-00-aa-bb-0c panic=10 quiet systemd.log_level=debug',
    );
    expect(renderKernelCommandLine({})).toBe('');
  });

  it('writes a static address as the kernel reads ip=', () => {
    const ip = {
      address: '10.0.0.9',
      netmask: '255.255.255.0',
      gateway: '10.0.0.1',
      hostname: 'n9',
      device: 'eth1',
      dns: ['10.0.0.2'],
    };
    expect(renderKernelCommandLine({ ip })).toBe('ip=10.0.0.9::10.0.0.1:255.255.255.0:n9:eth1:none:10.0.0.2');
    expect(renderKernelCommandLine({ ip: { address: '10.0.0.9', netmask: '255.255.255.0' } })).toBe(
      'ip=10.0.0.9:::255.255.255.0:::none',
    );
    expect(renderKernelCommandLine({ ip: 'dhcp' })).toBe('ip=dhcp');
  });

  it("writes MTU and VLAN of the node's network as dracut has them", () => {
    expect(renderKernelCommandLine({ mtu: 9000, vlan: 5 })).toBe('ip=::::::dhcp:9000 vlan=vlan5');
    const ip = { address: '10.0.0.9', netmask: '255.255.255.0' };
    expect(renderKernelCommandLine({ mtu: 9000, ip })).toBe('ip=10.0.0.9:::255.255.255.0:::none:9000');
    expect(() => renderKernelCommandLine({ mtu: 9000, ip: { ...ip, dns: ['10.0.0.1'] } })).toThrow(
      /one place/,
    );
    expect(() => renderKernelCommandLine({ vlan: 4095 })).toThrow(/VLAN "4095"/);
  });

  it('writes servers that share the work, a base in one file, and tops that last', () => {
    const image = { sha256: 'ab'.repeat(32), size: 7 };
    const path = '/images/c/G/root.squashfs';
    const word = (base: ImageLocation) => renderKernelCommandLine({ base });
    expect(word({ server: '10.0.0.1+nfs2', path, image })).toBe(`mkroot.base=10.0.0.1+nfs2:${path}`);
    const check = `,sha256=${image.sha256},size=7`;
    expect(word({ server: '10.0.0.1', path, image, httpPort: 80 })).toBe(
      `mkroot.base=http://10.0.0.1${path}${check}`,
    );
    expect(word({ server: '10.0.0.1+h', path, image, httpPort: 8080 })).toBe(
      `mkroot.base=http://10.0.0.1+h:8080${path}${check}`,
    );
    expect(() => word({ path, image, httpPort: 80 })).toThrow('HTTP needs a server');
    expect(() => word({ server: 'a+$(x)', path, image })).toThrow('Cannot put host name "$(x)"');
    const wrong = { sha256: 'AB', size: 7 };
    expect(() => word({ server: 'a', path, image: wrong, httpPort: 80 })).toThrow('Cannot put sha256 "AB"');
    const top = (place: WritableTopPlace) => renderKernelCommandLine({ top: place });
    expect(top({ label: 'scratch' })).toBe('mkroot.rw=disk:scratch');
    expect(top({ image: { server: '10.0.0.1', path: '/t/top.ext4' } })).toBe(
      'mkroot.rw=image:10.0.0.1:/t/top.ext4',
    );
    expect(() => top({ label: 'a b' })).toThrow('Cannot put label "a b"');
  });

  it('in a boot menu leaves room for what boot loaders add, or the kernel would cut off its end', () => {
    const commandLine = (length: number) => {
      const menu = bootMenu({
        image: {
          name: 'c',
          generation: 'g',
          kernel: 'images/compute/20261120T064707Z-eec447e3/vmlinuz',
          initrds: ['images/compute/20261120T064707Z-eec447e3/initrd.img'],
        },
        parameters: { extra: ['x'.repeat(length - 'mkroot.image=c mkroot.generation=g '.length)] },
      });
      return menu.entries[0]?.kind === 'image' ? menu.entries[0].commandLine.length : 0;
    };
    expect(commandLine(1800)).toBe(1800);
    // What PXELINUX was seen to make of it: BOOT_IMAGE=KERNEL in front, initrd=FILES and BOOTIF=01-MAC behind.
    expect(() => commandLine(1900)).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining('transport: { pointers: true } in nodes.yaml'),
      }),
    );
    expect(() => commandLine(1900)).toThrow(/it has 1900 bytes, 18\d\d fit beside what boot loaders add$/);
  });

  it('writes the local disk that is partitioned, and its consent', () => {
    expect(
      renderKernelCommandLine({
        disk: { device: 'sda', swap: '8g', scratch: 'scratch', consent: 'yes-wipe-sda' },
      }),
    ).toBe('mkroot.disk=sda,swap=8g,scratch=scratch,consent=yes-wipe-sda');
    expect(renderKernelCommandLine({ disk: { device: 'nvme0n1', swap: '512M' } })).toBe(
      'mkroot.disk=nvme0n1,swap=512M',
    );
  });

  it.each([
    ['a disk that is a path', { disk: { device: '/dev/sda', swap: '1g' } }, 'Cannot put disk "/dev/sda"'],
    ['a consent to anything', { disk: { device: 'sda', swap: '1g', consent: 'yes' } }, 'Cannot put consent'],
    ['a path with a blank', { base: { path: '/a b' } }, 'Cannot put path "/a b"'],
    ['a relative path', { base: { path: 'srv' } }, 'Cannot put path "srv"'],
    ['a line end in a server', { base: { server: 'a\nb', path: '/' } }, 'Cannot put host name'],
    ['an image that is two words', { image: 'a b' }, 'Cannot put image "a b"'],
    ['a generation that is code', { generation: '$x' }, 'Cannot put generation "$x"'],
    ['a host name that is code', { hostname: '$(reboot)' }, 'Cannot put host name "$(reboot)"'],
    ['a host name of 65 letters', { hostname: 'a'.repeat(65) }, 'Cannot put host name'],
    ['options with a blank', { nfsOptions: 'rw exec' }, 'Cannot put mount options'],
    ['an argument of two words', { extra: ['a b'] }, 'Cannot put argument "a b"'],
    ['a console with a blank', { consoles: ['ttyS0 init=/bin/sh'] }, 'Cannot put console'],
    ['a size that is none', { top: { size: 'big' } }, 'Cannot put size "big"'],
    [
      'an address that is none',
      { ip: { address: '10.0.0.256', netmask: '255.0.0.0' } },
      'Cannot put address',
    ],
    ['more than the kernel takes', { extra: ['x'.repeat(2048)] }, 'it has 2048 bytes, 2047 fit'],
  ])('refuses %s', (_, parameters, message) => {
    expect(() => renderKernelCommandLine(parameters)).toThrow(MkrootError);
    expect(() => renderKernelCommandLine(parameters)).toThrow(message);
  });

  it('reads MAC addresses in both spellings and no others', () => {
    expect(macBytes('52-54-00-AA-BB-CC')).toEqual(['52', '54', '00', 'aa', 'bb', 'cc']);
    for (const mac of ['', '52:54:00:aa:bb', '52:54:00:aa:bb:cc:dd', '525400aabbcc', '52:54:00:aa:bb:gg']) {
      expect(() => macBytes(mac)).toThrow('it is not of the form aa:bb:cc:dd:ee:ff');
    }
    expect(renderNfsLocation({ path: '/r' })).toBe('/r');
  });
});
