import type { BytePath } from '../../src/ports/byte-path.js';
import type { FileAttributes, FileStat, FileSystem, OutputFile } from '../../src/ports/file-system.js';

/** What everything throws that a killed process would have done. */
export class Killed extends Error {}

/**
 * A file system on which the process is killed (as by SIGKILL) when it has done `steps` changes: that change and every
 * later one does not happen, clean-up included. Each system call that changes something is one step.
 */
export class DyingFileSystem implements FileSystem {
  #left: number;
  #temporary = 0;

  constructor(
    private readonly below: FileSystem,
    steps: number,
    /** Called before each change: what is there then is what a kill at that moment leaves. */
    private readonly moment: () => void = () => {},
  ) {
    this.#left = steps;
  }

  /** Whether it has come to that. */
  get dead(): boolean {
    return this.#left < 0;
  }

  #step(): void {
    this.moment();
    this.#left -= 1;
    if (this.#left < 0) {
      this.#left = -1;
      throw new Killed('killed');
    }
  }

  lstat(path: BytePath): FileStat | undefined {
    return this.below.lstat(path);
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
  readdir(path: BytePath): BytePath[] {
    return this.below.readdir(path);
  }

  writeFile(path: BytePath, data: Uint8Array | string, mode?: number): void {
    const output = this.create(path, mode);
    output.write(typeof data === 'string' ? Buffer.from(data) : data);
    output.commit();
  }

  /** As on disk: a temporary name beside the file, then a rename. */
  create(path: BytePath, mode?: number): OutputFile {
    this.#temporary += 1;
    const temporary = `${path}.tmp-1-${this.#temporary}`;
    this.#step();
    this.below.writeFile(temporary, '', mode);
    const chunks: Uint8Array[] = [];
    return {
      write: (data) => {
        this.#step();
        chunks.push(Uint8Array.from(data));
        this.below.writeFile(temporary, Buffer.concat(chunks), mode);
      },
      commit: () => {
        this.#step();
        this.below.rename(temporary, path);
      },
      abort: () => {
        this.#step();
        this.below.remove(temporary);
      },
    };
  }

  /** In place: killed meanwhile, it is there with a part of its contents. */
  addFile(path: BytePath, chunks: Iterable<Uint8Array>, attributes: FileAttributes): void {
    this.#step();
    this.below.addFile(path, [], { ...attributes, mode: 0o600 });
    const bytes = Buffer.concat([...chunks].map((chunk) => Uint8Array.from(chunk)));
    this.#step();
    this.below.remove(path);
    this.below.addFile(path, [bytes], attributes);
  }

  mkdir(path: BytePath, mode?: number): void {
    this.#step();
    this.below.mkdir(path, mode);
  }
  symlink(target: BytePath, path: BytePath): void {
    this.#step();
    this.below.symlink(target, path);
  }
  link(existing: BytePath, path: BytePath): void {
    this.#step();
    this.below.link(existing, path);
  }
  rename(from: BytePath, to: BytePath): void {
    this.#step();
    this.below.rename(from, to);
  }

  /** Name by name. */
  remove(path: BytePath): void {
    const kind = this.below.lstat(path)?.kind;
    if (kind === undefined) return;
    if (kind === 'directory') for (const name of this.below.readdir(path)) this.remove(`${path}/${name}`);
    this.#step();
    this.below.remove(path);
  }

  chmod(path: BytePath, mode: number): void {
    this.#step();
    this.below.chmod(path, mode);
  }
  chown(path: BytePath, uid: number, gid: number): void {
    this.#step();
    this.below.chown(path, uid, gid);
  }
  setMtime(path: BytePath, mtime: number): void {
    this.#step();
    this.below.setMtime(path, mtime);
  }
  makeTemporaryDirectory(prefix: BytePath): BytePath {
    this.#step();
    return this.below.makeTemporaryDirectory(prefix);
  }
}
