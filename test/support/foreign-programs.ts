import { existsSync } from 'node:fs';

const BINFMT_MISC = '/proc/sys/fs/binfmt_misc';

/**
 * Registers QEMU with the kernel while a command runs, in a mount namespace of its own. Debian does so at boot; a container
 * has not booted. What was registered before stays as it was.
 */
const REGISTERED = [
  'mountpoint -q "$1" || mount -t binfmt_misc binfmt_misc "$1"',
  'update-binfmts --enable "$2" >/dev/null 2>&1',
  'handler=$2; shift 2; status=0; "$@" || status=$?',
  'update-binfmts --disable "$handler" >/dev/null 2>&1',
  'exit "$status"',
].join('\n');

/** An argv to put before a command that is to run programs of arm64; empty where the machine runs them by itself. */
export function runningArm64(): readonly string[] {
  const handler = 'qemu-aarch64';
  if (process.arch === 'arm64' || existsSync(`${BINFMT_MISC}/${handler}`)) return [];
  return ['unshare', '--mount', '--', 'sh', '-c', REGISTERED, 'sh', BINFMT_MISC, handler];
}
