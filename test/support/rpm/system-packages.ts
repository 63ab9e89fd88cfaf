import type { RpmRepository } from './rpm-repository.js';

/** What recipes of the tests install to get a node that boots: the rest comes by dependencies. */
export const SYSTEM_PACKAGES = [
  'mkroot-test-release',
  'systemd',
  'systemd-sysv',
  'udev',
  'dbus',
  'kmod',
  'bash',
  'dash',
  'coreutils',
  'grep',
  'sed',
  'findutils',
  'mawk',
  'util-linux',
  'mount',
  'libc-bin',
  'passwd',
  'login',
  'procps',
  'iproute2',
  'iputils-ping',
  'nfs-common',
  'busybox-static',
  'libpam-modules',
  'libpam-runtime',
  'rpm',
] as const;

const USERS = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin
systemd-timesync:x:997:997:systemd Time Synchronization:/:/usr/sbin/nologin
messagebus:x:100:107::/nonexistent:/usr/sbin/nologin
_rpc:x:101:65534::/run/rpcbind:/usr/sbin/nologin
statd:x:102:65534::/var/lib/nfs:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

const GROUPS =
  `root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7 mail:8 kmem:15 dialout:20 cdrom:24 floppy:25
tape:26 sudo:27 audio:29 dip:30 www-data:33 shadow:42 utmp:43 video:44 sasl:45 plugdev:46 staff:50 games:60 users:100 input:104
sgx:105 kvm:106 messagebus:107 render:108 crontab:109 systemd-journal:999 systemd-network:998 systemd-timesync:997 nogroup:65534`
    .split(/\s+/)
    .map((entry) => `${entry.replace(':', ':x:')}:\n`)
    .join('');

/**
 * Builds the packages that alien cannot make out of Debian's, because there they are the work of maintainer scripts: the
 * layout of the file system, accounts, names of the distribution, what is enabled, where rpm has its database.
 */
export async function buildSystemPackages(repository: RpmRepository): Promise<void> {
  await repository.build('filesystem', FILESYSTEM);
  await repository.build('setup', SETUP);
  await repository.build('mkroot-test-release', RELEASE);
  await repository.build('mkroot-test-presets', PRESETS);
}

/** The links of the merged /usr, and what others call by names that no converted package provides. */
const FILESYSTEM = `Name: filesystem
Version: 1
Release: 1
Summary: Layout of the file system
License: MIT
Provides: /bin/sh
Provides: /bin/bash
Provides: /sbin/ldconfig
Provides: rtld(GNU_HASH)
%description
Directories and the links of the merged /usr.
%install
cd %{buildroot}
mkdir -p usr/bin usr/sbin usr/lib usr/lib64 usr/share usr/local/bin usr/local/sbin usr/src etc/opt boot home media mnt opt
mkdir -p proc run srv sys dev tmp root var/cache var/lib var/log var/opt var/spool var/tmp var/lib/dbus
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
ln -s ../run var/run
ln -s ../run/lock var/lock
ln -s ../proc/self/mounts etc/mtab
%files
%defattr(0755,root,root)
/bin
/sbin
/lib
/lib64
%dir /usr/*
%dir /usr/local/*
%dir /etc/opt
%dir /boot
%dir /home
%dir /media
%dir /mnt
%dir /opt
%dir /run
%dir /srv
%dir /dev
%dir /var/*
%dir /var/lib/dbus
/var/run
/var/lock
/etc/mtab
%attr(0555,root,root) %dir /proc
%attr(0555,root,root) %dir /sys
%attr(0550,root,root) %dir /root
%attr(1777,root,root) %dir /tmp
%attr(1777,root,root) %dir /var/tmp
`;

/** As EL's package of that name: accounts are there before anything else is. */
const SETUP = `Name: setup
Version: 1
Release: 1
BuildArch: noarch
Summary: Accounts
License: MIT
Requires: filesystem
%description
Accounts.
%install
mkdir -p %{buildroot}/etc/pam.d
cat > %{buildroot}/etc/passwd <<'END'
${USERS}END
cat > %{buildroot}/etc/group <<'END'
${GROUPS}END
sed 's/:.*/:*:19000:0:99999:7:::/' %{buildroot}/etc/passwd > %{buildroot}/etc/shadow
sed 's/:.*/:*::/' %{buildroot}/etc/group > %{buildroot}/etc/gshadow
printf '/bin/sh\\n/bin/bash\\n' > %{buildroot}/etc/shells
echo 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin' > %{buildroot}/etc/profile
printf 'passwd: files\\ngroup: files\\nshadow: files\\nhosts: files dns\\n' > %{buildroot}/etc/nsswitch.conf
for kind in auth account password session session-noninteractive; do
  echo "\${kind%%-*} required pam_unix.so" > %{buildroot}/etc/pam.d/common-$kind
done
%files
%defattr(0644,root,root)
%config(noreplace) /etc/passwd
%config(noreplace) /etc/group
%attr(0000,root,root) %config(noreplace) /etc/shadow
%attr(0000,root,root) %config(noreplace) /etc/gshadow
%config(noreplace) /etc/shells
%config(noreplace) /etc/profile
%config(noreplace) /etc/nsswitch.conf
/etc/pam.d/*
`;

/** Also the name of awk, and where the rpm of this distribution keeps its database: Debian's own would look below $HOME. */
const RELEASE = `Name: mkroot-test-release
Version: 1
Release: 1
BuildArch: noarch
Summary: Name of the distribution
License: MIT
Requires: setup mkroot-test-presets mawk
%description
Name of the distribution.
%install
mkdir -p %{buildroot}/usr/lib %{buildroot}/usr/bin %{buildroot}/etc/rpm %{buildroot}/etc/selinux
printf 'NAME="mkroot test"\\nID=mkroot-test\\nVERSION_ID=1\\nPRETTY_NAME="mkroot test 1"\\n' > %{buildroot}/usr/lib/os-release
ln -s ../usr/lib/os-release %{buildroot}/etc/os-release
ln -s mawk %{buildroot}/usr/bin/awk
printf '%%%%_dbpath /usr/lib/sysimage/rpm\\n' > %{buildroot}/etc/rpm/macros.dbpath
printf 'SELINUX=enforcing\\nSELINUXTYPE=targeted\\n' > %{buildroot}/etc/selinux/config
%files
/usr/bin/awk
/usr/lib/os-release
/etc/os-release
/etc/rpm/macros.dbpath
%config(noreplace) /etc/selinux/config
`;

/** What Debian's maintainer scripts do when all files are there. */
const PRESETS = `Name: mkroot-test-presets
Version: 1
Release: 1
BuildArch: noarch
Summary: What is enabled
License: MIT
Requires: systemd libc-bin
Requires(post): systemd libc-bin dash coreutils filesystem
%description
What is enabled.
%install
mkdir -p %{buildroot}/usr/lib/systemd/system-preset
printf 'enable getty@.service\\nenable remote-fs.target\\nenable nfs-client.target\\ndisable *\\n' \\
  > %{buildroot}/usr/lib/systemd/system-preset/99-test.preset
%post
ldconfig
systemctl preset-all
%files
/usr/lib/systemd/system-preset/99-test.preset
`;
