import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { childPath } from './layer-entry.js';
import { DirectoryView, StackView, type ViewedEntry } from './layer-view.js';
import { matchesPath } from './path-pattern.js';
import { isIdentityPath } from './secrets.js';

/** A path that a session made or changed. */
export interface ChangedPath extends ViewedEntry {
  readonly path: BytePath;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Where its contents are, as long as the session lasts. */
  readonly hostPath: BytePath;
}

/** Something that a session made and that does not belong into a layer. */
export interface LeftOut {
  readonly path: BytePath;
  readonly why: string;
}

/** What a session changed, compared with the layers that it started from. */
export interface SessionChanges {
  /** Directories before what is in them. */
  readonly changed: readonly ChangedPath[];
  /** The topmost path of what was deleted. */
  readonly deleted: readonly BytePath[];
  readonly leftOut: readonly LeftOut[];
}

/** Where a session's trees lie. */
export interface SessionTrees {
  /** What was written: upper directory of the overlay. */
  readonly upper: BytePath;
  /** The merged tree, still mounted. */
  readonly merged: BytePath;
  /** What it started from, the topmost first. */
  readonly below: readonly BytePath[];
}

/** Mounts of the session; what they hide was never written to. */
const MOUNTS = ['/dev', '/proc', '/run', '/sys', '/tmp'];

/** What programs leave behind and nobody wants on every node, and why. */
const LEFT_OUT: readonly (readonly [why: string, patterns: readonly string[]])[] = [
  ['a cache', ['/var/lib/apt/lists/**', '/root/.cache', '/root/.cpan', '/home/*/.cache']],
  [
    'a temporary file',
    ['/var/tmp/**', '/var/lib/dpkg/*-old', '/etc/*-', '/etc/.pwd.lock', '/var/lib/dpkg/lock*'],
  ],
  ['a history', ['/root/.*_history', '/root/.lesshst', '/root/.viminfo', '/home/*/.*_history']],
];

/** The same for files only: the directories are made by packages, whose programs fail without them. */
const LEFT_OUT_FILES: typeof LEFT_OUT = [
  ['a cache', ['/var/cache/**']],
  ['a log', ['/var/log/**']],
];

/** Names that editors and compilers leave anywhere. */
const LEFT_OUT_NAMES = /^(.*~|\..*\.sw[a-p]|__pycache__|.*\.dpkg-(new|tmp))$/;

/** Finds what a session changed. What it wrote and took back, or only touched, is no change. */
export function sessionChanges(fs: ReadFileSystem, { upper, merged, below }: SessionTrees): SessionChanges {
  const written = new DirectoryView(fs, upper);
  const shown = new DirectoryView(fs, merged);
  const layers = below.map((layer) => new DirectoryView(fs, layer));
  const before = new StackView(layers);
  const changed: ChangedPath[] = [];
  const deleted: BytePath[] = [];
  const leftOut: LeftOut[] = [];
  const visit = (directory: BytePath) => {
    const now = new Set(shown.names(directory));
    for (const name of before.names(directory)) {
      const path = childPath(directory, name);
      if (now.has(name) || MOUNTS.includes(path)) continue;
      if (reasonToLeaveOut(path, 'file') === undefined) deleted.push(path);
    }
    for (const name of written.names(directory)) {
      const path = childPath(directory, name);
      if (MOUNTS.includes(path) || path === '/etc/resolv.conf') continue;
      const entry = written.entry(path);
      if (entry === undefined || entry.kind === 'whiteout') continue;
      const old = before.entry(path);
      const hostPath = written.hostPath(path);
      if (entry.kind !== 'directory' && isSame(fs, entry, hostPath, old, holder(layers, path))) continue;
      const why = entry.kind === 'special' ? 'a device, pipe or socket' : reasonToLeaveOut(path, entry.kind);
      if (why !== undefined || entry.kind === 'special') {
        leftOut.push({ path, why: why ?? 'a special file' });
        continue;
      }
      if (!(entry.kind === 'directory' && sameOwnership(entry, old))) {
        changed.push({ ...entry, kind: entry.kind, path, hostPath });
      }
      if (entry.kind === 'directory') visit(path);
    }
  };
  visit('/');
  return { changed, deleted: deleted.sort(), leftOut };
}

function reasonToLeaveOut(path: BytePath, kind: ViewedEntry['kind']): string | undefined {
  if (isIdentityPath(path)) return 'identity of a single node';
  if (LEFT_OUT_NAMES.test(path.slice(path.lastIndexOf('/') + 1))) return 'a temporary file';
  const lists = kind === 'directory' ? LEFT_OUT : [...LEFT_OUT, ...LEFT_OUT_FILES];
  return lists.find(([, patterns]) => patterns.some((pattern) => matchesPath(pattern, path)))?.[0];
}

function holder(layers: readonly DirectoryView[], path: BytePath): BytePath | undefined {
  return layers.find((layer) => layer.entry(path) !== undefined)?.hostPath(path);
}

function sameOwnership(a: ViewedEntry, b: ViewedEntry | undefined): boolean {
  return b !== undefined && a.kind === b.kind && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function isSame(
  fs: ReadFileSystem,
  entry: ViewedEntry,
  hostPath: BytePath,
  old: ViewedEntry | undefined,
  oldPath: BytePath | undefined,
): boolean {
  if (!sameOwnership(entry, old) || oldPath === undefined) return false;
  if (entry.kind === 'symlink') return entry.target === old?.target;
  return entry.kind === 'file' && sameBytes(fs, hostPath, oldPath);
}

function sameBytes(fs: ReadFileSystem, a: BytePath, b: BytePath): boolean {
  const size = fs.lstat(a)?.size;
  if (size === undefined || size !== fs.lstat(b)?.size) return false;
  const step = 1 << 20;
  for (let offset = 0; offset < size; offset += step) {
    const left = Buffer.from(fs.readRange(a, offset, step));
    if (!left.equals(fs.readRange(b, offset, step))) return false;
  }
  return true;
}

/** One line per change, as `git status --short` has it. */
export function changeLines({ changed, deleted, leftOut }: SessionChanges): string[] {
  return [
    ...changed.map(({ path, kind }) => `  + ${displayPath(path)}${kind === 'directory' ? '/' : ''}`),
    ...deleted.map((path) => `  - ${displayPath(path)}`),
    ...leftOut.map(({ path, why }) => `  . ${displayPath(path)} (left out: ${why})`),
  ];
}
