import type { BytePath } from '../ports/byte-path.js';

/**
 * What programs of a root expect around them. `$1` is the root. /dev is the host's, read-only as a directory (the
 * devices themselves work); /run and /tmp are empty and leave nothing behind.
 */
export const CHROOT_MOUNTS = `cd "$1"
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount --bind /dev dev
mount -o remount,bind,ro dev
if [ -d dev/pts ]; then mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts; fi
if [ -d dev/shm ]; then mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm; fi
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs run
mkdir -m 1777 run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp`;

/** An empty environment but for the proxies that a download may need. */
const CLEAN_ENVIRONMENT = `exec env -i ${['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy']
  .map((name) => `\${${name}:+"${name}=$${name}"}`)
  .join(' ')} "$@"`;

/** The argv that runs a program inside a root with an environment of its own. */
export function chrootArgv(
  root: BytePath,
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>> = {},
): [string, ...string[]] {
  const variables: Record<string, string | undefined> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
    ...env,
  };
  return [
    'sh',
    '-c',
    CLEAN_ENVIRONMENT,
    'sh',
    ...Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    ),
    'chroot',
    root,
    ...argv,
  ];
}
