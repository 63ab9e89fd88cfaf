import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import { Sysroot } from '../rootfs/sysroot.js';
import { type CpioArchive, type CpioRecord, cleanName } from './newc-reader.js';

/** What extraction needs from outside. */
export interface ExtractPorts {
  readonly fs: FileSystem;
  readonly runner: ProcessRunner;
}

/** An entry that could not be made, and why. */
export interface SkippedEntry {
  readonly path: BytePath;
  readonly why: string;
}

/** What {@link extractTo} did. */
export interface ExtractReport {
  readonly entries: number;
  readonly skipped: readonly SkippedEntry[];
}

/** What the caller may do. */
export interface ExtractOptions {
  /** Owners are set and device nodes made; needs root. */
  readonly isRoot: boolean;
}

/**
 * Unpacks archives into a new or empty directory as the kernel does (init/initramfs.c): in order, later entries over
 * earlier ones, an entry whose parent does not exist is dropped (and reported here). Every name is resolved inside the
 * directory as if it were the root, so that links of the archive lead nowhere else. Where the kernel writes into an existing
 * hard link, the file is replaced instead.
 * @throws MkrootError before anything is written, if a name is absolute or has `..`, or if the directory is not empty.
 */
export async function extractTo(
  directory: BytePath,
  archives: readonly CpioArchive[],
  ports: ExtractPorts,
  options: ExtractOptions,
): Promise<ExtractReport> {
  for (const { records } of archives) for (const record of records) checkName(record);
  const extraction = new Extraction(directory, ports, options.isRoot);
  try {
    for (const { records } of archives) {
      const links = contentsOfLinks(records);
      const made = new Map<string, BytePath>();
      for (const record of records) await extraction.unpack(record, links, made);
    }
    return extraction.finish();
  } catch (error) {
    extraction.undo();
    throw error;
  }
}

class Extraction {
  readonly #root: Sysroot;
  readonly #skipped: SkippedEntry[] = [];
  /** Modes and times of directories, set last: writing into a directory changes its time and needs its write bit. */
  readonly #directories = new Map<BytePath, CpioRecord>();
  readonly #existed: boolean;
  #entries = 0;

  constructor(
    private readonly directory: BytePath,
    private readonly ports: ExtractPorts,
    private readonly isRoot: boolean,
  ) {
    const { fs } = ports;
    const stat = fs.lstat(directory);
    if (stat !== undefined && (stat.kind !== 'directory' || fs.readdir(directory).length > 0)) {
      throw new MkrootError(
        `Cannot extract to "${displayPath(directory)}": it is ${stat.kind === 'directory' ? 'not empty' : 'no directory'}`,
        { exitCode: ExitCode.Usage, hint: 'Name a directory that does not exist yet.' },
      );
    }
    this.#existed = stat !== undefined;
    fs.mkdir(directory);
    this.#root = new Sysroot(fs, directory.replace(/\/+$/, ''));
  }

  async unpack(
    record: CpioRecord,
    links: ReadonlyMap<string, Uint8Array>,
    made: Map<string, BytePath>,
  ): Promise<void> {
    const name = cleanName(record.name);
    if (name === '') return; // the root itself
    const slash = name.lastIndexOf('/');
    const parent = this.#root.resolve(`/${name.slice(0, Math.max(0, slash))}`);
    if (parent?.stat.kind !== 'directory') {
      this.#skip(name, 'its directory is not in the archive; the kernel drops it without a word');
      return;
    }
    const place = `${parent.hostPath === '/' ? '' : parent.hostPath}/${name.slice(slash + 1)}`;
    if (!this.#makeRoom(name, place, record)) return;
    this.#entries += 1;
    switch (record.kind) {
      case 'directory':
        this.ports.fs.mkdir(place);
        this.#directories.set(place, record);
        return;
      case 'symlink':
        this.ports.fs.symlink(Buffer.from(record.data).toString('latin1'), place);
        this.#setOwner(place, record);
        this.ports.fs.setMtime(place, record.mtime);
        return;
      case 'file':
        this.#unpackFile(place, record, links, made);
        return;
      default:
        await this.#makeNode(name, place, record);
    }
  }

  finish(): ExtractReport {
    const { fs } = this.ports;
    // Deepest first, so that a directory without write permission is closed after what it holds.
    for (const [place, record] of [...this.#directories].sort(([a], [b]) => (a < b ? 1 : -1))) {
      if (fs.lstat(place)?.kind !== 'directory') continue;
      this.#setOwner(place, record);
      fs.chmod(place, record.mode);
      fs.setMtime(place, record.mtime);
    }
    return { entries: this.#entries, skipped: this.#skipped };
  }

  /** The directory as it was: half an initramfs would be taken for a whole one. */
  undo(): void {
    const { fs } = this.ports;
    const names = this.#existed
      ? fs.readdir(this.directory).map((name) => `${this.directory}/${name}`)
      : [this.directory];
    for (const path of names) fs.remove(path);
  }

  /** Removes what is in the way, as the kernel's clean_path; false if that is impossible. */
  #makeRoom(name: BytePath, place: BytePath, record: CpioRecord): boolean {
    const { fs } = this.ports;
    const existing = fs.lstat(place);
    if (existing === undefined) return true;
    if (existing.kind === 'directory') {
      if (record.kind === 'directory') return true;
      if (fs.readdir(place).length > 0) {
        this.#skip(name, `a directory that is not empty is there; the kernel ignores the ${record.kind}`);
        return false;
      }
    }
    fs.remove(place);
    return true;
  }

  #unpackFile(
    place: BytePath,
    record: CpioRecord,
    links: ReadonlyMap<string, Uint8Array>,
    made: Map<string, BytePath>,
  ): void {
    const { fs } = this.ports;
    const first = record.nlink > 1 ? made.get(record.inode) : undefined;
    if (first !== undefined && fs.lstat(first)?.kind === 'file') {
      fs.link(first, place);
      return;
    }
    const data = record.nlink > 1 ? (links.get(record.inode) ?? record.data) : record.data;
    fs.writeFile(place, data, 0o600);
    this.#setOwner(place, record);
    fs.chmod(place, record.mode); // after chown, which takes setuid bits away
    fs.setMtime(place, record.mtime);
    if (record.nlink > 1) made.set(record.inode, place);
  }

  /** The file port makes no devices: that is rare, and mknod(1) does it. */
  async #makeNode(name: BytePath, place: BytePath, record: CpioRecord): Promise<void> {
    const [major, minor] = record.rdev;
    const path = Buffer.from(place, 'latin1').toString('utf8');
    const type = record.kind === 'fifo' ? 'p' : record.kind === 'block' ? 'b' : 'c';
    const numbers = record.kind === 'fifo' ? [] : [String(major), String(minor)];
    const problem =
      record.kind === 'socket'
        ? 'sockets are not made'
        : !this.isRoot && record.kind !== 'fifo'
          ? `only root can make the ${record.kind} device ${major}:${minor}`
          : Buffer.from(path, 'utf8').toString('latin1') !== place
            ? 'mknod takes no name that is not UTF-8'
            : undefined;
    if (problem !== undefined) {
      this.#entries -= 1;
      this.#skip(name, problem);
      return;
    }
    await this.ports.runner.run({
      argv: ['mknod', '-m', record.mode.toString(8).padStart(4, '0'), '--', path, type, ...numbers],
    });
    this.#setOwner(place, record);
    this.ports.fs.setMtime(place, record.mtime);
  }

  #setOwner(place: BytePath, { uid, gid }: CpioRecord): void {
    if (this.isRoot) this.ports.fs.chown(place, uid, gid);
  }

  #skip(path: BytePath, why: string): void {
    this.#skipped.push({ path, why });
  }
}

/** The data of hard-linked files: it stands with one of the names, the last in GNU's order, the first in others'. */
function contentsOfLinks(records: readonly CpioRecord[]): Map<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  for (const { kind, nlink, inode, data } of records) {
    if (kind === 'file' && nlink > 1 && data.length > 0) contents.set(inode, data);
  }
  return contents;
}

function checkName({ name, offset }: CpioRecord): void {
  const problem = name.startsWith('/')
    ? 'its name is absolute'
    : name.split('/').includes('..')
      ? 'its name has the component ".."'
      : undefined;
  if (problem === undefined) return;
  throw new MkrootError(`Cannot extract "${displayPath(name)}" (entry at byte ${offset}): ${problem}`, {
    hint: 'Nothing was written. Look at the archive without --extract.',
  });
}
