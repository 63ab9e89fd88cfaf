import { type ExtractReport, extractTo } from '../../archive/extract.js';
import { linkTarget, sizesByDirectory } from '../../archive/listing.js';
import { allRecords, readSegments, type Segment } from '../../archive/segments.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import { describeKind, type FileSystem } from '../../ports/file-system.js';
import type { ProcessRunner } from '../../ports/process-runner.js';

/** Depth of the sums by directory: usr/lib/modules, but not each driver's directory. */
const SUMMARY_DEPTH = 3;

/** What to inspect and whether to unpack it. */
export interface InspectRequest {
  readonly image: BytePath;
  /** A new or empty directory. */
  readonly extractTo?: BytePath;
  readonly isRoot: boolean;
}

/** What is in an initramfs. */
export interface Inspection {
  readonly image: BytePath;
  /** Bytes of the file. */
  readonly size: number;
  readonly segments: readonly Segment[];
  readonly extraction?: ExtractReport;
}

/** Takes any initramfs apart: segments, entries, and on request files. */
export async function inspectInitrd(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  request: InspectRequest,
): Promise<Inspection> {
  const kind = fs.lstat(request.image)?.kind;
  if (kind === 'directory' || kind === 'character' || kind === 'block' || kind === 'socket') {
    throw new MkrootError(`Cannot inspect "${displayPath(request.image)}": it is a ${describeKind(kind)}`, {
      exitCode: ExitCode.Usage,
      hint: 'Name the file of an initramfs, such as /boot/initrd.img.',
    });
  }
  const bytes = fs.readFile(request.image);
  const segments = await readSegments(bytes, runner).catch((cause: unknown) => {
    if (!(cause instanceof MkrootError)) throw cause;
    throw new MkrootError(`Cannot inspect "${displayPath(request.image)}": ${cause.message}`, {
      cause,
      exitCode: cause.exitCode,
      details: cause.details,
      hint:
        cause.hint ??
        (cause.exitCode === ExitCode.InvalidInput
          ? 'The file is damaged, cut short or no initramfs; copy or make it again.'
          : 'Run the command again.'),
    });
  });
  const inspection = { image: request.image, size: bytes.length, segments };
  if (request.extractTo === undefined) return inspection;
  const archives = segments.flatMap((segment) => segment.archives);
  return {
    ...inspection,
    extraction: await extractTo(request.extractTo, archives, { fs, runner }, request),
  };
}

/** The inspection as `mkroot inspect --json` prints it: paths as people read them, no data. */
export function inspectionAsJson({ image, size, segments, extraction }: Inspection) {
  return {
    image: displayPath(image),
    size,
    segments: segments.map((segment) => ({
      offset: segment.offset,
      compression: segment.compression,
      packedSize: segment.packedSize,
      unpackedSize: segment.unpackedSize,
      microcode: segment.isMicrocode,
      warnings: segment.warnings,
      entries: allRecords([segment]).map((record) => ({
        path: displayPath(record.name),
        kind: record.kind,
        mode: record.mode.toString(8).padStart(4, '0'),
        uid: record.uid,
        gid: record.gid,
        mtime: record.mtime,
        size: record.kind === 'symlink' ? 0 : record.data.length,
        nlink: record.nlink,
        ...(record.kind === 'symlink' ? { target: displayPath(linkTarget(record)) } : {}),
        ...(record.kind === 'character' || record.kind === 'block' ? { device: record.rdev.join(':') } : {}),
      })),
    })),
    sizes: summary(segments),
    ...(extraction === undefined
      ? {}
      : {
          extraction: {
            entries: extraction.entries,
            skipped: extraction.skipped.map(({ path, why }) => ({ path: displayPath(path), why })),
          },
        }),
  };
}

/** Bytes of files by directory, largest first. */
export function summary(segments: readonly Segment[]) {
  return sizesByDirectory(allRecords(segments), SUMMARY_DEPTH).map((sum) => ({
    ...sum,
    path: displayPath(sum.path),
  }));
}
