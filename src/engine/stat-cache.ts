import type { BytePath } from '../ports/byte-path.js';
import type { FileStat, FileSystem } from '../ports/file-system.js';

/** One remembered value: for which state of the file, and what. */
type Entry = readonly [state: string, value: string];

/**
 * Values that depend on a file's contents alone (a digest, a program's version), remembered by inode, size and time of
 * the last change, so that an unchanged file is not read again. Kept in one JSON file; losing it costs time only.
 */
export class StatCache {
  readonly #entries: Map<BytePath, Entry>;
  #changed = false;

  constructor(
    private readonly fs: FileSystem,
    private readonly path: BytePath,
  ) {
    this.#entries = read(fs, path);
  }

  /** The value for the file as it is now, or undefined if it has to be found out. */
  get(file: BytePath, stat: FileStat): string | undefined {
    const entry = this.#entries.get(file);
    return entry?.[0] === stateOf(stat) ? entry[1] : undefined;
  }

  /** @param stat from before the file was read: a change meanwhile then shows. */
  set(file: BytePath, stat: FileStat, value: string): void {
    this.#entries.set(file, [stateOf(stat), value]);
    this.#changed = true;
  }

  /** Writes the cache if something is new. A state directory that cannot be written to is no reason to fail. */
  save(): void {
    if (!this.#changed) return;
    try {
      this.fs.mkdir(this.path.slice(0, this.path.lastIndexOf('/')));
      this.fs.writeFile(this.path, JSON.stringify([...this.#entries]));
      this.#changed = false;
    } catch {
      // Whoever may only look (mkroot build --plan without root) computes it again next time.
    }
  }
}

function stateOf({ dev, ino, size, changedMs }: FileStat): string {
  return `${dev}:${ino}:${size}:${changedMs}`;
}

function read(fs: FileSystem, path: BytePath): Map<BytePath, Entry> {
  if (fs.lstat(path)?.kind !== 'file') return new Map();
  try {
    return new Map(JSON.parse(Buffer.from(fs.readFile(path)).toString('utf8')) as [BytePath, Entry][]);
  } catch {
    return new Map(); // Damaged or from another version: start anew.
  }
}
