import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileAttributes, FileKind, FileStat, FileSystem, OutputFile } from '../ports/file-system.js';
import { ioError, isCode } from './io-error.js';

/** The functions of node:fs that the port is made from; memfs offers the same, for tests. */
export type NodeFs = Pick<
  typeof fs,
  | 'chmodSync'
  | 'closeSync'
  | 'fchmodSync'
  | 'fchownSync'
  | 'futimesSync'
  | 'lchownSync'
  | 'linkSync'
  | 'lstatSync'
  | 'lutimesSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'renameSync'
  | 'rmdirSync'
  | 'statSync'
  | 'symlinkSync'
  | 'unlinkSync'
  | 'writeSync'
>;

/** How a byte path is handed to the file functions: as bytes to the kernel, as it is to memfs. */
export interface PathCodec {
  encode(path: BytePath): string | Buffer;
}

const ASCII = /^[\x00-\x7f]*$/;

/** Bytes that are read at once at most: what one read(2) of node takes. No initramfs, index or recipe comes near it. */
const MAX_WHOLE = 2 ** 31 - 2;

/** Bytes of a name in a directory (limits.h). */
const NAME_MAX = 255;

/** {@link FileSystem} over node:fs (or memfs): byte names, whole-file atomic writes, errors that name the path. */
export class DiskFileSystem implements FileSystem {
  #temporary = 0;

  constructor(
    private readonly node: NodeFs = fs,
    private readonly codec: PathCodec = {
      // What is ASCII is the same in bytes, and quicker as text.
      encode: (path) => (ASCII.test(path) ? path : Buffer.from(path, 'latin1')),
    },
  ) {}

  lstat(path: BytePath): FileStat | undefined {
    try {
      const stat = this.node.lstatSync(this.codec.encode(path), { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      return {
        kind: kindOf(stat),
        size: stat.size,
        mode: stat.mode & 0o7777,
        uid: stat.uid,
        gid: stat.gid,
        mtime: Math.floor(stat.mtimeMs / 1000),
        changedMs: stat.ctimeMs,
        dev: stat.dev,
        ino: stat.ino,
        nlink: stat.nlink,
        rdev: stat.rdev === 0 ? NO_DEVICE : splitDeviceNumber(stat.rdev),
      };
    } catch (cause) {
      if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) return undefined;
      throw ioError('stat', path, cause);
    }
  }

  readFile(path: BytePath): Uint8Array {
    return this.#withFile(path, (fd) => {
      const size = this.node.lstatSync(this.codec.encode(path)).size;
      if (size > MAX_WHOLE) throw tooLargeToRead(path, `it has ${size} bytes`);
      const chunks: Buffer[] = [];
      let total = 0;
      // Nodes have tens of thousands of small files: a buffer that is larger than the file would cost more than reading it.
      let want = size === 0 ? 4096 : size + 1;
      for (;;) {
        const buffer = Buffer.allocUnsafe(want);
        const count = this.node.readSync(fd, buffer, 0, want, null);
        if (count === 0) break;
        chunks.push(buffer.subarray(0, count));
        total += count;
        if (total > MAX_WHOLE) throw tooLargeToRead(path, 'it does not end');
        // Files of /proc say that they are empty; anything else ends where it says.
        if (total === size) break;
        want = count < want ? 4096 : 1 << 20;
      }
      return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    });
  }

  readRange(path: BytePath, offset: number, length: number): Uint8Array {
    return this.#withFile(path, (fd) => {
      const buffer = Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const count = this.node.readSync(fd, buffer, done, length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return buffer.subarray(0, done);
    });
  }

  *readChunks(path: BytePath, chunkSize = 1 << 20): Iterable<Uint8Array> {
    const fd = this.#open(path);
    try {
      // Trees have many small files: a buffer of 1 MiB for each would keep the garbage collector busy for minutes.
      const size = this.node.statSync(this.codec.encode(path)).size;
      const buffer = Buffer.allocUnsafe(Math.min(chunkSize, Math.max(size + 1, 4096)));
      for (;;) {
        let count: number;
        try {
          count = this.node.readSync(fd, buffer, 0, buffer.length, null);
        } catch (cause) {
          throw ioError('read', path, cause);
        }
        if (count === 0) return;
        yield buffer.subarray(0, count);
      }
    } finally {
      this.node.closeSync(fd);
    }
  }

  readlink(path: BytePath): BytePath {
    return this.#attempt('read link', path, () =>
      bytes(this.node.readlinkSync(this.codec.encode(path), { encoding: 'buffer' })),
    );
  }

  readdir(path: BytePath): BytePath[] {
    return this.#attempt('list', path, () =>
      this.node
        .readdirSync(this.codec.encode(path), { encoding: 'buffer' })
        .map(bytes)
        .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    );
  }

  writeFile(path: BytePath, data: Uint8Array | string, mode = 0o644): void {
    const file = this.create(path, mode);
    try {
      file.write(typeof data === 'string' ? Buffer.from(data, 'utf8') : data);
      file.commit();
    } catch (error) {
      file.abort();
      throw error;
    }
  }

  create(path: BytePath, mode = 0o644): OutputFile {
    const { temporary, fd } = this.#createFor(path, mode);
    let open = true;
    const close = () => {
      if (open) this.node.closeSync(fd);
      open = false;
    };
    return {
      write: (data) =>
        this.#attempt('write', path, () => {
          this.#write(fd, data);
        }),
      commit: () =>
        this.#attempt('write', path, () => {
          close();
          this.node.renameSync(this.codec.encode(temporary), this.codec.encode(path));
        }),
      abort: () => {
        close();
        try {
          this.node.unlinkSync(this.codec.encode(temporary));
        } catch (cause) {
          if (!isCode(cause, 'ENOENT')) throw ioError('remove', temporary, cause);
        }
      },
    };
  }

  addFile(path: BytePath, chunks: Iterable<Uint8Array>, { mode, uid, gid, mtime }: FileAttributes): void {
    const fd = this.#attempt('create', path, () => this.node.openSync(this.codec.encode(path), 'wx', 0o600));
    try {
      this.#attempt('write', path, () => {
        for (const data of chunks) this.#write(fd, data);
        this.node.fchownSync(fd, uid, gid);
        this.node.fchmodSync(fd, mode); // after chown(2), which takes setuid and setgid away
        this.node.futimesSync(fd, mtime, mtime);
      });
    } finally {
      this.node.closeSync(fd);
    }
  }

  #write(fd: number, data: Uint8Array): void {
    for (let done = 0; done < data.length; ) done += this.node.writeSync(fd, data, done, data.length - done);
  }

  /** Under a free name: a killed run may have left one, and in a container the next run has the same process id. */
  #createBeside(path: BytePath, mode: number): { readonly temporary: BytePath; readonly fd: number } {
    const slash = path.lastIndexOf('/') + 1;
    for (;;) {
      this.#temporary += 1;
      const suffix = `.tmp-${process.pid}-${this.#temporary}`;
      const name = path.slice(slash, slash + NAME_MAX - suffix.length);
      const temporary = `${path.slice(0, slash)}${name}${suffix}`;
      try {
        return { temporary, fd: this.node.openSync(this.codec.encode(temporary), 'wx', mode) };
      } catch (cause) {
        if (!isCode(cause, 'EEXIST')) throw cause;
      }
    }
  }

  mkdir(path: BytePath, mode = 0o755): void {
    if (this.#makeDirectory(path, mode)) return;
    // Parent by parent: Node's own `recursive` never returns where the parent exists but refuses, as /proc does.
    this.mkdir(path.slice(0, Math.max(1, path.replace(/\/+$/, '').lastIndexOf('/'))), mode);
    this.#attempt('create directory', path, () => this.node.mkdirSync(this.codec.encode(path), { mode }));
  }

  /** False if a parent is missing, so that making it may help. */
  #makeDirectory(path: BytePath, mode: number): boolean {
    return this.#attempt('create directory', path, () => {
      try {
        this.node.mkdirSync(this.codec.encode(path), { mode });
        return true;
      } catch (cause) {
        if (isCode(cause, 'EEXIST') && this.#isDirectory(path)) return true;
        if (isCode(cause, 'ENOENT') && path.includes('/') && !this.#hasParent(path)) return false;
        throw cause;
      }
    });
  }

  #hasParent(path: BytePath): boolean {
    return this.#isDirectory(path.slice(0, Math.max(1, path.replace(/\/+$/, '').lastIndexOf('/'))));
  }

  /** Through links, as mkdir(2) sees it. */
  #isDirectory(path: BytePath): boolean {
    return this.node.statSync(this.codec.encode(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  symlink(target: BytePath, path: BytePath): void {
    this.#attempt('create link', path, () =>
      this.node.symlinkSync(this.codec.encode(target), this.codec.encode(path)),
    );
  }

  link(existing: BytePath, path: BytePath): void {
    this.#attempt('create hard link', path, () =>
      this.node.linkSync(this.codec.encode(existing), this.codec.encode(path)),
    );
  }

  rename(from: BytePath, to: BytePath): void {
    this.#attempt('rename', from, () => this.node.renameSync(this.codec.encode(from), this.codec.encode(to)));
  }

  remove(path: BytePath): void {
    const stat = this.lstat(path);
    if (stat === undefined) return;
    this.#removeTree(path, stat, stat.dev);
  }

  #removeTree(path: BytePath, stat: FileStat, device: number): void {
    // Only directories: on overlayfs files may have the device number of the layer that they lie in.
    if (stat.kind === 'directory' && stat.dev !== device) {
      throw new MkrootError(`Cannot remove "${displayPath(path)}": another file system is mounted there`, {
        exitCode: ExitCode.Io,
        hint: `Unmount it first: umount -R ${displayPath(path)}`,
      });
    }
    if (stat.kind !== 'directory') {
      this.#attempt('remove', path, () => unlessGone(() => this.node.unlinkSync(this.codec.encode(path))));
      return;
    }
    for (const name of unlessGone(() => this.readdir(path)) ?? []) {
      const child = `${path}/${name}`;
      const childStat = this.lstat(child);
      if (childStat !== undefined) this.#removeTree(child, childStat, device);
    }
    this.#attempt('remove', path, () => unlessGone(() => this.node.rmdirSync(this.codec.encode(path))));
  }

  chmod(path: BytePath, mode: number): void {
    this.#attempt('change mode of', path, () => this.node.chmodSync(this.codec.encode(path), mode));
  }

  chown(path: BytePath, uid: number, gid: number): void {
    this.#attempt('change owner of', path, () => this.node.lchownSync(this.codec.encode(path), uid, gid));
  }

  setMtime(path: BytePath, mtime: number): void {
    this.#attempt('set time of', path, () => this.node.lutimesSync(this.codec.encode(path), mtime, mtime));
  }

  makeTemporaryDirectory(prefix: BytePath): BytePath {
    // Not mkdtemp(3): node's takes its prefix as UTF-8 text, which a byte path is not.
    return this.#attempt('create temporary directory', prefix, () => {
      const path = `${prefix}${randomBytes(6).toString('hex')}`;
      this.node.mkdirSync(this.codec.encode(path), { mode: 0o700 });
      return path;
    });
  }

  #open(path: BytePath): number {
    return this.#attempt('open', path, () => this.node.openSync(this.codec.encode(path), 'r'));
  }

  #withFile<T>(path: BytePath, use: (fd: number) => T): T {
    const fd = this.#open(path);
    try {
      return this.#attempt('read', path, () => use(fd));
    } finally {
      this.node.closeSync(fd);
    }
  }

  #createFor(path: BytePath, mode: number) {
    try {
      const created = this.#createBeside(path, mode);
      this.node.fchmodSync(created.fd, mode); // whatever the umask
      return created;
    } catch (cause) {
      const action = this.#isThere(path) ? 'replace' : 'create';
      throw cause instanceof MkrootError ? cause : ioError(action, path, cause);
    }
  }

  #isThere(path: BytePath): boolean {
    try {
      return this.lstat(path) !== undefined;
    } catch {
      return false;
    }
  }

  #attempt<T>(action: string, path: BytePath, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw cause instanceof MkrootError ? cause : ioError(action, path, cause);
    }
  }
}

function bytes(name: string | Buffer): BytePath {
  return typeof name === 'string' ? name : name.toString('latin1');
}

/** Two runs may clean up the same leftovers: what the other one has removed is removed. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const gone = isCode(error, 'ENOENT') || (error instanceof MkrootError && isCode(error.cause, 'ENOENT'));
    if (gone) return undefined;
    throw error;
  }
}

function tooLargeToRead(path: BytePath, what: string): MkrootError {
  return new MkrootError(`Cannot read "${displayPath(path)}": ${what}; files of up to 2 GiB are read`, {
    exitCode: ExitCode.Io,
    hint: 'Is it the right file? Name another one.',
  });
}

function kindOf(stat: fs.Stats): FileKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'character';
  if (stat.isBlockDevice()) return 'block';
  if (stat.isFIFO()) return 'fifo';
  return 'socket';
}

const NO_DEVICE = [0, 0] as const;

/** Linux's makedev(3) encoding, taken apart. */
function splitDeviceNumber(rdev: number): readonly [number, number] {
  const value = BigInt(rdev);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}
