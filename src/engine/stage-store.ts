import type { BytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { StageInputs } from './stage-key.js';

/** A finished stage: `stage.json` beside its result. */
export interface StageRecord {
  readonly key: string;
  readonly inputs: StageInputs;
  /** ISO 8601, UTC. */
  readonly finishedAt: string;
  /** Milliseconds of wall time. */
  readonly durationMs: number;
}

/** Where a stage works until its result is published. */
export interface Workplace {
  readonly result: BytePath;
  readonly scratch: BytePath;
  /** Makes the result visible under its key in one step, replacing an older one. */
  publish(record: StageRecord): void;
  /** Removes everything. Harmless after publish. */
  discard(): void;
}

/** Names of directories that are not finished start with this. */
const UNFINISHED = '.new-';

/**
 * Results of stages by key: DIRECTORY/KEY/{stage.json,result/}. What is there is complete, because a result appears by
 * one rename; what was interrupted starts with a dot and is removed by {@link removeUnfinished}.
 */
export class StageStore {
  constructor(
    private readonly fs: FileSystem,
    readonly directory: BytePath,
  ) {}

  /** The record of a cached result, or undefined. */
  find(key: string): StageRecord | undefined {
    const path = `${this.directory}/${key}/stage.json`;
    if (this.fs.lstat(path) === undefined) return undefined;
    try {
      return JSON.parse(Buffer.from(this.fs.readFile(path)).toString('utf8')) as StageRecord;
    } catch {
      return undefined; // Cut off by a power failure: as good as absent.
    }
  }

  resultPath(key: string): BytePath {
    return `${this.directory}/${key}/result`;
  }

  /** Records of every cached result of a stage, in no particular order. */
  records(stage: string): StageRecord[] {
    if (this.fs.lstat(this.directory) === undefined) return [];
    return this.fs
      .readdir(this.directory)
      .filter((name) => !name.startsWith('.'))
      .map((key) => this.find(key))
      .filter((record) => record?.inputs.stage === stage) as StageRecord[];
  }

  begin(key: string): Workplace {
    const { fs } = this;
    const place = `${this.directory}/${UNFINISHED}${key}`;
    fs.remove(place);
    fs.mkdir(`${place}/result`);
    fs.mkdir(`${place}/scratch`);
    return {
      result: `${place}/result`,
      scratch: `${place}/scratch`,
      publish: (record) => {
        fs.remove(`${place}/scratch`);
        fs.writeFile(`${place}/stage.json`, `${JSON.stringify(record, null, 2)}\n`);
        this.#replace(place, key);
      },
      discard: () => fs.remove(place),
    };
  }

  /** Removes what interrupted builds left. Only for the holder of the lock. */
  removeUnfinished(): void {
    if (this.fs.lstat(this.directory) === undefined) return;
    for (const name of this.fs.readdir(this.directory)) {
      if (name.startsWith('.')) this.fs.remove(`${this.directory}/${name}`);
    }
  }

  #replace(place: BytePath, key: string): void {
    const final = `${this.directory}/${key}`;
    const old = `${this.directory}/.old-${key}`;
    const exists = this.fs.lstat(final) !== undefined;
    if (exists) this.fs.rename(final, old);
    this.fs.rename(place, final);
    if (exists) this.fs.remove(old);
  }
}
