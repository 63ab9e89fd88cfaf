import { posix } from 'node:path';
import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import { type ArchiveEntry, checkEntryPath, directoryEntry, MAX_PATH_BYTES } from './entry.js';
import { describeReason, type Reason } from './reason.js';

/** The kernel follows at most 40 links in one lookup; see path_resolution(7). */
const MAX_LINKS = 40;

interface Node {
  entry: ArchiveEntry;
  /** Made because something lies below it; the first explicit entry takes its place. */
  implicit: boolean;
  reasons: Reason[];
}

/**
 * The contents of an archive before it is written: a consistent tree, so that the kernel, which unpacks entry by entry and
 * says nothing when one is in the way of another, cannot lose anything. Parents that are missing are made; an entry below a
 * symbolic link is placed where the link leads; what the kernel would drop or replace is refused.
 */
export class ArchiveTree {
  readonly #nodes = new Map<BytePath, Node>();

  /**
   * Adds an entry and returns the path at which it lies. The same entry again only adds its reason.
   * With `replace`, a file, link or device takes the place of another one.
   * @throws MkrootError for a bad name and for an entry that is in the way of another.
   */
  add(entry: ArchiveEntry, { replace = false }: { replace?: boolean } = {}): BytePath {
    checkEntryPath(entry.path);
    if (entry.kind === 'symlink') checkTarget(entry.path, entry.target);
    const path = this.#place(entry.path);
    const placed = path === entry.path ? entry : this.#moved(entry, path);
    const existing = this.#nodes.get(path);
    if (existing !== undefined) {
      this.#merge(existing, placed, replace);
      return path;
    }
    this.#makeParents(path);
    this.#nodes.set(path, { entry: placed, implicit: false, reasons: [entry.reason] });
    return path;
  }

  /** Where an entry of this name would lie: the links among its parents are followed. */
  placeOf(path: BytePath): BytePath {
    return this.#place(path);
  }

  /** The entry at exactly this path; links are not followed. */
  get(path: BytePath): ArchiveEntry | undefined {
    return this.#nodes.get(path)?.entry;
  }

  /** Why the entry is there, the first reason first; empty if there is no such entry. */
  reasons(path: BytePath): readonly Reason[] {
    return this.#nodes.get(path)?.reasons ?? [];
  }

  /** Number of entries. */
  get size(): number {
    return this.#nodes.size;
  }

  /** All entries in the order of their names' bytes; a directory comes before what it holds. */
  entries(): ArchiveEntry[] {
    // 'a' < 'a/b' in byte order, so that sorting alone puts parents first.
    return [...this.#nodes.keys()].sort(byteOrder).map((path) => this.#nodes.get(path)!.entry);
  }

  /** Where an entry of this name lies once the links among its parents are followed. */
  #place(path: BytePath): BytePath {
    const names = path.split('/');
    const last = names.pop()!;
    const pending = names.reverse();
    let at: BytePath = '';
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..') {
        at = parentOf(at);
        continue;
      }
      const next = at === '' ? name : `${at}/${name}`;
      const found = this.#nodes.get(next)?.entry;
      if (found?.kind === 'symlink') {
        links += 1;
        if (links > MAX_LINKS) throw conflict(path, 'its parents are a loop of symbolic links');
        if (found.target.startsWith('/')) at = '';
        pending.push(...found.target.split('/').filter(isRealName).reverse());
        continue;
      }
      if (found !== undefined && found.kind !== 'directory') {
        throw conflict(path, `"${displayPath(next)}" is no directory but a ${describe(found)}`);
      }
      at = next;
    }
    const placed = at === '' ? last : `${at}/${last}`;
    if (placed.length > MAX_PATH_BYTES) throw conflict(path, 'its name gets too long where the links lead');
    return placed;
  }

  /** An entry at another place than it names. A link that climbs from there leads elsewhere, so it is made absolute then. */
  #moved(entry: ArchiveEntry, path: BytePath): ArchiveEntry {
    if (entry.kind !== 'symlink' || entry.target.startsWith('/') || !entry.target.includes('..')) {
      return { ...entry, path };
    }
    const [meant, found] = [entry.path, path].map((from) =>
      posix.join('/', parentOf(from), entry.target).slice(1),
    ) as [BytePath, BytePath];
    const isRoot = meant === '' || found === '';
    if (isRoot ? meant === found : this.#place(meant) === this.#place(found)) return { ...entry, path };
    return { ...entry, path, target: `/${meant}` };
  }

  #makeParents(path: BytePath): void {
    for (let parent = parentOf(path); parent !== '' && !this.#nodes.has(parent); parent = parentOf(parent)) {
      const reason: Reason = { kind: 'parent', of: path };
      this.#nodes.set(parent, { entry: directoryEntry(parent, reason), implicit: true, reasons: [reason] });
    }
  }

  #merge(node: Node, entry: ArchiveEntry, replace: boolean): void {
    const { entry: old } = node;
    if (node.implicit && entry.kind === 'directory') {
      node.entry = entry;
      node.implicit = false;
      node.reasons.unshift(entry.reason);
      return;
    }
    if (isSame(old, entry)) {
      const said = describeReason(entry.reason);
      if (!node.reasons.some((reason) => describeReason(reason) === said)) node.reasons.push(entry.reason);
      return;
    }
    if (replace && old.kind !== 'directory' && entry.kind !== 'directory') {
      node.entry = entry;
      node.reasons = [entry.reason];
      return;
    }
    throw conflict(
      entry.path,
      `a ${describe(entry)} is in conflict with the ${describe(old)} there (${node.reasons.map(describeReason).join('; ')})`,
      entry.kind === 'symlink' && old.kind === 'directory'
        ? 'Add the link before what lies below it; the entries then go where it leads.'
        : 'Choose another destination, or leave one of the two out.',
    );
  }
}

/** Compares two paths by their bytes, for sort. */
export function byteOrder(a: BytePath, b: BytePath): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSame(a: ArchiveEntry, b: ArchiveEntry): boolean {
  if (a.uid !== b.uid || a.gid !== b.gid) return false;
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target;
  if (a.mode !== b.mode) return false;
  if (a.kind === 'directory') return b.kind === 'directory';
  if (a.kind === 'device') {
    return b.kind === 'device' && a.type === b.type && a.major === b.major && a.minor === b.minor;
  }
  if (b.kind !== 'file') return false;
  if (a.content.from === 'host') {
    return b.content.from === 'host' && a.content.hostPath === b.content.hostPath;
  }
  return b.content.from === 'bytes' && Buffer.compare(a.content.data, b.content.data) === 0;
}

function describe(entry: ArchiveEntry): string {
  switch (entry.kind) {
    case 'symlink':
      return `symbolic link to "${displayPath(entry.target)}"`;
    case 'device':
      return `${entry.type} device ${entry.major}:${entry.minor}`;
    default:
      return `${entry.kind} of mode ${entry.mode.toString(8).padStart(4, '0')}`;
  }
}

function checkTarget(path: BytePath, target: BytePath): void {
  if (target === '') throw conflict(path, 'the link has no target');
  if (target.includes('\0')) throw conflict(path, 'the link has a NUL byte in its target');
  if (target.length > MAX_PATH_BYTES) throw conflict(path, `the link's target has ${target.length} bytes`);
}

function parentOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isRealName(name: BytePath): boolean {
  return name !== '' && name !== '.';
}

function conflict(path: BytePath, what: string, hint?: string): MkrootError {
  return new MkrootError(
    `Cannot add "${displayPath(path)}" to the archive: ${what}`,
    hint === undefined ? {} : { hint },
  );
}
