import { structuredPatch } from 'diff';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type OwnedChange, type OwnedTreePlan, ownedContents } from '../../stages/publish/owned-tree.js';

/**
 * The lines of a change as diff -u writes them, without the head: `@@`, context, `-` and `+`. Only before the plan is carried
 * out: what is there is read.
 */
export function fileDifferences(fs: ReadFileSystem, plan: OwnedTreePlan, { path }: OwnedChange): string[] {
  const { before = '', after = '' } = ownedContents(fs, plan, path);
  const text = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');
  const { hunks } = structuredPatch(path, path, text(before), text(after), '', '', { context: 2 });
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
}
