import { describe, expect, it } from 'vitest';
import { type DnsmasqConfiguration, renderDnsmasq } from '../../../src/netboot/dnsmasq.js';
import { renderExport, renderExports } from '../../../src/netboot/exports.js';
import { renderGanesha } from '../../../src/netboot/ganesha.js';
import {
  pxelinuxDefaultPath,
  pxelinuxPathForAddress,
  pxelinuxPathForMac,
  renderPxelinux,
} from '../../../src/netboot/pxelinux.js';

describe('pxelinux', () => {
  const entry = {
    label: 'compute',
    kernel: 'compute/vmlinuz',
    initrds: ['compute/initrd.img', 'lab.cpio'],
    commandLine: 'console=ttyS0 mkroot.base=/r',
  };

  it('boots the default at once, serial line first, all initrds in order', () => {
    expect(renderPxelinux({ entries: [entry], serial: { port: 0, baud: 115200 } })).toBe(
      'SERIAL 0 115200\nDEFAULT compute\nPROMPT 0\n\nLABEL compute\n  KERNEL compute/vmlinuz\n' +
        '  INITRD compute/initrd.img,lab.cpio\n  APPEND console=ttyS0 mkroot.base=/r\n  IPAPPEND 2\n',
    );
  });

  it('asks when there is a time-out, and refuses what would become another directive', () => {
    const local = {
      label: 'memtest',
      kernel: 'memtest',
      initrds: [],
      commandLine: '',
      appendBootDevice: false,
    };
    expect(renderPxelinux({ entries: [entry, local], defaultLabel: 'memtest', timeout: 50 })).toContain(
      'DEFAULT memtest\nPROMPT 1\nTIMEOUT 50\n',
    );
    expect(() => renderPxelinux({ entries: [{ ...entry, commandLine: 'a\nKERNEL b' }] })).toThrow(
      'it has a line end',
    );
    expect(() => renderPxelinux({ entries: [{ ...entry, initrds: ['a,b'] }] })).toThrow(
      'INITRD separates its files by commas',
    );
    expect(() => renderPxelinux({ entries: [entry], defaultLabel: 'x' })).toThrow('there is no such label');
    expect(() => renderPxelinux({ entries: [] })).toThrow('there is nothing to boot');
  });

  it('looks for files by MAC, by hexadecimal address, then default', () => {
    expect(pxelinuxPathForMac('52:54:00:AA:BB:0C')).toBe('pxelinux.cfg/01-52-54-00-aa-bb-0c');
    expect(pxelinuxPathForAddress('10.77.0.254')).toBe('pxelinux.cfg/0A4D00FE');
    expect(pxelinuxDefaultPath).toBe('pxelinux.cfg/default');
    expect(() => pxelinuxPathForAddress('10.77.0')).toThrow('it is no IPv4 address');
  });
});

const lab: DnsmasqConfiguration = {
  interface: 'br0',
  rangeStart: '10.77.0.50',
  rangeEnd: '10.77.0.99',
  leaseTime: '1h',
  tftpRoot: '/srv/tftp',
  bootFiles: { bios: 'pxelinux.0' },
  leaseFile: '/run/leases',
  pidFile: '/run/pid',
};

describe('dnsmasq', () => {
  it('serves DHCP and TFTP on one interface, without DNS', () => {
    expect(renderDnsmasq(lab)).toBe(
      '# Written by mkroot.\nport=0\ninterface=br0\nbind-interfaces\ndhcp-range=10.77.0.50,10.77.0.99,1h\ndhcp-authoritative\n' +
        'enable-tftp\ntftp-root=/srv/tftp\ndhcp-match=set:ipxe,175\ndhcp-match=set:bios,option:client-arch,0\n' +
        'dhcp-match=set:efi64,option:client-arch,7\ndhcp-match=set:efi64,option:client-arch,9\n' +
        'dhcp-match=set:efiarm64,option:client-arch,11\ndhcp-boot=tag:!efi64,tag:!efiarm64,pxelinux.0\n' +
        'dhcp-leasefile=/run/leases\npid-file=/run/pid\n',
    );
  });

  it('tells clients apart by architecture, and iPXE from the firmware it came from', () => {
    const text = renderDnsmasq({
      ...lab,
      bootFiles: {
        bios: 'pxelinux.0',
        efiX64: 'snponly.efi',
        efiArm64: 'arm.efi',
        ipxe: 'http://h/boot.ipxe',
      },
    });
    expect(text.split('\n').filter((line) => line.startsWith('dhcp-boot='))).toEqual([
      'dhcp-boot=tag:ipxe,http://h/boot.ipxe',
      'dhcp-boot=tag:efi64,tag:!ipxe,snponly.efi',
      'dhcp-boot=tag:efiarm64,tag:!ipxe,arm.efi',
      'dhcp-boot=tag:!efi64,tag:!efiarm64,tag:!ipxe,pxelinux.0',
    ]);
  });

  it('gives known hosts their address and name, and options their values', () => {
    const text = renderDnsmasq({
      ...lab,
      hosts: [
        { mac: '52-54-00-AA-BB-0C', address: '10.77.0.60', hostname: 'n001' },
        { mac: '52:54:00:aa:bb:0d' },
      ],
      gateway: 'none',
      dns: ['10.77.0.2', '10.77.0.3'],
      domain: 'cluster.example',
      rootPath: '10.77.0.1:/srv/r,vers=3',
      skipPing: true,
    });
    for (const line of [
      'dhcp-host=52:54:00:aa:bb:0c,10.77.0.60,n001',
      'dhcp-host=52:54:00:aa:bb:0d',
      'dhcp-option=option:router',
      'dhcp-option=option:dns-server,10.77.0.2,10.77.0.3',
      'domain=cluster.example',
      'dhcp-option=option:root-path,"10.77.0.1:/srv/r,vers=3"',
      'no-ping',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('refuses values that would start another field or line', () => {
    for (const text of ['a,b', 'a b', 'a\nb', 'a#b', 'a"b', '']) {
      expect(() => renderDnsmasq({ ...lab, tftpRoot: text })).toThrow('to a dnsmasq configuration');
    }
    expect(() => renderDnsmasq({ ...lab, hosts: [{ mac: 'x' }] })).toThrow('Cannot use the MAC address');
    expect(() => renderDnsmasq({ ...lab, rootPath: 'a"\ndhcp-script=/x' })).toThrow(
      'to a dnsmasq configuration',
    );
  });
});

describe('NFS servers', () => {
  it('nfs-ganesha: each directory read-only under its own path, v3 and v4 over TCP', () => {
    const text = renderGanesha({
      bindAddress: '10.77.0.1',
      recoveryRoot: '/run/g',
      exports: [{ path: '/srv/r' }, { path: '/srv/h', clients: ['10.77.0.60'] }],
    });
    expect(text).toContain(
      'Protocols = 3, 4;\n  NFS_Port = 2049;\n  MNT_Port = 20048;\n  Bind_addr = 10.77.0.1;',
    );
    expect(text).toContain('Export_Id = 1;\n  Path = "/srv/r";\n  Pseudo = "/srv/r";\n  Access_Type = RO;');
    expect(text).toContain(
      'Export_Id = 2;\n  Path = "/srv/h";\n  Pseudo = "/srv/h";\n  Access_Type = NONE;\n  CLIENT {\n    Clients = 10.77.0.60;\n    Access_Type = RO;\n  }',
    );
    expect(text.split('{').length).toBe(text.split('}').length);
    expect(() => renderGanesha({ bindAddress: 'x', recoveryRoot: '/', exports: [{ path: '/a"b' }] })).toThrow(
      'it holds a quote',
    );
    expect(() => renderGanesha({ bindAddress: 'x', recoveryRoot: '/', exports: [{ path: 'a' }] })).toThrow(
      'has to be absolute',
    );
  });

  it('/etc/exports: sorted, escaped, and no_root_squash for named clients only', () => {
    expect(
      renderExports([
        { path: '/srv/r b', clients: ['10.77.0.0/24'], fsid: 7 },
        { path: '/srv/h/n1', clients: ['10.77.0.60'], access: 'rw' },
      ]),
    ).toBe(
      '/srv/h/n1 10.77.0.60(rw,sync,no_root_squash,no_subtree_check)\n' +
        '/srv/r\\040b 10.77.0.0/24(ro,sync,no_root_squash,no_subtree_check,fsid=7)\n',
    );
    expect(() => renderExport({ path: '/r', clients: ['*'] })).toThrow(
      'it is no address, network or host name',
    );
    expect(() => renderExport({ path: '/r', clients: [] })).toThrow('it has no clients');
  });
});
