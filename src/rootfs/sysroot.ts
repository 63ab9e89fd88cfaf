import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../ports/file-system.js';

/** The kernel follows at most 40 links in one lookup; see path_resolution(7). */
const MAX_LINKS = 40;

/**
 * Directories that Debian's usr-merge turns into links to /usr. A root whose packages were only unpacked has files below
 * /usr/lib but programs that ask for /lib/ld-linux-aarch64.so.1; the link is made when base-files is configured.
 */
const USR_MERGED: ReadonlySet<string> = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libo32', 'libx32']);

/** A symbolic link that a lookup went through, as paths inside the root. */
export interface FollowedLink {
  readonly path: BytePath;
  /** The link's text as it stands. */
  readonly target: BytePath;
  /** The root lacks this link of the merged /usr; whoever copies from the root has to make it. */
  readonly implied?: true;
}

/** What a path inside a root comes to. */
export interface Resolved {
  /** Absolute path inside the root, without links, '.' or '..'. */
  readonly path: BytePath;
  /** The same place as the host sees it; open this one. */
  readonly hostPath: BytePath;
  readonly stat: FileStat;
  /** Every link on the way, in the order in which they were met. */
  readonly links: readonly FollowedLink[];
}

/**
 * A root directory, looked at from inside: every lookup resolves every component within it, as chroot(2) would. An
 * absolute link starts again at the root, '..' stops there. A root that was unpacked without its usr-merge links is read as
 * if it had them (see {@link FollowedLink.implied}). This is the only walker of foreign roots; nothing in it can
 * leave the root.
 */
export class Sysroot {
  constructor(
    readonly fs: ReadFileSystem,
    /** The root directory on the host, without a trailing slash ('' is the host's own root). */
    readonly root: BytePath,
  ) {}

  /** The root directory as errors name it. */
  get displayName(): string {
    return this.root === '' ? '/' : displayPath(this.root);
  }

  /**
   * Follows every link of `path`, the last component's too. Undefined if there is nothing at its end.
   * @throws MkrootError if more than 40 links have to be followed (a loop).
   */
  resolve(path: BytePath): Resolved | undefined {
    return this.#walk(path, true);
  }

  /** Like {@link resolve}, but a link in the last place is the result, not followed. */
  resolveLink(path: BytePath): Resolved | undefined {
    return this.#walk(path, false);
  }

  /**
   * Like {@link resolve} for one name in a directory that is resolved already; the way there is not walked again, which
   * makes a search through many directories four times cheaper.
   */
  resolveIn(directory: Resolved, name: BytePath): Resolved | undefined {
    const path = directory.path === '/' ? `/${name}` : `${directory.path}/${name}`;
    if (name === '.' || name === '..' || name.includes('/')) return this.resolve(path);
    const hostPath = this.#onHost(path);
    const stat = this.fs.lstat(hostPath);
    if (stat === undefined) return undefined;
    return stat.kind === 'symlink' ? this.resolve(path) : { path, hostPath, stat, links: [] };
  }

  /** True if the path ends at a regular file, through whatever links. */
  isFile(path: BytePath): boolean {
    return this.resolve(path)?.stat.kind === 'file';
  }

  /**
   * The contents of a regular file.
   * @throws MkrootError with exit code NotFound if there is none.
   */
  readFile(path: BytePath): Uint8Array {
    const resolved = this.resolve(path);
    if (resolved?.stat.kind !== 'file') {
      throw new MkrootError(
        `Cannot read "${displayPath(path)}" in "${this.displayName}": there is no such file`,
        {
          exitCode: ExitCode.NotFound,
        },
      );
    }
    return this.fs.readFile(resolved.hostPath);
  }

  /** Names in a directory of the root in byte order; empty if there is no such directory. */
  list(path: BytePath): BytePath[] {
    const resolved = this.resolve(path);
    return resolved?.stat.kind === 'directory' ? this.fs.readdir(resolved.hostPath) : [];
  }

  /**
   * Every entry below a directory, parents first, in byte order; links are reported, not followed. Paths are inside the
   * root and start with the resolved directory.
   */
  *walk(path: BytePath): Generator<Resolved> {
    const top = this.resolve(path);
    if (top?.stat.kind !== 'directory') return;
    const pending = [top.path];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      const below: BytePath[] = [];
      for (const name of this.fs.readdir(this.#onHost(directory))) {
        const child = directory === '/' ? `/${name}` : `${directory}/${name}`;
        const stat = this.fs.lstat(this.#onHost(child));
        if (stat === undefined) continue;
        yield { path: child, hostPath: this.#onHost(child), stat, links: [] };
        if (stat.kind === 'directory') below.push(child);
      }
      pending.push(...below.reverse());
    }
  }

  /** True for /lib and its like in a root where only /usr/lib exists. */
  #isImplied(directory: BytePath, name: BytePath): boolean {
    return (
      directory === '' &&
      USR_MERGED.has(name) &&
      // A /usr that is a link would lead lstat out of the root.
      this.fs.lstat(this.#onHost('/usr'))?.kind === 'directory' &&
      this.fs.lstat(this.#onHost(`/usr/${name}`))?.kind === 'directory'
    );
  }

  #onHost(path: BytePath): BytePath {
    return path === '/' && this.root !== '' ? this.root : `${this.root}${path}`;
  }

  #walk(path: BytePath, followLast: boolean): Resolved | undefined {
    const links: FollowedLink[] = [];
    const pending = components(path).reverse();
    let at = '';
    let stat = this.fs.lstat(this.#onHost('/'));
    while (pending.length > 0) {
      const name = pending.pop()!;
      if (stat?.kind !== 'directory') return undefined;
      if (name === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        stat = this.fs.lstat(this.#onHost(at === '' ? '/' : at));
        continue;
      }
      const next = `${at}/${name}`;
      const found = this.fs.lstat(this.#onHost(next));
      if (found === undefined) {
        if ((pending.length === 0 && !followLast) || !this.#isImplied(at, name)) return undefined;
        links.push({ path: next, target: `usr/${name}`, implied: true });
        pending.push(name, 'usr');
        continue;
      }
      if (found.kind === 'symlink' && (pending.length > 0 || followLast)) {
        const target = this.fs.readlink(this.#onHost(next));
        links.push({ path: next, target });
        if (links.length > MAX_LINKS) throw tooManyLinks(path, this.root);
        pending.push(...components(target).reverse());
        if (target.startsWith('/')) at = '';
        stat = this.fs.lstat(this.#onHost(at === '' ? '/' : at));
        continue;
      }
      at = next;
      stat = found;
    }
    if (stat === undefined) return undefined;
    const resolved = at === '' ? '/' : at;
    return { path: resolved, hostPath: this.#onHost(resolved), stat, links };
  }
}

function components(path: BytePath): BytePath[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function tooManyLinks(path: BytePath, root: BytePath): MkrootError {
  return new MkrootError(
    `Cannot resolve "${displayPath(path)}" in "${displayPath(root)}": more than ${MAX_LINKS} symbolic links, probably a loop`,
    {
      exitCode: ExitCode.InvalidInput,
      hint: `Look at it with: namei ${displayPath(root)}${displayPath(path)}`,
    },
  );
}
