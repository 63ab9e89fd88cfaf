/** How each root that judges look at is made: by bare bootstrap tools, never by mkroot. */
export interface JudgeRootRecipe {
  /** The command that makes the root at `target`; run as root in a mount namespace of its own. */
  argv(target: string, mirrorOf: (suite: string) => string): string[];
}

const PACKAGES =
  'systemd,systemd-sysv,udev,dbus,kmod,busybox-static,e2fsprogs,fdisk,iproute2,nfs-common,openssh-server,iputils-ping';

/**
 * What whoever makes an image by hand has to do as well: keys that every node had would be no secret. Each node makes its own where its host
 * layer has none, of the one kind that takes no time; sshd-keygen.service of Debian 13 makes them at what systemd calls a first boot only.
 */
const WITHOUT_HOST_KEYS = [
  '--customize-hook=rm "$1"/etc/ssh/ssh_host_*',
  `--customize-hook=mkdir -p "$1/etc/systemd/system/ssh.service.d"
    key=/etc/ssh/ssh_host_ed25519_key
    printf '%s\\n' '[Service]' ExecStartPre= \
      "ExecStartPre=/bin/sh -c 'test -s $key || ssh-keygen -q -t ed25519 -N \\"\\" -f $key'" \
      'ExecStartPre=/usr/sbin/sshd -t' >"$1/etc/systemd/system/ssh.service.d/host-keys.conf"`,
];

/** Packages of roots that are unpacked only, never configured: their programs do not run here. */
const UNPACKED = 'busybox-static,kmod,libc6,nfs-common';

/** The roots by name. */
export const JUDGE_ROOTS = {
  trixie: {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      ...WITHOUT_HOST_KEYS,
      `--include=${PACKAGES},linux-image-amd64`,
      'trixie',
      target,
    ],
  },
  bookworm: {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      ...WITHOUT_HOST_KEYS,
      `--include=${PACKAGES},linux-image-amd64`,
      'bookworm',
      target,
    ],
  },
  // What joins layers by FUSE; trixie has no such package.
  'bookworm-unionfs': {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      `--include=${PACKAGES},unionfs-fuse,linux-image-amd64`,
      'bookworm',
      target,
    ],
  },
  // sysvinit in the place of systemd.
  'trixie-sysv': {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      '--include=sysvinit-core,udev,dbus,kmod,busybox-static,e2fsprogs,iproute2,ifupdown,openssh-server,iputils-ping,linux-image-amd64',
      'trixie',
      target,
    ],
  },
  // What nodes run beside the system itself: another network manager, containers, a client for time servers.
  'trixie-services': {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      `--include=${PACKAGES},ifupdown,network-manager,systemd-timesyncd,podman,crun,libcap2-bin,linux-image-amd64`,
      'trixie',
      target,
    ],
  },
  // /etc/resolv.conf is a link to what systemd-resolved writes.
  'trixie-resolved': {
    argv: (target) => [
      'mmdebstrap',
      '--variant=minbase',
      `--include=${PACKAGES},systemd-resolved,linux-image-amd64`,
      'trixie',
      target,
    ],
  },
  'trixie-arm64': {
    argv: (target) => [
      'mmdebstrap',
      '--variant=extract',
      '--architectures=arm64',
      `--include=${UNPACKED},linux-image-arm64`,
      'trixie',
      target,
    ],
  },
  'bookworm-i386': {
    // Only the main suite: updates of a port that is no longer released are often broken on mirrors.
    argv: (target, mirrorOf) => [
      'mmdebstrap',
      '--variant=extract',
      '--architectures=i386',
      `--include=${UNPACKED},linux-image-686-pae`,
      'bookworm',
      target,
      `deb ${mirrorOf('bookworm')} bookworm main`,
    ],
  },
  'bookworm-debootstrap': {
    argv: (target) => [
      'debootstrap',
      '--variant=minbase',
      `--include=${PACKAGES},linux-image-amd64`,
      'bookworm',
      target,
    ],
  },
} as const satisfies Record<string, JudgeRootRecipe>;

/** Name of a root that judges look at. */
export type JudgeRootName = keyof typeof JUDGE_ROOTS;
