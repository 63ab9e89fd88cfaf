import type { StormTable } from '../../src/vm/storm-summary.js';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { measure } from './measure.js';

/** What nodes can be given beside NFS, and the options of `mkroot initrd` for it. */
const TRANSPORTS = [
  { name: 'nfs (all versions)', options: [] },
  { name: 'with squashfs-nfs', options: ['--transport', 'squashfs-nfs'] },
  { name: 'with squashfs-http', options: ['--transport', 'squashfs-http'] },
  { name: 'with both', options: ['--transport', 'squashfs-nfs', '--transport', 'squashfs-http'] },
  { name: 'with erofs in place of squashfs', options: ['--driver', 'loop', '--driver', 'erofs'] },
] as const;

/** What each transport adds to the initrd of a node with tg3, in bytes. */
export function transportSizes(context: BenchContext): StormTable {
  const root = context.root();
  const sizes = TRANSPORTS.map(({ name, options }) => {
    const output = `${context.directory}/transport.img`;
    const what = ['--root', root.path, '--kernel', root.kernel, '--nic', 'tg3', ...options];
    const argv = mkrootArgv(context, 'initrd', ...what, '--output', output);
    return { name, bytes: measure({ argv, output }, context.directory).bytes! };
  });
  const [nfs] = sizes;
  return {
    title: 'The initrd for tg3, in bytes',
    rows: [
      ['transports', 'initrd', 'more than NFS alone'],
      ...sizes.map(({ name, bytes }) => [name, inWords(bytes), inWords(bytes - nfs!.bytes)]),
    ],
  };
}

function inWords(bytes: number): string {
  return bytes.toLocaleString('en');
}
