import { createHash } from 'node:crypto';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import type { Sysroot } from '../rootfs/sysroot.js';

/** Compressors of squashfs that kernels may know, the best one for nodes first, with the arguments of mksquashfs(1). */
const COMPRESSORS = [
  {
    name: 'zstd',
    config: 'CONFIG_SQUASHFS_ZSTD',
    best: ['-Xcompression-level', '15'],
    quick: ['-Xcompression-level', '1'],
  },
  { name: 'xz', config: 'CONFIG_SQUASHFS_XZ', best: [], quick: [] },
  { name: 'gzip', config: 'CONFIG_SQUASHFS_ZLIB', best: [], quick: ['-Xcompression-level', '1'] },
] as const;

/** How a root is packed. */
export interface SquashOptions {
  readonly compressor: (typeof COMPRESSORS)[number]['name'];
  /** `best` by default; `quick` is for a file that is thrown away. */
  readonly effort?: 'best' | 'quick';
  readonly signal?: AbortSignal;
}

/** A program that lacks this capability does not see attributes of the class trusted (xattr(7)); mksquashfs 4.5 has no option for it. */
const WITHOUT_TRUSTED = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'] as const;

/**
 * Writes a root as one squashfs. The same tree gives the same bytes: entries are sorted, times are those of the files, and the file
 * system itself has none. Owners, modes, hard links and extended attributes (capabilities) are kept; attributes of an overlay
 * (trusted.*), which say where mkroot built, are not, nor are ACLs, which squashfs does not have.
 * Takes the rights of root, and nobody may change the tree meanwhile.
 * @param target replaced in one step.
 */
export async function squashRoot(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  root: BytePath,
  target: BytePath,
  { compressor, effort = 'best', signal }: SquashOptions,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const beside = `${target}.new`;
  fs.remove(beside); // of a run that was killed
  const level = COMPRESSORS.find(({ name }) => name === compressor)![effort];
  try {
    await runner.run({
      argv: [
        ...WITHOUT_TRUSTED,
        ...['mksquashfs', displayPath(root), displayPath(beside)],
        ...['-noappend', '-quiet', '-no-progress', '-reproducible', '-mkfs-time', '0', '-xattrs'],
        ...['-comp', compressor, ...level],
      ],
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
 * The best compressor that the root's newest kernel knows, by its configuration in /boot; gzip, which every kernel with
 * squashfs knows, if there is none.
 */
export function squashfsCompressor(root: Sysroot, release: string): SquashOptions['compressor'] {
  const places = [
    `/boot/config-${release}`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/config`,
  ];
  for (const place of places) {
    const found = root.resolve(place);
    if (found?.stat.kind !== 'file') continue;
    const lines = new Set(Buffer.from(root.fs.readFile(found.hostPath)).toString('latin1').split('\n'));
    return COMPRESSORS.find(({ config }) => lines.has(`${config}=y`))?.name ?? 'gzip';
  }
  return 'gzip';
}
