import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { hostPorts } from '../../src/cli/host-ports.js';
import { pickKernel } from '../../src/kmod/kernel-release.js';
import { toBytePath } from '../../src/ports/byte-path.js';
import { Sysroot } from '../../src/rootfs/sysroot.js';
import { inNamespaces } from '../../src/sandbox/unshare.js';

/** A Debian 13 that boots over NFS and has every initramfs generator of the distribution. */
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'dbus', 'kmod', 'iproute2', 'nfs-common', 'linux-image-amd64'],
  // dracut itself conflicts with initramfs-tools; dracut-core has the program.
  ...['busybox-static', 'initramfs-tools', 'dracut-core', 'dracut-network', 'zstd', 'cpio'],
  // What dracut's smallest network module works with.
  ...['isc-dhcp-client', 'iputils-arping', 'procps'],
  // /etc/protocols, without which mount.nfs, which dracut mounts with, says "Protocol not supported".
  'netbase',
];

/** The root that everybody works on. */
export interface BenchRoot {
  readonly path: string;
  /** Release of its kernel. */
  readonly kernel: string;
}

/** Takes the root from `given` (MKROOT_BENCH_ROOT) or makes it below `directory`. */
export function benchRoot(given: string | undefined, directory: string): BenchRoot {
  const path = given ?? `${directory}/root`;
  if (!existsSync(path)) makeRoot(path);
  const { release } = pickKernel(new Sysroot(hostPorts().fs, toBytePath(path)));
  return { path, kernel: release };
}

function makeRoot(path: string): void {
  process.stderr.write(`Making a Debian 13 root at ${path} (a minute or so)\n`);
  const partial = `${path}.partial`;
  const [program, ...args] = inNamespaces({ mount: true, pid: true }, [
    ...['mmdebstrap', '--quiet', '--variant=minbase', `--include=${PACKAGES.join(',')}`, 'trixie', partial],
  ]);
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(partial, path);
}

/** The version that dpkg knows of each package that is installed in the root. */
export function packageVersions(root: string, packages: readonly string[]): string[] {
  const format = `\${db:Status-Abbrev}\${Package} \${Version}\\n`;
  const out = execFileSync('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', format], {
    encoding: 'utf8',
  });
  const versions = new Map(
    [...out.matchAll(/^ii (\S+) (\S+)$/gm)].map(([, name, version]) => [name!, version!]),
  );
  return packages.flatMap((name) => (versions.has(name) ? [`${name} ${versions.get(name)}`] : []));
}
