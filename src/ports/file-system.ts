import type { BytePath } from './byte-path.js';

/** What a directory entry is, after lstat(2). */
export type FileKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

/** The kind as people call it: "character device". */
export function describeKind(kind: FileKind): string {
  return kind === 'character' || kind === 'block' ? `${kind} device` : kind === 'fifo' ? 'named pipe' : kind;
}

/** The part of lstat(2) that mkroot uses. */
export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Permission bits only, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, rounded down. */
  readonly mtime: number;
  /** ctime in milliseconds, with fraction: when contents, owner, mode or names last changed. Cannot be set back. */
  readonly changedMs: number;
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  /** Device number of a character or block device: [major, minor]. */
  readonly rdev: readonly [number, number];
}

/**
 * Read access to files. Synchronous on purpose: a closure touches thousands of small files, and one call per file is four
 * times faster than one promise per file. Every method throws {@link MkrootError} with exit code `Io` that names the path.
 */
export interface ReadFileSystem {
  /** lstat(2), or undefined if there is nothing at the path (ENOENT, ENOTDIR). */
  lstat(path: BytePath): FileStat | undefined;
  readFile(path: BytePath): Uint8Array;
  /** At most `length` bytes from `offset`; fewer at the end of the file. */
  readRange(path: BytePath, offset: number, length: number): Uint8Array;
  /** The file in pieces of at most `chunkSize` bytes (default 1 MiB). A piece is only valid until the next is asked for. */
  readChunks(path: BytePath, chunkSize?: number): Iterable<Uint8Array>;
  readlink(path: BytePath): BytePath;
  /** Names without '.' and '..', in byte order. */
  readdir(path: BytePath): BytePath[];
}

/** Names in a directory, in byte order; none where there is no directory. */
export function namesIn(fs: Pick<ReadFileSystem, 'lstat' | 'readdir'>, directory: BytePath): BytePath[] {
  return fs.lstat(directory)?.kind === 'directory' ? fs.readdir(directory) : [];
}

/** An open file that is being written; nothing is visible at its final path before {@link OutputFile.commit}. */
export interface OutputFile {
  write(data: Uint8Array): void;
  /** Flush, rename to the final path. */
  commit(): void;
  /** Remove what was written. Harmless after commit. */
  abort(): void;
}

/** What a file is given besides its contents. */
export interface FileAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** Read and write access to files. */
export interface FileSystem extends ReadFileSystem {
  /** Replaces the file in one step (temporary name in the same directory, then rename). */
  writeFile(path: BytePath, data: Uint8Array | string, mode?: number): void;
  /** Opens a file that appears only when committed. */
  create(path: BytePath, mode?: number): OutputFile;
  /**
   * Writes a new file with its owner, mode (whatever the umask) and time, in place: for trees that nobody looks at before they are
   * whole. Fails if there is something already.
   */
  addFile(path: BytePath, chunks: Iterable<Uint8Array>, attributes: FileAttributes): void;
  /** With missing parents; no error if the directory exists. */
  mkdir(path: BytePath, mode?: number): void;
  symlink(target: BytePath, path: BytePath): void;
  /** A hard link at `path` to the file `existing`. */
  link(existing: BytePath, path: BytePath): void;
  rename(from: BytePath, to: BytePath): void;
  /** Whole trees too, never following links or crossing a mount point; no error if there is nothing. */
  remove(path: BytePath): void;
  chmod(path: BytePath, mode: number): void;
  /** Of a link itself, not of its target. */
  chown(path: BytePath, uid: number, gid: number): void;
  /** Seconds since the epoch; of a link itself. */
  setMtime(path: BytePath, mtime: number): void;
  /** A new empty directory, mode 0700; its path starts with `prefix`. */
  makeTemporaryDirectory(prefix: BytePath): BytePath;
}
