import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileKind } from '../ports/file-system.js';
import { type CpioRecord, cleanName } from './newc-reader.js';
import { byteOrder } from './tree.js';

const TYPE_LETTERS: Readonly<Record<FileKind, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

/** An entry as ls -l shows it: type and mode, links, owner, size or device, name, target. */
export function listingLine(record: CpioRecord): string {
  const isDevice = record.kind === 'character' || record.kind === 'block';
  const size = isDevice ? record.rdev.join(', ') : String(record.data.length);
  return [
    `${TYPE_LETTERS[record.kind]}${modeText(record.mode)}`,
    String(record.nlink).padStart(2),
    `${record.uid}:${record.gid}`.padStart(5),
    size.padStart(9),
    `${displayPath(record.name)}${record.kind === 'symlink' ? ` -> ${displayPath(linkTarget(record))}` : ''}`,
  ].join(' ');
}

/** The text of a symbolic link. */
export function linkTarget(record: CpioRecord): BytePath {
  return Buffer.from(record.data).toString('latin1');
}

/** Bytes of data below each directory down to `depth` levels, largest first, names in byte order where equal. */
export function sizesByDirectory(
  records: readonly CpioRecord[],
  depth: number,
): { path: BytePath; bytes: number; files: number }[] {
  const sums = new Map<BytePath, { bytes: number; files: number }>();
  for (const record of records) {
    if (record.kind !== 'file') continue;
    const parents = cleanName(record.name).split('/').slice(0, -1);
    const path = parents.length === 0 ? '.' : parents.slice(0, depth).join('/');
    const sum = sums.get(path) ?? { bytes: 0, files: 0 };
    sums.set(path, { bytes: sum.bytes + record.data.length, files: sum.files + 1 });
  }
  return [...sums]
    .map(([path, sum]) => ({ path, ...sum }))
    .sort((a, b) => b.bytes - a.bytes || byteOrder(a.path, b.path));
}

/** Nine letters of ls -l; see ls(1) on setuid, setgid and sticky bits. */
function modeText(mode: number): string {
  const letters = [6, 3, 0].map((shift, index) => {
    const bits = (mode >> shift) & 7;
    const special = (mode & (0o4000 >> index)) !== 0;
    const executable = (bits & 1) !== 0;
    const letter = index === 2 ? 't' : 's';
    const last = special ? (executable ? letter : letter.toUpperCase()) : executable ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  });
  return letters.join('');
}
