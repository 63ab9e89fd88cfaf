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

/** How many processes wanted to run in the last minute, as uptime(1) says it. */
export function loadNow(): number {
  return loadavg()[0]!;
}

/** More than this before the first run, and others were at work. */
const QUIET = 0.5;

/** How far the results can be trusted. */
export function quietness(before: number, after: number): string {
  const loads = `Load ${before.toFixed(1)} before and ${after.toFixed(1)} after`;
  return before <= QUIET
    ? `${loads}.`
    : `**The machine was not quiet**: ${loads[0]!.toLowerCase()}${loads.slice(1)}. Seconds are too long, and ratios of wall time and of boots are rough; CPU, sizes and memory are not affected much.`;
}
