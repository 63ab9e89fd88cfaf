import { createHash } from 'node:crypto';
import { type Compression, compress, compressorVersion } from '../archive/compression.js';
import { newcBytes } from '../archive/newc-writer.js';
import { SIDECAR_FORMAT, type Sidecar, sidecarEntry, sidecarPath } from '../archive/sidecar.js';
import type { ArchiveTree } from '../archive/tree.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';

/** What the sidecar says about the initramfs as a whole. */
export type InitrdDescription = Pick<
  Sidecar,
  'mkroot' | 'image' | 'kernel' | 'architecture' | 'modules' | 'builtins' | 'nics' | 'warnings'
>;

/**
 * Serialises and compresses the tree and writes it with its sidecar. Both files appear complete or not at all.
 * The same tree and the same compressor give the same bytes.
 */
export async function writeInitrd(
  { fs, runner }: Ports,
  tree: ArchiveTree,
  output: BytePath,
  compression: Compression,
  description: InitrdDescription,
): Promise<Sidecar> {
  const entries = tree.entries();
  const archive = newcBytes(entries, fs);
  const [packed, tool] = await Promise.all([
    compress(archive, compression, runner),
    compressorVersion(compression, runner),
  ]);
  const sidecar: Sidecar = {
    format: SIDECAR_FORMAT,
    ...description,
    compression: { format: compression, ...(tool === undefined ? {} : { tool }) },
    sizes: { packed: packed.length, unpacked: archive.length },
    sha256: createHash('sha256').update(packed).digest('hex'),
    entries: entries.map((entry) => sidecarEntry(entry, tree.reasons(entry.path))),
  };
  const directory = output.slice(0, output.lastIndexOf('/'));
  if (directory !== '') fs.mkdir(directory);
  const file = fs.create(output);
  try {
    file.write(packed);
    // The sidecar first: an initramfs without its explanation is never seen.
    fs.writeFile(sidecarPath(output), `${JSON.stringify(sidecar)}\n`);
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  }
  return sidecar;
}
