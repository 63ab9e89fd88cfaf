import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { packageVersions } from './bench-root.js';

const ON_THE_HOST = [
  ...['mmdebstrap', 'debootstrap', 'cpio', 'libarchive-tools', 'zstd', 'dpkg', 'apt'],
  ...['qemu-system-x86', 'nfs-ganesha', 'dnsmasq-base'],
];

const IN_THE_ROOT = ['initramfs-tools', 'dracut-core', 'zstd', 'cpio', 'systemd'];

/** What the numbers were measured with, as lines of Markdown. */
export function toolVersions(repository: string, root: string | undefined): string[] {
  const { version } = JSON.parse(readFileSync(`${repository}/package.json`, 'utf8')) as { version: string };
  const git = spawnSync('git', ['-C', repository, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  const commit = git.status === 0 ? ` (${git.stdout.trim()})` : '';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `- mkroot ${version}${commit}, Node ${process.versions.node}`,
    `- host: Linux ${release().split('-')[0]}, ${cpus().length} processors, ${gib} GiB; ${packageVersions('', ON_THE_HOST).join(', ')}`,
    ...(root === undefined ? [] : [`- root: ${packageVersions(root, IN_THE_ROOT).join(', ')}`]),
  ];
}

/** How busy the machine was before the first run, from uptime(1). */
export function loadBefore(): string {
  return loadavg()[0]!.toFixed(2);
}
