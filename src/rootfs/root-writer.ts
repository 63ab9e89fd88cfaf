import { dirname, isAbsolute, join as joinPath } from 'node:path/posix';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import { Sysroot } from './sysroot.js';

/** Owner and permissions of something that is written into a root. */
export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const ROOT_DIRECTORY: Ownership = { mode: 0o755, uid: 0, gid: 0 };

/**
 * Writes into a root directory, never outside of it: the parents of every path are resolved inside the root, and a link
 * in the last place is replaced, not followed.
 */
export class RootWriter {
  readonly sysroot: Sysroot;

  constructor(
    private readonly fs: FileSystem,
    root: BytePath,
  ) {
    this.sysroot = new Sysroot(fs, root);
  }

  /** A regular file; replaces a file or link. Missing parents belong to root with mode 0755. */
  file(path: BytePath, data: Uint8Array | string, owner: Ownership): void {
    const host = this.#place(path);
    this.fs.writeFile(host, data, owner.mode & 0o777);
    this.#own(host, owner);
  }

  /** A copy of a file of the host. */
  copy(source: BytePath, path: BytePath, owner: Ownership): void {
    const host = this.#place(path);
    const output = this.fs.create(host, owner.mode & 0o777);
    try {
      for (const chunk of this.fs.readChunks(source)) output.write(chunk);
      output.commit();
    } catch (error) {
      output.abort();
      throw error;
    }
    this.#own(host, owner);
  }

  /** Makes a directory with its parents; one that exists (or a link to one) gets owner and mode only if `owner` is given. */
  directory(path: BytePath, owner?: Ownership): void {
    const existing = this.sysroot.resolve(path);
    if (existing?.stat.kind === 'directory') {
      if (owner !== undefined) this.#own(existing.hostPath, owner);
      return;
    }
    if (existing !== undefined) throw inTheWay(path, existing.stat.kind);
    const link = this.sysroot.resolveLink(path);
    if (link !== undefined) {
      // A link to nothing (resolve says so): make what it points to, inside the root.
      this.directory(join(dirname(link.path), this.fs.readlink(link.hostPath)), owner);
      return;
    }
    const host = this.#place(path);
    this.fs.mkdir(host);
    this.#own(host, owner ?? ROOT_DIRECTORY);
  }

  symlink(target: BytePath, path: BytePath): void {
    const host = this.#place(path);
    this.fs.remove(host);
    this.fs.symlink(target, host);
  }

  /** Removes a file, link or whole tree; no error if there is nothing. */
  remove(path: BytePath): void {
    const found = this.sysroot.resolveLink(path);
    if (found !== undefined) this.fs.remove(found.hostPath);
  }

  /** Removes everything in a directory, not the directory. */
  empty(path: BytePath): void {
    for (const name of this.sysroot.list(path)) this.remove(`${path}/${name}`);
  }

  /** Where to write a path on the host; its parents exist afterwards, and no directory is in the way. */
  #place(path: BytePath): BytePath {
    const clean = `/${path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/')}`;
    const parent = dirname(clean);
    if (this.sysroot.resolve(parent)?.stat.kind !== 'directory') this.directory(parent);
    const resolved = this.sysroot.resolve(parent)!;
    const host = `${resolved.hostPath === '/' ? '' : resolved.hostPath}/${clean.slice(clean.lastIndexOf('/') + 1)}`;
    const kind = this.fs.lstat(host)?.kind;
    if (kind === 'directory') throw inTheWay(path, kind);
    return host;
  }

  #own(host: BytePath, { mode, uid, gid }: Ownership): void {
    this.fs.chown(host, uid, gid);
    this.fs.chmod(host, mode); // after chown(2), which takes setuid and setgid away
  }
}

/** Where a link in `directory` leads; '..' stops at the root. */
function join(directory: BytePath, target: BytePath): BytePath {
  return isAbsolute(target) ? target : joinPath(directory, target);
}

function inTheWay(path: BytePath, kind: string): MkrootError {
  return new MkrootError(`Cannot write "${displayPath(path)}" into the root: a ${kind} is in the way`, {
    exitCode: ExitCode.InvalidInput,
  });
}
