import type { ReadFileSystem } from '../ports/file-system.js';
import { type ByteSource, bytesSource } from './elf-sections.js';
import type { Kernel } from './kernel.js';
import type { ModuleFile } from './module-file.js';
import type { PackedFile, Unpacker } from './unpacker.js';

/** Modules that are unpacked at once while a whole tree is read; keeps memory flat. */
const TOGETHER = 24;

/**
 * Each module as bytes that can be asked for in pieces, for looking at many modules of which few are wanted: plain ones are
 * read piecewise from disk, packed ones are unpacked in batches and dropped again.
 */
export async function* readModules(
  kernel: Kernel,
  unpacker: Unpacker,
  files: Iterable<ModuleFile>,
): AsyncGenerator<{ readonly file: ModuleFile; readonly source: ByteSource }> {
  let batch: { file: ModuleFile; packed: PackedFile }[] = [];
  const drain = async function* () {
    const unpacked = await unpacker.unpack(batch.map(({ packed }) => packed));
    const done = batch;
    batch = [];
    for (const [index, { file, packed }] of done.entries()) {
      yield { file, source: bytesSource(packed.path, unpacked[index]!) };
    }
  };
  for (const file of files) {
    const packed = kernel.locate(file);
    if (packed.compression === 'none') {
      yield { file, source: fileSource(kernel.sysroot.fs, packed) };
      continue;
    }
    batch.push({ file, packed });
    if (batch.length >= TOGETHER) yield* drain();
  }
  yield* drain();
}

function fileSource(fs: ReadFileSystem, { path, hostPath }: PackedFile): ByteSource {
  return {
    path,
    size: fs.lstat(hostPath)?.size ?? 0,
    read: (offset, length) => fs.readRange(hostPath, offset, length),
  };
}
