import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from './bench-context.js';
import { type Contender, interleaved, type Measurement, measure } from './measure.js';
import type { Comparison } from './report.js';

/** The program that is mkroot's part of this: see pack-root.ts. */
const PACK_ROOT = fileURLToPath(new URL('./pack-root.js', import.meta.url));

/** A whole Debian root as a cpio archive, uncompressed. */
export async function benchNewc(context: BenchContext): Promise<Comparison[]> {
  const root = context.root().path;
  const memory = `${context.directory}/memory`;
  const output = `${memory}/archive`;
  mkdirSync(memory);
  // The archive goes to memory: this is about the writers, not about the disk.
  const setUp = `mount -t tmpfs tmpfs '${memory}'`;
  const pack = (...argv: string[]): Measurement => measure({ argv, setUp, output }, context.directory);
  const sortedNames = 'find . -mindepth 1 -xdev -print0 | LC_ALL=C sort -z';
  const cpio = `cd "$0" && ${sortedNames} | cpio --null --quiet -o -H newc -C 1048576 -O "$1"`;
  const contenders: Contender[] = [
    { name: 'mkroot, newc writer', run: () => pack(process.execPath, PACK_ROOT, root, output) },
    {
      name: 'GNU cpio -H newc -C 1048576',
      remark:
        'with find and sort before it in a pipe, so that the order is fixed; it reads -C 1M as one byte',
      run: () => pack('bash', '-o', 'pipefail', '-c', cpio, root, output),
    },
    {
      name: 'bsdtar --format newc',
      remark: 'in the order in which the file system lists the names',
      run: () => pack('bsdtar', '--format', 'newc', '-c', '-f', output, '-C', root, '.'),
    },
  ];
  const results = await interleaved(contenders, { rounds: context.rounds ?? 5, warmUp: 1 });
  return [
    {
      title: 'newc archive of a whole Debian root',
      task: 'uncompressed, from the page cache to memory; mkroot’s writer runs in a Node process of its own, whose start counts.',
      results,
      targets: [],
    },
  ];
}
