import type { StageContext } from '../../engine/stage.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { RootTree } from '../../sandbox/root-tree.js';
import { aptActivity, isStatusLine } from './apt-progress.js';
import type { BuildEnvironment } from './build-environment.js';

const POLICY = '/usr/sbin/policy-rc.d';
const ARCHIVES = '/var/cache/apt/archives';

/** invoke-rc.d(8): 101 is "action forbidden by policy". */
const START_NO_SERVICE = '#!/bin/sh\nexit 101\n';

/**
 * Options for every apt-get: no questions, no recommended packages, no fsync for files that are thrown away when the
 * build is interrupted, downloaded packages stay in the shared cache.
 */
const OPTIONS = [
  '--yes',
  '-o=APT::Install-Recommends=false',
  '-o=APT::Keep-Downloaded-Packages=true',
  '-o=APT::Status-Fd=3',
  '-o=Dpkg::Use-Pty=false',
  '-o=Dpkg::Options::=--force-unsafe-io',
  '-o=Dpkg::Options::=--force-confdef',
  '-o=Dpkg::Options::=--force-confold',
] as const;

/** Progress comes with the rest of the output. (On descriptor 1 itself, apt leaves maintainer scripts without a stdout.) */
const WITH_STATUS = 'exec apt-get "$@" 3>&1';

/** apt-get inside a root, ready to be called. */
export interface AptInRoot {
  /** @throws MkrootError ToolFailed with the tail of the output. */
  run(...args: readonly string[]): Promise<void>;
}

/**
 * Lets `use` run the root's own apt-get: the host's name resolution works, no service is started, packages that were
 * downloaded before are not downloaded again. Nothing of this is left in the root.
 */
export async function withApt(
  tree: RootTree,
  { ports, task, logFile, signal }: StageContext,
  environment: BuildEnvironment,
  use: (apt: AptInRoot) => Promise<void>,
): Promise<void> {
  const writer = new RootWriter(ports.fs, tree.hostPath);
  const executable = { mode: 0o755, uid: 0, gid: 0 };
  writer.file(POLICY, START_NO_SERVICE, executable);
  if (ports.fs.lstat('/etc/resolv.conf') !== undefined && !isLink(writer, '/etc/resolv.conf')) {
    writer.file('/etc/resolv.conf', ports.fs.readFile('/etc/resolv.conf'), { ...executable, mode: 0o644 });
  }
  const cache = environment.cache('debs');
  ports.fs.mkdir(cache);
  writer.directory(ARCHIVES);
  await tree.runOnHost(['mount', '--bind', cache, `${tree.path}${ARCHIVES}`]);
  await use({
    run: async (...args) => {
      await tree.run(['sh', '-c', WITH_STATUS, 'sh', ...OPTIONS, ...args], {
        name: `apt-get ${args[0] ?? ''}`,
        // Debian's kernel packages ask for an initramfs in their postinst; mkroot makes its own, later.
        env: { INITRD: 'No' },
        logFile,
        isNoise: isStatusLine,
        ...(signal === undefined ? {} : { signal }),
        onLine: (line) => {
          const activity = aptActivity(line);
          if (activity !== undefined) task.update(activity);
        },
      });
    },
  });
  await tree.runOnHost(['umount', `${tree.path}${ARCHIVES}`]);
  writer.remove(POLICY);
}

function isLink(writer: RootWriter, path: string): boolean {
  return writer.sysroot.resolveLink(path)?.stat.kind === 'symlink';
}
