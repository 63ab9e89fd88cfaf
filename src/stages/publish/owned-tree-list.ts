import { MkrootError } from '../../errors.js';
import { bufferLines } from '../../ports/buffer-lines.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../../ports/file-system.js';

/** The tree's own list of what mkroot wrote into it: nothing else is ever overwritten or removed. */
export const OWNED_TREE_MANIFEST = '.mkroot-tree.json';

/** Version of the layout of the list. Format 1 had no states; it is read, too. */
const FORMAT = 2;

/** What mkroot wrote at a path. */
export interface WrittenFile {
  /** sha256 in hex of what it wrote; several while a write is under way. */
  readonly digests: readonly string[];
  /** State of the file that has the one digest, when that was seen last; empty if unknown, so that it has to be read. */
  readonly state: string;
  /** Its place in the list that was read, for those who look at files in its order. */
  readonly number?: number;
}

/** What the tree's own list says that mkroot wrote, by path below the tree. */
export type WrittenFiles = ReadonlyMap<BytePath, WrittenFile>;

/** A line of the list: path, state, digests. */
type Line = readonly [path: string, state: string, ...digests: string[]];

/**
 * Reads the list of a tree; empty if there is none.
 * @throws MkrootError as {@link parseOwnedTreeList}.
 */
export function readOwnedTreeList(fs: ReadFileSystem, directory: BytePath): WrittenFiles {
  const bytes = ownedTreeListBytes(fs, directory);
  return bytes === undefined ? new Map() : parseOwnedTreeList(bytes, directory);
}

/** The list of a tree as it is; undefined if there is none. */
export function ownedTreeListBytes(fs: ReadFileSystem, directory: BytePath): Uint8Array | undefined {
  const path = `${directory}/${OWNED_TREE_MANIFEST}`;
  return fs.lstat(path) === undefined ? undefined : fs.readFile(path);
}

/** @throws MkrootError if it is damaged, or names something outside the tree. */
export function parseOwnedTreeList(bytes: Uint8Array, directory: BytePath): WrittenFiles {
  return new Map(listedFiles(bytes, directory));
}

/**
 * The same, one after the other.
 * @throws MkrootError as {@link parseOwnedTreeList}.
 */
export function* listedFiles(bytes: Uint8Array, directory: BytePath): Iterable<[BytePath, WrittenFile]> {
  const path = `${directory}/${OWNED_TREE_MANIFEST}`;
  let number = 0;
  try {
    for (const [name, state, ...digests] of readLines(bytes)) {
      requireRelative(name);
      yield [toBytePath(name), { digests: digests.map(String), state: String(state), number }];
      number += 1;
    }
  } catch (cause) {
    throw new MkrootError(`Cannot read "${displayPath(path)}": it is no list of files that mkroot wrote`, {
      hint: 'Choose a new directory; mkroot will not touch files that it does not know.',
      cause,
    });
  }
}

/** Line by line, as the list is written: parsed at once, that of sixty thousand files takes four times its size. */
function* readLines(bytes: Uint8Array): Iterable<Line> {
  const lines = bufferLines(bytes);
  if (lines[0]?.toString('latin1') !== HEAD || lines.at(-1)?.toString('latin1') !== TAIL) {
    yield* linesOf(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return;
  }
  for (const line of lines.slice(1, -1)) {
    const text = line.toString('utf8');
    const parsed: Line = JSON.parse(text.endsWith(',') ? text.slice(0, -1) : text);
    yield parsed;
  }
}

const HEAD = `{"format":${FORMAT},"files":[`;
const TAIL = ']}';

function linesOf({ format, files }: { readonly format: unknown; readonly files: unknown }): readonly Line[] {
  if (format === FORMAT && isLines(files)) return files;
  if (format === 1 && isRecord(files)) {
    return Object.entries(files).map(([name, digests]): Line => [name, '', ...digests]);
  }
  throw new Error('its format is another one');
}

function isLines(files: unknown): files is readonly Line[] {
  return Array.isArray(files);
}

function isRecord(files: unknown): files is Readonly<Record<string, readonly string[]>> {
  return typeof files === 'object' && files !== null && !isLines(files);
}

/** Replaces the list of a tree in one step. */
export function writeOwnedTreeList(fs: FileSystem, directory: BytePath, files: WrittenFiles): void {
  const lines = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { digests, state }]) => JSON.stringify([displayPath(path), state, ...digests]));
  fs.writeFile(
    `${directory}/${OWNED_TREE_MANIFEST}`,
    `${[HEAD, ...(lines.length === 0 ? [] : [lines.join(',\n')]), TAIL].join('\n')}\n`,
  );
}

/** @throws MkrootError for a path that does not lie below a tree. */
export function requireRelative(path: BytePath): void {
  if (/(^|\/)\.{0,2}(\/|$)/.test(path)) {
    throw new MkrootError(`Cannot write "${displayPath(path)}": it does not lie below the tree`);
  }
}
