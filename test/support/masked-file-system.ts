import type { BytePath } from '../../src/ports/byte-path.js';
import type { FileStat, ReadFileSystem } from '../../src/ports/file-system.js';

/** A file system that looks as if some files had never been there: a root without depmod's indexes, without a copy. */
export class MaskedFileSystem implements ReadFileSystem {
  constructor(
    private readonly below: ReadFileSystem,
    private readonly hidden: (path: BytePath) => boolean,
  ) {}

  lstat(path: BytePath): FileStat | undefined {
    return this.hidden(path) ? undefined : this.below.lstat(path);
  }

  readdir(path: BytePath): BytePath[] {
    return this.below.readdir(path).filter((name) => !this.hidden(`${path}/${name}`));
  }

  readFile(path: BytePath): Uint8Array {
    return this.below.readFile(path);
  }

  readRange(path: BytePath, offset: number, length: number): Uint8Array {
    return this.below.readRange(path, offset, length);
  }

  readChunks(path: BytePath, chunkSize?: number): Iterable<Uint8Array> {
    return this.below.readChunks(path, chunkSize);
  }

  readlink(path: BytePath): BytePath {
    return this.below.readlink(path);
  }
}
