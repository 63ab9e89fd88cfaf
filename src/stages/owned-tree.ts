import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath, toBytePath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';

/** What belongs at a path of a tree: text, or a symbolic link to a target. */
export type OwnedFile = { readonly text: string } | { readonly target: BytePath };

/** How one path of a tree differs from what belongs there. */
export interface OwnedChange {
  /** Below the tree. */
  readonly path: BytePath;
  readonly change: 'added' | 'changed' | 'removed';
  /** What is there: a file's text, `-> target` of a link; absent if nothing is. */
  readonly before?: string;
  /** What belongs there, likewise. */
  readonly after?: string;
  /** Why it would not be overwritten: somebody else made it, or changed it after mkroot wrote it. */
  readonly conflict?: string;
}

/** What has to be done to a tree; nothing has been done yet. */
export interface OwnedTreePlan {
  readonly directory: BytePath;
  /** In byte order. */
  readonly changes: readonly OwnedChange[];
  readonly unchanged: number;
  readonly files: ReadonlyMap<BytePath, OwnedFile>;
  /** What the tree's own list says that mkroot wrote, by path. */
  readonly written: WrittenFiles;
}

/** Digests of what mkroot wrote at a path; several while a write is under way. */
type WrittenFiles = ReadonlyMap<BytePath, readonly string[]>;

/** The tree's own list of what mkroot wrote into it: nothing else is ever overwritten or removed. */
export const OWNED_TREE_MANIFEST = '.mkroot-tree.json';

/**
 * Compares a directory with the files that belong there, without changing anything.
 * @throws MkrootError if a part of a path is a link or a file, since what is below would lie elsewhere.
 */
export function planOwnedTree(
  fs: ReadFileSystem,
  directory: BytePath,
  files: ReadonlyMap<BytePath, OwnedFile>,
): OwnedTreePlan {
  const written = readManifest(fs, directory);
  const isInside = directoryCheck(fs, directory);
  const changes: OwnedChange[] = [];
  let unchanged = 0;
  for (const [path, file] of files) {
    requireRelative(path);
    const present = isInside(path) ? lookAt(fs, `${directory}/${path}`) : undefined;
    const after = contents(file);
    if (present === after) unchanged += 1;
    else changes.push(changeOf(path, present, after, written));
  }
  for (const path of written.keys()) {
    if (files.has(path)) continue;
    const present = isInside(path) ? lookAt(fs, `${directory}/${path}`) : undefined;
    if (present !== undefined) changes.push(changeOf(path, present, undefined, written));
  }
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { directory, changes, unchanged, files, written };
}

/**
 * Does what a plan says, each file in one step. Interrupted at any moment, the next run knows what this one wrote.
 * @throws MkrootError before anything is changed if there are conflicts, unless `force` gives way to mkroot.
 */
export function applyOwnedTree(
  fs: FileSystem,
  plan: OwnedTreePlan,
  { force = false }: { readonly force?: boolean } = {},
): void {
  const { directory, changes, files, written } = plan;
  if (!force) refuseConflicts(plan);
  const wanted = new Map([...files].map(([path, file]) => [path, [digest(contents(file))]]));
  if (changes.length > 0) {
    fs.mkdir(directory);
    writeManifest(fs, directory, united(written, wanted));
  }
  // Texts name what links lead to: what a boot file names is there before it, and as long as it.
  const present = changes.filter(({ change }) => change !== 'removed').map(({ path }) => path);
  const isLink = (path: BytePath) => 'target' in files.get(path)!;
  for (const path of [...present.filter(isLink), ...present.filter((one) => !isLink(one))]) {
    place(fs, `${directory}/${path}`, files.get(path)!);
  }
  // Also what is gone already: an interrupted run may have left its directory.
  const removed = [...written.keys()].filter((path) => !files.has(path));
  const wasLink = (path: BytePath) => fs.lstat(`${directory}/${path}`)?.kind === 'symlink';
  for (const path of [...removed.filter((one) => !wasLink(one)), ...removed.filter(wasLink)]) {
    removeWithEmptyParents(fs, directory, path);
  }
  if (changes.length > 0 || !sameList(written, wanted)) writeManifest(fs, directory, wanted);
}

/** Takes away paths that mkroot wrote, and directories that are empty then; what it did not write stays. */
export function removeFromOwnedTree(fs: FileSystem, directory: BytePath, paths: readonly BytePath[]): void {
  const written = new Map(readManifest(fs, directory));
  const known = paths.filter((path) => written.has(path));
  if (known.length === 0) return;
  for (const path of known) {
    removeWithEmptyParents(fs, directory, path);
    written.delete(path);
  }
  writeManifest(fs, directory, written);
}

/** @throws MkrootError if a file of the tree would be lost that somebody else made or changed. */
export function refuseConflicts({ directory, changes }: OwnedTreePlan): void {
  const conflicts = changes.filter(({ conflict }) => conflict !== undefined);
  if (conflicts.length > 0) throw conflictError(directory, conflicts);
}

function changeOf(
  path: BytePath,
  before: string | undefined,
  after: string | undefined,
  written: WrittenFiles,
): OwnedChange {
  const known = written.get(path);
  const conflict =
    before === undefined || known?.includes(digest(before))
      ? undefined
      : known === undefined
        ? 'mkroot did not write it'
        : 'it was changed after mkroot wrote it';
  return {
    path,
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    ...(before === undefined ? {} : { before: forPeople(before) }),
    ...(after === undefined ? {} : { after: forPeople(after) }),
    ...(conflict === undefined ? {} : { conflict }),
  };
}

/** A file's text, with one character per byte, or where a link leads. */
function lookAt(fs: ReadFileSystem, path: BytePath): string | undefined {
  const stat = fs.lstat(path);
  if (stat === undefined) return undefined;
  if (stat.kind === 'symlink') return linkText(fs.readlink(path));
  if (stat.kind === 'file') return Buffer.from(fs.readFile(path)).toString('latin1');
  throw new MkrootError(`Cannot write "${displayPath(path)}": there is a ${stat.kind} in its place`, {
    exitCode: ExitCode.Io,
    hint: 'Move it away, or choose another directory.',
  });
}

function contents(file: OwnedFile): string {
  if ('target' in file) return linkText(file.target);
  // Nearly every text is ASCII, whose bytes are its characters.
  return /[^\x00-\x7f]/.test(file.text) ? toBytePath(file.text) : file.text;
}

/** No text file begins like this, so that a link is never taken for a file. */
const LINK = '\0-> ';

function linkText(target: BytePath): string {
  return `${LINK}${target}`;
}

function forPeople(found: string): string {
  return found.startsWith(LINK) ? `${found.slice(1)}\n` : found;
}

function digest(bytes: string): string {
  return createHash('sha256').update(bytes, 'latin1').digest('hex');
}

function place(fs: FileSystem, path: BytePath, file: OwnedFile): void {
  fs.mkdir(path.slice(0, path.lastIndexOf('/')));
  if ('text' in file) {
    fs.writeFile(path, file.text);
    return;
  }
  const beside = `${path}.mkroot-new`;
  fs.remove(beside);
  fs.symlink(file.target, beside);
  fs.rename(beside, path);
}

function removeWithEmptyParents(fs: FileSystem, directory: BytePath, path: BytePath): void {
  fs.remove(`${directory}/${path}`);
  const parents = path.split('/').slice(0, -1);
  while (parents.length > 0) {
    const parent = `${directory}/${parents.join('/')}`;
    parents.pop();
    if (fs.lstat(parent) === undefined) continue;
    if (fs.readdir(parent).length > 0) return;
    fs.remove(parent);
  }
}

/** Tells whether the directory of a path exists; throws if the way there leaves the tree. Each directory is looked at once. */
function directoryCheck(fs: ReadFileSystem, directory: BytePath): (path: BytePath) => boolean {
  const known = new Map<string, boolean>();
  const check = (parent: BytePath): boolean => {
    const found = known.get(parent);
    if (found !== undefined) return found;
    const slash = parent.lastIndexOf('/');
    const exists = parent === '' || check(slash < 0 ? '' : parent.slice(0, slash));
    const path = parent === '' ? directory : `${directory}/${parent}`;
    const stat = exists ? fs.lstat(path) : undefined;
    // The tree itself may be reached by a link: that is what its owner named.
    if (stat !== undefined && stat.kind !== 'directory' && !(parent === '' && stat.kind === 'symlink')) {
      throw new MkrootError(`Cannot write below "${displayPath(path)}": it is a ${stat.kind}, no directory`, {
        exitCode: ExitCode.Io,
        hint: 'Move it away, or choose another directory.',
      });
    }
    known.set(parent, stat !== undefined);
    return stat !== undefined;
  };
  return (path) => check(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
}

function requireRelative(path: BytePath): void {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw new MkrootError(`Cannot write "${displayPath(path)}": it does not lie below the tree`);
  }
}

function readManifest(fs: ReadFileSystem, directory: BytePath): WrittenFiles {
  const path = `${directory}/${OWNED_TREE_MANIFEST}`;
  if (fs.lstat(path) === undefined) return new Map();
  try {
    const { format, files } = JSON.parse(Buffer.from(fs.readFile(path)).toString('utf8')) as {
      format: unknown;
      files: Record<string, string[]>;
    };
    if (format !== 1) throw new Error('its format is another one');
    const entries = Object.entries(files).map(([name, digests]) => {
      requireRelative(name);
      return [toBytePath(name), digests.map(String)] as const;
    });
    return new Map(entries);
  } catch (cause) {
    throw new MkrootError(`Cannot read "${displayPath(path)}": it is no list of files that mkroot wrote`, {
      hint: 'Choose a new directory; mkroot will not touch files that it does not know.',
      cause,
    });
  }
}

function writeManifest(fs: FileSystem, directory: BytePath, files: WrittenFiles): void {
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = entries.map(
    ([path, digests]) => `${JSON.stringify(displayPath(path))}: ${JSON.stringify(digests)}`,
  );
  fs.writeFile(`${directory}/${OWNED_TREE_MANIFEST}`, `{"format": 1, "files": {\n${lines.join(',\n')}\n}}\n`);
}

function united(one: WrittenFiles, other: WrittenFiles): WrittenFiles {
  const all = new Map(one);
  for (const [path, digests] of other) {
    all.set(path, [...new Set([...(one.get(path) ?? []), ...digests])]);
  }
  return all;
}

function sameList(one: WrittenFiles, other: WrittenFiles): boolean {
  return (
    one.size === other.size && [...one].every(([path, digests]) => digests.join() === other.get(path)?.join())
  );
}

function conflictError(directory: BytePath, conflicts: readonly OwnedChange[]): MkrootError {
  const shown = conflicts.slice(0, 20);
  return new MkrootError(
    `Cannot write to "${displayPath(directory)}": ${conflicts.length} of its files would be lost`,
    {
      details: [
        ...shown.map(({ path, conflict }) => `  ${displayPath(path)}: ${conflict}`),
        ...(conflicts.length > shown.length ? [`  and ${conflicts.length - shown.length} more`] : []),
      ],
      hint: 'Look at them with --diff; --force overwrites them.',
    },
  );
}
