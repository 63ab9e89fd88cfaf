import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileStat, FileSystem } from '../ports/file-system.js';
import type { StatCache } from './stat-cache.js';

/** Digests of files that stages read; unchanged files are not read again. */
export class FileDigests {
  constructor(
    private readonly fs: FileSystem,
    private readonly cache: StatCache,
  ) {}

  /**
   * sha256 in hex. Of a directory: over names, kinds, modes, link targets and contents of everything below; owners and
   * times do not count, because nothing that is made from it depends on them.
   * @throws MkrootError NotFound if there is nothing.
   */
  digest(path: BytePath): string {
    const stat = this.#stat(path);
    return stat.kind === 'directory' ? this.#directory(path) : this.#file(path, stat);
  }

  /** The file at the end of links: a recipe may name one. */
  #stat(path: BytePath): FileStat {
    let at = path;
    for (let links = 0; links < 40; links += 1) {
      const stat = this.fs.lstat(at);
      if (stat === undefined) break;
      if (stat.kind !== 'symlink') return stat;
      const target = this.fs.readlink(at);
      at = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/'))}/${target}`;
    }
    throw new MkrootError(`Cannot read "${displayPath(path)}": there is nothing`, {
      exitCode: ExitCode.NotFound,
    });
  }

  #directory(top: BytePath): string {
    const hash = createHash('sha256');
    const visit = (directory: BytePath, inside: BytePath) => {
      for (const name of this.fs.readdir(directory)) {
        const path = `${directory}/${name}`;
        const stat = this.fs.lstat(path);
        if (stat === undefined) continue;
        const content =
          stat.kind === 'file'
            ? this.#file(path, stat)
            : stat.kind === 'symlink'
              ? this.fs.readlink(path)
              : stat.rdev.join(':');
        hash.update(`${inside}/${name}\0${stat.kind}\0${stat.mode}\0${content}\0`, 'latin1');
        if (stat.kind === 'directory') visit(path, `${inside}/${name}`);
      }
    };
    visit(top, '');
    return hash.digest('hex');
  }

  #file(path: BytePath, stat: FileStat): string {
    const known = this.cache.get(path, stat);
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    for (const chunk of this.fs.readChunks(path)) hash.update(chunk);
    const digest = `${hash.digest('hex')}:${stat.mode.toString(8)}`;
    this.cache.set(path, stat, digest);
    return digest;
  }
}
