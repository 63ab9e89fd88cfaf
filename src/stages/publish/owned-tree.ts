import { fileState } from '../../engine/file-state.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { FileStat, FileSystem, ReadFileSystem } from '../../ports/file-system.js';
import { sha256 } from '../../ports/sha256.js';
import {
  readOwnedTreeList,
  requireRelative,
  type WrittenFile,
  type WrittenFiles,
  writeOwnedTreeList,
} from './owned-tree-list.js';

/** What belongs at a path of a tree: text, or a symbolic link to a target. */
export type OwnedFile = OwnedText | { readonly target: BytePath };

/** Text that belongs at one or more paths. */
export interface OwnedText {
  /** Makes the text, whenever it is wanted: a tree may have more than fits into memory. */
  render(): string;
  /** It is known to be what mkroot wrote there last, so that nothing has to be rendered where nobody changed the file. */
  readonly asWritten?: boolean;
}

/** How one path of a tree differs from what belongs there. */
export interface OwnedChange {
  /** Below the tree. */
  readonly path: BytePath;
  readonly change: 'added' | 'changed' | 'removed';
  /** Why it would not be overwritten: somebody else made it, or changed it after mkroot wrote it. */
  readonly conflict?: string;
}

/** What is at a path of a tree and what belongs there: texts, `-> target` of a link; undefined if nothing is. */
export interface OwnedContents {
  readonly before: string | undefined;
  readonly after: string | undefined;
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
  /** What the list will say, as far as it is known; the state of a file that has to be written is not. */
  readonly wanted: WrittenFiles;
}

/** What is known of a tree before it is looked at. */
export interface KnownTree {
  /** What its list says. */
  readonly written: WrittenFiles;
  /** See {@link looksAsListed}; whoever has looked already may know. */
  readonly isAsListed: (path: BytePath, known: WrittenFile) => boolean;
}

/**
 * Compares a directory with the files that belong there, without changing anything. Files that look as they did when their
 * digest was noted are not read.
 * @throws MkrootError if a part of a path is a link or a file, since what is below would lie elsewhere.
 */
export function planOwnedTree(
  fs: ReadFileSystem,
  directory: BytePath,
  files: ReadonlyMap<BytePath, OwnedFile>,
  { written, isAsListed }: KnownTree = knownTree(fs, directory),
): OwnedTreePlan {
  const look = (path: BytePath, known: WrittenFile | undefined): Present | undefined => {
    if (!isInside(path)) return undefined;
    return known !== undefined && isAsListed(path, known)
      ? { digest: known.digests[0]!, state: known.state }
      : lookAt(fs, `${directory}/${path}`);
  };
  const isInside = directoryCheck(fs, directory);
  const wantedOf = wantedOfLast();
  const changes: OwnedChange[] = [];
  const wanted = new Map<BytePath, WrittenFile>();
  let unchanged = 0;
  for (const [path, file] of files) {
    requireRelative(path);
    const known = written.get(path);
    const present = look(path, known);
    const belongs = isAsWritten(file, known) ? known : wantedOf(file);
    const { digests } = belongs;
    if (present !== undefined && present.digest === digests[0]) {
      unchanged += 1;
      const isKnown = known?.state === present.state && known.digests.length === 1;
      wanted.set(path, isKnown ? known : { digests, state: present.state });
    } else {
      changes.push(changeOf(path, present, true, known));
      wanted.set(path, belongs.state === '' ? belongs : { digests, state: '' });
    }
  }
  for (const [path, known] of written) {
    if (files.has(path)) continue;
    const present = look(path, known);
    if (present !== undefined) changes.push(changeOf(path, present, false, known));
  }
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { directory, changes, unchanged, files, written, wanted };
}

/** What a change takes away and what it brings, for people: it is read and rendered again. */
export function ownedContents(
  fs: ReadFileSystem,
  { directory, files }: OwnedTreePlan,
  path: BytePath,
): OwnedContents {
  const file = files.get(path);
  const before = readBack(fs, `${directory}/${path}`);
  return {
    before: before === undefined ? undefined : forPeople(before),
    after: file === undefined ? undefined : forPeople(contents(file)),
  };
}

/** Whether the tree's list would say something else after a plan without changes, such as new states of files. */
export function isListOutdated({ written, wanted }: OwnedTreePlan): boolean {
  return (
    written.size !== wanted.size ||
    [...wanted].some(([path, file]) => {
      const known = written.get(path);
      return known !== file && (known?.state !== file.state || known.digests.join() !== file.digests.join());
    })
  );
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
  const wanted = new Map(plan.wanted);
  if (changes.length > 0) {
    fs.mkdir(directory);
    writeOwnedTreeList(fs, directory, united(written, wanted));
  }
  // Texts name what links lead to: what a boot file names is there before it, and as long as it.
  const present = changes.filter(({ change }) => change !== 'removed').map(({ path }) => path);
  const isLink = (path: BytePath) => 'target' in files.get(path)!;
  const place = placer(fs);
  for (const path of [...present.filter(isLink), ...present.filter((one) => !isLink(one))]) {
    place(`${directory}/${path}`, files.get(path)!);
    const stat = fs.lstat(`${directory}/${path}`);
    wanted.set(path, { ...wanted.get(path)!, state: stat === undefined ? '' : fileState(stat) });
  }
  // Also what is gone already: an interrupted run may have left its directory.
  const removed = [...written.keys()].filter((path) => !files.has(path));
  const wasLink = (path: BytePath) => fs.lstat(`${directory}/${path}`)?.kind === 'symlink';
  for (const path of [...removed.filter((one) => !wasLink(one)), ...removed.filter(wasLink)]) {
    removeWithEmptyParents(fs, directory, path);
  }
  if (changes.length > 0 || isListOutdated({ ...plan, wanted })) writeOwnedTreeList(fs, directory, wanted);
}

/** Takes away paths that mkroot wrote, and directories that are empty then; what it did not write stays. */
export function removeFromOwnedTree(fs: FileSystem, directory: BytePath, paths: readonly BytePath[]): void {
  const written = new Map(readOwnedTreeList(fs, directory));
  const known = paths.filter((path) => written.has(path));
  if (known.length === 0) return;
  for (const path of known) {
    removeWithEmptyParents(fs, directory, path);
    written.delete(path);
  }
  writeOwnedTreeList(fs, directory, written);
}

/** @throws MkrootError if a file of the tree would be lost that somebody else made or changed. */
export function refuseConflicts({ directory, changes }: OwnedTreePlan): void {
  const conflicts = changes.filter(({ conflict }) => conflict !== undefined);
  if (conflicts.length > 0) throw conflictError(directory, conflicts);
}

function changeOf(
  path: BytePath,
  before: Present | undefined,
  wanted: boolean,
  known: WrittenFile | undefined,
): OwnedChange {
  const conflict =
    before === undefined || known?.digests.includes(before.digest)
      ? undefined
      : known === undefined
        ? 'mkroot did not write it'
        : 'it was changed after mkroot wrote it';
  return {
    path,
    change: before === undefined ? 'added' : wanted ? 'changed' : 'removed',
    ...(conflict === undefined ? {} : { conflict }),
  };
}

/** What is at a path. */
interface Present {
  readonly digest: string;
  readonly state: string;
}

function knownTree(fs: ReadFileSystem, directory: BytePath): KnownTree {
  return {
    written: readOwnedTreeList(fs, directory),
    isAsListed: (path, known) => looksAsListed(fs, `${directory}/${path}`, known),
  };
}

/** Whether a file looks as it did when its digest was noted, so that it need not be read. */
export function looksAsListed(fs: ReadFileSystem, path: BytePath, { digests, state }: WrittenFile): boolean {
  if (digests.length !== 1 || state === '') return false;
  const stat = fs.lstat(path);
  return stat !== undefined && fileState(stat) === state;
}

function lookAt(fs: ReadFileSystem, path: BytePath): Present | undefined {
  const stat = fs.lstat(path);
  const found = readBack(fs, path, stat);
  return stat === undefined || found === undefined
    ? undefined
    : { digest: digestOf(found), state: fileState(stat) };
}

/** A file's text, with one character per byte, or where a link leads. */
function readBack(fs: ReadFileSystem, path: BytePath, stat: FileStat | undefined = fs.lstat(path)) {
  if (stat === undefined) return undefined;
  if (stat.kind === 'symlink') return linkText(fs.readlink(path));
  if (stat.kind === 'file') return Buffer.from(fs.readFile(path)).toString('latin1');
  throw new MkrootError(`Cannot write "${displayPath(path)}": there is a ${stat.kind} in its place`, {
    exitCode: ExitCode.Io,
    hint: 'Move it away, or choose another directory.',
  });
}

function isAsWritten(file: OwnedFile, known: WrittenFile | undefined): known is WrittenFile {
  return known?.digests.length === 1 && 'render' in file && file.asWritten === true;
}

function contents(file: OwnedFile): string {
  if ('target' in file) return linkText(file.target);
  const text = file.render();
  // Nearly every text is ASCII, whose bytes are its characters.
  return /[^\x00-\x7f]/.test(text) ? toBytePath(text) : text;
}

/** What belongs at paths, its state unknown. Those with the same file come one after the other: it is rendered once. */
function wantedOfLast(): (file: OwnedFile) => WrittenFile {
  let last: { readonly file: OwnedFile; readonly wanted: WrittenFile } | undefined;
  return (file) => {
    if (last?.file !== file) {
      // The file has the text in UTF-8, as the digest takes it.
      const digest = 'target' in file ? digestOf(linkText(file.target)) : sha256(file.render());
      last = { file, wanted: { digests: [digest], state: '' } };
    }
    return last.wanted;
  };
}

/** No text file begins like this, so that a link is never taken for a file. */
const LINK = '\0-> ';

function linkText(target: BytePath): string {
  return `${LINK}${target}`;
}

function forPeople(found: string): string {
  return found.startsWith(LINK) ? `${found.slice(1)}\n` : found;
}

function digestOf(bytes: string): string {
  return sha256(Buffer.from(bytes, 'latin1'));
}

/** Puts files into place, each in one step; directories are made once. */
function placer(fs: FileSystem): (path: BytePath, file: OwnedFile) => void {
  const made = new Set<BytePath>();
  return (path, file) => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (!made.has(parent)) fs.mkdir(parent);
    made.add(parent);
    if ('render' in file) {
      fs.writeFile(path, file.render());
      return;
    }
    const beside = `${path}.mkroot-new`;
    fs.remove(beside);
    fs.symlink(file.target, beside);
    fs.rename(beside, path);
  };
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

/** While files are replaced, each may be the old or the new one. */
function united(one: WrittenFiles, other: WrittenFiles): WrittenFiles {
  const all = new Map(one);
  for (const [path, file] of other) {
    const digests = [...new Set([...(one.get(path)?.digests ?? []), ...file.digests])];
    all.set(path, { digests, state: digests.length === 1 ? file.state : '' });
  }
  return all;
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
