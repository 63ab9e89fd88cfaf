import { structuredPatch } from 'diff';
import type { OwnedChange } from '../stages/owned-tree.js';

/** The lines of a change as diff -u writes them, without the head: `@@`, context, `-` and `+`. */
export function fileDifferences({ path, before = '', after = '' }: OwnedChange): string[] {
  const text = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');
  const { hunks } = structuredPatch(path, path, text(before), text(after), '', '', { context: 2 });
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
}
