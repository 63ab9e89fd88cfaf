import { closest } from 'fastest-levenshtein';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';

/** Where kernels keep their modules. On a usr-merged root both are the same place. */
const MODULE_DIRECTORIES = ['/usr/lib/modules', '/lib/modules'];

/** A kernel of a root. */
export interface InstalledKernel {
  /** As uname -r prints it, such as `6.12.117+deb13-amd64`. */
  readonly release: string;
  /** The modules directory, inside the root and without links. */
  readonly directory: BytePath;
}

/** Every kernel that has modules in the root, oldest first; a directory that two paths lead to counts once. */
export function listKernels(sysroot: Sysroot): InstalledKernel[] {
  const found = new Map<string, { directory: BytePath; rank: number }>();
  for (const parent of MODULE_DIRECTORIES) {
    for (const release of sysroot.list(parent)) {
      const directory = sysroot.resolve(`${parent}/${release}`);
      if (directory?.stat.kind !== 'directory') continue;
      const rank = completeness(sysroot, directory.path);
      const before = found.get(release);
      // A root that is not usr-merged may have leftovers in one of the two: the fuller one counts.
      if (rank > (before?.rank ?? 0)) found.set(release, { directory: directory.path, rank });
    }
  }
  return [...found]
    .map(([release, { directory }]) => ({ release, directory }))
    .sort((a, b) => compareReleases(a.release, b.release));
}

/**
 * The kernel of this release, or the newest one if none is named.
 * @throws MkrootError with exit code NotFound: no kernel in the root, or none of that release (the nearest is named).
 */
export function pickKernel(sysroot: Sysroot, release?: string): InstalledKernel {
  const kernels = listKernels(sysroot);
  const newest = kernels.at(-1);
  if (newest === undefined) {
    throw new MkrootError(
      `Cannot find a kernel in "${sysroot.displayName}": neither /usr/lib/modules nor /lib/modules holds one`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Install a kernel package in the root (Debian: linux-image-amd64), or name another root.',
      },
    );
  }
  if (release === undefined) return newest;
  const wanted = kernels.find((kernel) => kernel.release === release);
  if (wanted !== undefined) return wanted;
  const releases = kernels.map((kernel) => kernel.release);
  throw new MkrootError(
    `Cannot find kernel "${displayPath(release)}" in "${sysroot.displayName}": the root has ${releases
      .map(displayPath)
      .join(', ')}`,
    { exitCode: ExitCode.NotFound, hint: `Did you mean ${displayPath(nearestRelease(release, releases))}?` },
  );
}

/** Orders releases the way people read them: runs of digits count as numbers. */
export function compareReleases(a: string, b: string): number {
  const runs = (release: string): readonly string[] => release.match(/\d+|\D+/g) ?? [];
  const [left, right] = [runs(a), runs(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const [x = '', y = ''] = [left[i], right[i]];
    if (x === y) continue;
    const numbers = /^\d/.test(x) && /^\d/.test(y);
    const order = numbers ? Number(x) - Number(y) : 0;
    if (order !== 0) return order;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function nearestRelease(release: string, releases: readonly string[]): string {
  const starting = releases.filter((candidate) => candidate.startsWith(release));
  return starting.at(-1) ?? closest(release, releases);
}

function completeness(sysroot: Sysroot, directory: BytePath): number {
  if (sysroot.isFile(`${directory}/modules.dep`)) return 3;
  if (sysroot.resolve(`${directory}/kernel`)?.stat.kind === 'directory') return 2;
  return sysroot.isFile(`${directory}/modules.builtin`) ? 1 : 0;
}
