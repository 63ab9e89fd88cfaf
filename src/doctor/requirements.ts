import type { Probe, Purpose, Requirement } from './requirement.js';

/** Every tool, file and kernel feature that mkroot uses, in the order of the report. Plain data; no probing happens here. */
export const REQUIREMENTS: readonly Requirement[] = [
  tool('mmdebstrap', ['--version'], {
    requiredFor: ['test', 'bench'],
    usefulFor: ['build'],
    why: 'bootstraps roots; the default backend, faster than debootstrap',
    debian: ['mmdebstrap'],
    el: ['mmdebstrap (EPEL)'],
  }),
  tool('debootstrap', ['--version'], {
    requiredFor: ['test', 'bench'],
    usefulFor: ['build'],
    why: 'bootstraps roots; the backend where mmdebstrap is missing',
    debian: ['debootstrap'],
    el: ['debootstrap (EPEL)'],
  }),
  {
    name: 'Debian archive keys',
    probe: { kind: 'file', anyOf: ['/usr/share/keyrings/debian-archive-keyring.gpg'] },
    requiredFor: ['build', 'test'],
    usefulFor: [],
    why: 'checks the signatures of the archive; a recipe may name another keyring',
    debian: ['debian-archive-keyring'],
    el: ['debian-keyring (EPEL)'],
  },
  tool('unshare', ['--version'], {
    requiredFor: ['build', 'qemu-test'],
    usefulFor: [],
    why: 'private mounts and networks that cannot be left behind',
    debian: ['util-linux'],
    el: ['util-linux'],
  }),
  tool('setpriv', ['--version'], {
    requiredFor: ['build', 'qemu-test'],
    usefulFor: [],
    why: 'ends child processes when mkroot is killed',
    debian: ['util-linux'],
    el: ['util-linux'],
  }),
  tool('nsenter', ['--version'], {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: "runs tools inside the lab's network",
    debian: ['util-linux'],
    el: ['util-linux'],
  }),
  tool('zstd', ['--version'], {
    requiredFor: ['initrd'],
    usefulFor: [],
    why: 'compresses the initramfs (the default); gzip needs no tool',
    debian: ['zstd'],
    el: ['zstd'],
  }),
  tool('xz', ['--version'], {
    requiredFor: ['initrd', 'test'],
    usefulFor: [],
    why: 'unpacks kernel modules that are .ko.xz, as those of Debian 13; initramfs with --compress xz',
    debian: ['xz-utils'],
    el: ['xz'],
  }),
  tool('lz4', ['--version'], {
    requiredFor: ['test'],
    usefulFor: ['initrd'],
    why: 'initramfs with --compress lz4',
    debian: ['lz4'],
    el: ['lz4'],
  }),
  tool('busybox', ['--help'], {
    requiredFor: ['test'],
    usefulFor: ['initrd'],
    why: 'user space of the initramfs, where the root has no busybox-static of its own',
    debian: ['busybox-static'],
    el: ['busybox (EPEL)'],
  }),
  tool('qemu-system-x86_64', ['--version'], {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'the machine that boots',
    debian: ['qemu-system-x86'],
    el: ['qemu-kvm'],
  }),
  {
    name: 'iPXE ROMs',
    probe: {
      kind: 'file',
      anyOf: [
        '/usr/lib/ipxe/qemu/pxe-e1000.rom',
        '/usr/share/ipxe.efi/8086100e.rom',
        '/usr/share/ipxe/8086100e.rom',
      ],
    },
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: "firmware of the machine's network card: DHCP and TFTP",
    debian: ['ipxe-qemu'],
    el: ['ipxe-roms-qemu'],
  },
  {
    name: 'pxelinux.0',
    probe: {
      kind: 'file',
      anyOf: ['/usr/lib/PXELINUX/pxelinux.0', '/usr/share/syslinux/pxelinux.0', '/tftpboot/pxelinux.0'],
    },
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'boot loader that fetches kernel and initramfs',
    debian: ['pxelinux'],
    el: ['syslinux-tftpboot'],
  },
  {
    name: 'ldlinux.c32',
    probe: {
      kind: 'file',
      anyOf: [
        '/usr/lib/syslinux/modules/bios/ldlinux.c32',
        '/usr/share/syslinux/ldlinux.c32',
        '/tftpboot/ldlinux.c32',
      ],
    },
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'second half of pxelinux',
    debian: ['syslinux-common'],
    el: ['syslinux-tftpboot'],
  },
  tool('dnsmasq', ['--version'], {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'DHCP and TFTP server of the lab',
    debian: ['dnsmasq-base'],
    el: ['dnsmasq'],
  }),
  tool('ganesha.nfsd', ['-v'], {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'NFS server of the lab, in user space',
    debian: ['nfs-ganesha'],
    el: ['nfs-ganesha (CentOS Storage SIG)'],
  }),
  {
    name: 'ganesha VFS backend',
    probe: {
      kind: 'file',
      anyOf: [
        '/usr/lib/x86_64-linux-gnu/ganesha/libfsalvfs.so',
        '/usr/lib/aarch64-linux-gnu/ganesha/libfsalvfs.so',
        '/usr/lib64/ganesha/libfsalvfs.so',
      ],
    },
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'lets that NFS server export a directory',
    debian: ['nfs-ganesha-vfs'],
    el: ['nfs-ganesha-vfs (CentOS Storage SIG)'],
  },
  tool('rpcbind', undefined, {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: 'NFS version 3 asks it for the ports',
    debian: ['rpcbind'],
    el: ['rpcbind'],
  }),
  tool('ip', ['-V'], {
    requiredFor: ['qemu-test'],
    usefulFor: [],
    why: "bridge and taps of the lab's network",
    debian: ['iproute2'],
    el: ['iproute'],
  }),
  {
    name: 'namespaces',
    probe: { kind: 'namespaces' },
    requiredFor: ['build', 'qemu-test'],
    usefulFor: [],
    why: 'nothing that mkroot mounts or connects is seen by the host',
    debian: [],
    el: [],
    advice: 'In a container, run it privileged (--privileged, or CAP_SYS_ADMIN without seccomp).',
  },
  {
    name: '/dev/net/tun',
    probe: { kind: 'device', path: '/dev/net/tun' },
    requiredFor: [],
    usefulFor: ['qemu-test'],
    why: "the machine's network cable; without it only --net user works",
    debian: [],
    el: [],
    advice: 'Load it with: modprobe tun. In a container, pass the device in (--device /dev/net/tun).',
  },
  {
    name: '/dev/kvm',
    probe: { kind: 'device', path: '/dev/kvm' },
    requiredFor: [],
    usefulFor: ['qemu-test'],
    why: 'boots several times faster; without it QEMU emulates the processor (TCG)',
    debian: [],
    el: [],
    advice:
      'Switch virtualisation on in the firmware, load kvm_intel or kvm_amd, join the group kvm; in a VM, ask for nested virtualisation.',
  },
  {
    name: 'overlay',
    probe: { kind: 'filesystem', name: 'overlay' },
    requiredFor: [],
    usefulFor: ['build', 'test'],
    why: 'mounts layers on the host; nodes use their own kernel',
    debian: [],
    el: [],
    advice: 'Load it with: modprobe overlay.',
  },
  {
    name: 'squashfs',
    probe: { kind: 'filesystem', name: 'squashfs' },
    requiredFor: [],
    usefulFor: ['build'],
    why: 'looks into squashfs images on the host',
    debian: [],
    el: [],
    advice: 'Load it with: modprobe squashfs.',
  },
  {
    name: 'superuser',
    probe: { kind: 'superuser' },
    requiredFor: [],
    usefulFor: ['build', 'qemu-test'],
    why: 'roots with the right owners, lab with its own network; mkroot initrd needs no rights',
    debian: [],
    el: [],
    advice: 'Run mkroot build and mkroot qemu-test as root (sudo).',
  },
  tool('modprobe', ['--version'], forTests('kmod', 'kmod', 'judge of module closures')),
  tool('readelf', ['--version'], forTests('binutils', 'binutils', 'judge of ELF files')),
  tool('cpio', ['--version'], {
    ...forTests('cpio', 'cpio', 'judge of archives'),
    requiredFor: ['test', 'bench'],
  }),
  tool('bsdtar', ['--version'], {
    ...forTests('libarchive-tools', 'bsdtar', 'judge of archives'),
    requiredFor: ['test', 'bench'],
  }),
  {
    name: 'GNU time',
    // Shells have a `time` of their own, which does not know about memory.
    probe: { kind: 'file', anyOf: ['/usr/bin/time'] },
    requiredFor: ['bench'],
    usefulFor: [],
    why: 'peak memory in benchmarks',
    debian: ['time'],
    el: ['time'],
  },
  tool('shellcheck', ['--version'], forTests('shellcheck', 'ShellCheck (EPEL)', 'judge of shell scripts')),
  tool('dash', undefined, forTests('dash', 'dash', 'second shell that the parts of /init must run under')),
];

function tool(
  program: string,
  version: readonly string[] | undefined,
  rest: Omit<Requirement, 'name' | 'probe'>,
): Requirement {
  const probe: Probe = { kind: 'program', program, ...(version === undefined ? {} : { version }) };
  return { name: program, probe, ...rest };
}

function forTests(debian: string, el: string, why: string): Omit<Requirement, 'name' | 'probe'> {
  const requiredFor: readonly Purpose[] = ['test'];
  return { requiredFor, usefulFor: [], why, debian: [debian], el: [el] };
}
