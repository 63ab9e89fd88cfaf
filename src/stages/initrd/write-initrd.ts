import { compressedExtent } from '../../archive/compressed-extent.js';
import { compressedFormatAt } from '../../archive/compressed-format.js';
import { type Compression, compress, compressorVersion } from '../../archive/compression.js';
import { newcBytes } from '../../archive/newc-writer.js';
import { SIDECAR_FORMAT, type Sidecar, sidecarEntry, sidecarPath } from '../../archive/sidecar.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import {
  describeKind,
  type FileSystem,
  type OutputFile,
  type ReadFileSystem,
} from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { sha256 } from '../../ports/sha256.js';

/** What the sidecar says about the initramfs as a whole. */
export type InitrdDescription = Pick<
  Sidecar,
  'mkroot' | 'image' | 'kernel' | 'architecture' | 'modules' | 'builtins' | 'nics' | 'warnings'
>;

/** Where an initramfs goes and how. */
export interface InitrdOutput {
  readonly path: BytePath;
  readonly compression: Compression;
  /** Aborted: nothing is written. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Serialises and compresses the tree and writes it with its sidecar. Both files appear complete or not at all.
 * The same tree and the same compressor give the same bytes.
 */
export async function writeInitrd(
  { fs, runner, clock }: Ports,
  tree: ArchiveTree,
  { path: output, compression, signal }: InitrdOutput,
  description: InitrdDescription,
): Promise<Sidecar> {
  const entries = tree.entries();
  const archive = newcBytes(entries, fs);
  const [packed, tool] = await Promise.all([
    compress(archive, compression, runner),
    compressorVersion(compression, runner),
  ]);
  if (compression !== 'none') checkPacked(packed, compression);
  const sidecar: Sidecar = {
    format: SIDECAR_FORMAT,
    ...description,
    compression: { format: compression, ...(tool === undefined ? {} : { tool }) },
    sizes: { packed: packed.length, unpacked: archive.length },
    sha256: sha256(packed),
    entries: entries.map((entry) => sidecarEntry(entry, tree.reasons(entry.path))),
  };
  // Reading and packing may not have let go of the thread once: let a Ctrl-C arrive that was typed meanwhile.
  await clock.sleep(0);
  signal?.throwIfAborted();
  const directory = output.slice(0, output.lastIndexOf('/'));
  if (directory !== '') fs.mkdir(directory);
  writeInitrdFiles(fs, output, packed, sidecar);
  return sidecar;
}

/** Writes an initramfs and its sidecar; both files appear complete or not at all. */
export function writeInitrdFiles(fs: FileSystem, output: BytePath, data: Uint8Array, sidecar: Sidecar): void {
  writePair(fs, [sidecarPath(output), Buffer.from(`${JSON.stringify(sidecar)}\n`)], [output, data]);
}

/** A compressor that was killed, or is another program of that name, may end with success; the node would not boot. */
function checkPacked(packed: Uint8Array, compression: Exclude<Compression, 'none'>): void {
  try {
    if (compressedFormatAt(packed, 0) === compression) {
      compressedExtent(compression, packed, 0);
      return;
    }
  } catch (error) {
    if (!(error instanceof MkrootError)) throw error;
  }
  throw new MkrootError(
    `Cannot write the initrd: ${compression} ended well, but what it wrote is no ${compression} data`,
    {
      exitCode: ExitCode.ToolFailed,
      hint: `Look at which ${compression} is first in PATH, or use another --compress.`,
    },
  );
}

/**
 * Refuses an output that a rename would destroy or cannot replace: a directory, a device such as /dev/null. Asked before
 * the work, so that the user hears of it at once.
 * @throws MkrootError Usage.
 */
export function checkOutput(fs: ReadFileSystem, output: BytePath): void {
  if (output.endsWith('/')) throw badOutput(output, 'it is the name of a directory');
  for (const path of [output, sidecarPath(output)]) {
    const kind = fs.lstat(path)?.kind ?? 'file';
    if (kind !== 'file' && kind !== 'symlink') throw badOutput(path, `a ${describeKind(kind)} is there`);
  }
}

function badOutput(path: BytePath, what: string): MkrootError {
  return new MkrootError(`Cannot write the initrd to "${displayPath(path)}": ${what}`, {
    exitCode: ExitCode.Usage,
    hint: 'Name a file, as in --output initrd.img; its explanation is written to initrd.img.json beside it.',
  });
}

type NamedBytes = readonly [path: BytePath, data: Uint8Array];

/**
 * Replaces two files or neither. Everything that can fail for want of space or permission comes before the first rename;
 * should the second one fail, the first file is put back.
 */
function writePair(fs: FileSystem, first: NamedBytes, second: NamedBytes): void {
  const before = fs.lstat(first[0])?.kind === 'file' ? fs.readFile(first[0]) : undefined;
  const files: OutputFile[] = [];
  try {
    for (const [path, data] of [first, second]) {
      const file = fs.create(path);
      files.push(file);
      file.write(data);
    }
    // The sidecar first: an initramfs without its explanation is never seen.
    files[0]!.commit();
    try {
      files[1]!.commit();
    } catch (error) {
      if (before === undefined) fs.remove(first[0]);
      else fs.writeFile(first[0], before);
      throw error;
    }
  } catch (error) {
    for (const file of files) file.abort();
    throw error;
  }
}
