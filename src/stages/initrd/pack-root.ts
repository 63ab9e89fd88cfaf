import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../../errors.js';
import type { RootImageFormat } from '../../images/root-image.js';
import { compareReleases } from '../../kmod/kernel-release.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { Sysroot } from '../../rootfs/sysroot.js';

/** A compressor that kernels may know, and the arguments of the program that packs. */
interface Compressor {
  readonly name: string;
  /** What a kernel's configuration says that knows it. */
  readonly config: string;
  /** The first kernel that reads what the arguments make, where that is not every one with the configuration. */
  readonly since?: string;
  readonly best: readonly string[];
  /** For a file that is thrown away. */
  readonly quick: readonly string[];
}

/** What makes files of a format, and what the kernels of nodes need for them. */
interface Packer {
  /** What a kernel's configuration says that has the file system, built in or as a module. */
  readonly config: string;
  /** The best one for nodes first; the last one is what every kernel with the file system knows. */
  readonly compressors: readonly [Compressor, ...Compressor[]];
  readonly argv: (root: string, target: string, compression: readonly string[]) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** mksquashfs(1) 4.4 and later. */
const SQUASHFS: Packer = {
  config: 'CONFIG_SQUASHFS',
  compressors: [
    {
      name: 'zstd',
      config: 'CONFIG_SQUASHFS_ZSTD',
      best: ['-comp', 'zstd', '-Xcompression-level', '15'],
      quick: ['-comp', 'zstd', '-Xcompression-level', '1'],
    },
    { name: 'xz', config: 'CONFIG_SQUASHFS_XZ', best: ['-comp', 'xz'], quick: ['-comp', 'xz'] },
    {
      name: 'gzip',
      config: 'CONFIG_SQUASHFS_ZLIB',
      best: ['-comp', 'gzip'],
      quick: ['-comp', 'gzip', '-Xcompression-level', '1'],
    },
  ],
  argv: (root, target, compression) => [
    ...['mksquashfs', root, target],
    ...['-noappend', '-quiet', '-no-progress', '-reproducible', '-mkfs-time', '0', '-xattrs'],
    ...compression,
  ],
};

/**
 * mkfs.erofs(1) 1.5 and later, which sorts entries by itself. With SOURCE_DATE_EPOCH it takes that for the time of the file system and of files
 * that are newer; of the latest time that it can hold there are none.
 */
const EROFS: Packer = {
  config: 'CONFIG_EROFS_FS',
  compressors: [
    {
      name: 'lz4hc',
      config: 'CONFIG_EROFS_FS_ZIP',
      since: '5.13',
      best: ['-zlz4hc,12', '-C65536'],
      quick: ['-zlz4', '-C65536'],
    },
    {
      name: 'lz4hc in clusters of 4 KiB',
      config: 'CONFIG_EROFS_FS_ZIP',
      best: ['-zlz4hc,12'],
      quick: ['-zlz4'],
    },
    { name: 'no compression', config: 'CONFIG_EROFS_FS', best: [], quick: [] },
  ],
  argv: (root, target, compression) => [
    ...['mkfs.erofs', '--quiet', '-U', '00000000-0000-0000-0000-000000000000'],
    ...compression,
    ...[target, root],
  ],
  environment: { SOURCE_DATE_EPOCH: '4294967295' },
};

const PACKERS: Readonly<Record<RootImageFormat, Packer>> = { squashfs: SQUASHFS, erofs: EROFS };

/** How a root is packed. */
export interface PackOptions {
  readonly format: RootImageFormat;
  /** As {@link rootCompressor} names it. */
  readonly compressor: string;
  /** `best` by default; `quick` is for a file that is thrown away. */
  readonly effort?: 'best' | 'quick';
  readonly signal?: AbortSignal;
}

/** A program that lacks this capability does not see attributes of the class trusted (xattr(7)); mksquashfs 4.5 has no option for it. */
const WITHOUT_TRUSTED = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'] as const;

/**
 * Writes a root as one file. The same tree gives the same bytes: entries are sorted, times are those of the files, and the file
 * system itself has none. Owners, modes, hard links and extended attributes (capabilities) are kept; attributes of an overlay
 * (trusted.*), which say where mkroot built, are not, nor are ACLs in a squashfs, which does not have them.
 * Takes the rights of root, and nobody may change the tree meanwhile.
 * @param target replaced in one step.
 */
export async function packRoot(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  root: BytePath,
  target: BytePath,
  { format, compressor, effort = 'best', signal }: PackOptions,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const beside = `${target}.new`;
  fs.remove(beside); // of a run that was killed
  const { argv, compressors, environment } = PACKERS[format];
  const compression = compressors.find(({ name }) => name === compressor)![effort];
  try {
    await runner.run({
      argv: [...WITHOUT_TRUSTED, ...argv(displayPath(root), displayPath(beside), compression)],
      ...(environment === undefined ? {} : { env: environment }),
      ...(signal === undefined ? {} : { signal }),
    });
    fs.chmod(beside, 0o644);
    const hash = createHash('sha256');
    for (const chunk of fs.readChunks(beside)) hash.update(chunk);
    const size = fs.lstat(beside)!.size;
    await runner.run({ argv: ['sync', displayPath(beside)] });
    fs.rename(beside, target);
    return { sha256: hash.digest('hex'), size };
  } finally {
    fs.remove(beside);
  }
}

/**
 * The best compressor of a format that a kernel of the root knows, by its configuration; what every kernel with the file system
 * knows if there is none.
 * @throws MkrootError InvalidInput if the configuration says that the kernel lacks the file system.
 */
export function rootCompressor(root: Sysroot, release: string, format: RootImageFormat): string {
  const { config, compressors } = PACKERS[format];
  const fallback = compressors.at(-1)!.name;
  const lines = kernelConfiguration(root, release);
  if (lines === undefined) return fallback;
  if (!lines.has(`${config}=y`) && !lines.has(`${config}=m`)) {
    throw new MkrootError(`Cannot make an ${format} for kernel ${release}: it has no such file system`, {
      exitCode: ExitCode.InvalidInput,
      hint: `Its configuration lacks ${config}.`,
    });
  }
  const known = compressors.find(
    (one) =>
      lines.has(`${one.config}=y`) && (one.since === undefined || compareReleases(release, one.since) >= 0),
  );
  return known?.name ?? fallback;
}

function kernelConfiguration(root: Sysroot, release: string): ReadonlySet<string> | undefined {
  const places = [
    `/boot/config-${release}`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/config`,
  ];
  for (const place of places) {
    const found = root.resolve(place);
    if (found?.stat.kind !== 'file') continue;
    return new Set(Buffer.from(root.fs.readFile(found.hostPath)).toString('latin1').split('\n'));
  }
  return undefined;
}
