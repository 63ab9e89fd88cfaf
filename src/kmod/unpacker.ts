import { gunzipSync } from 'node:zlib';
import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import type { Compression } from './module-name.js';
import { xzUnpackedSize } from './xz-container.js';

/** A file as it lies on disk. */
export interface PackedFile {
  /** Inside the root, for messages. */
  readonly path: BytePath;
  readonly hostPath: BytePath;
  readonly compression: Compression;
}

/** No module comes near this (amdgpu, the largest, has 30 MB); a file that claims more is damaged or hostile. */
const MAX_UNPACKED = 90 * 2 ** 20;

/** Unpacked bytes that one run of xz may return: bounds memory when a whole tree is read. */
const BATCH = 32 * 2 ** 20;

/** Below this, a second xz process costs more than it saves. */
const WORTH_TWO_PROCESSES = 2 * 2 ** 20;

/**
 * Turns `.ko`, `.ko.gz`, `.ko.xz` and `.ko.zst` (firmware too) into bytes. xz is unpacked by the `xz` program, one run (two
 * at once if there is much) for all files of a call; docs/decisions/0004-kernel-modules.md has the figures.
 */
export class Unpacker {
  constructor(
    private readonly fs: ReadFileSystem,
    private readonly runner: ProcessRunner,
  ) {}

  /**
   * The unpacked bytes of each file, in the same order.
   * @throws MkrootError that names the file if it is damaged; with exit code MissingTool if xz is needed and not there.
   */
  async unpack(files: readonly PackedFile[]): Promise<Uint8Array[]> {
    const unpacked = new Array<Uint8Array>(files.length);
    const zstd = files.some(({ compression }) => compression === 'zstd') ? await import('fzstd') : undefined;
    let pending: XzJob[] = [];
    let waiting = 0;
    const flush = async () => {
      await this.#runXz(pending);
      for (const job of pending) unpacked[job.index] = job.output!;
      pending = [];
      waiting = 0;
    };
    for (const [index, file] of files.entries()) {
      const size = this.fs.lstat(file.hostPath)?.size ?? 0;
      if (size > MAX_UNPACKED) throw tooLarge(file, size);
      const data = this.fs.readFile(file.hostPath);
      if (file.compression === 'none') unpacked[index] = data;
      if (file.compression === 'gzip') unpacked[index] = gunzip(file, data);
      if (file.compression === 'zstd') unpacked[index] = unzstd(file, data, zstd!.Decompress);
      if (file.compression !== 'xz') continue;
      const job = xzJob(file, data, index);
      if (waiting + job.size > BATCH) await flush();
      pending.push(job);
      waiting += job.size;
    }
    await flush();
    return unpacked;
  }

  async #runXz(jobs: readonly XzJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const total = jobs.reduce((sum, { size }) => sum + size, 0);
    const shares = total > WORTH_TWO_PROCESSES ? halves(jobs) : [jobs];
    await Promise.all(shares.map((share) => this.#runShare(share)));
  }

  async #runShare(jobs: readonly XzJob[]): Promise<void> {
    // xz takes streams one after another, and writes what they hold the same way. It reads them from its standard input, as
    // a name that is not UTF-8 could not be passed as an argument. Any exit code: what xz refuses is damaged; one that a
    // signal ended says nothing of the data, and throws.
    const { exitCode, stdout: output } = await this.runner.run({
      argv: ['xz', '--decompress', '--stdout'],
      input: Buffer.concat(jobs.map(({ data }) => data)),
      accept: 'any',
    });
    if (exitCode !== 0) {
      if (jobs.length === 1) throw damaged(jobs[0]!.file, 'xz cannot unpack it');
      // One of them is damaged; find out which, to be able to name it.
      for (const job of jobs) await this.#runShare([job]);
      return;
    }
    if (output.length !== jobs.reduce((sum, { size }) => sum + size, 0)) {
      if (jobs.length === 1) throw damaged(jobs[0]!.file, 'it holds more or less than its index says');
      for (const job of jobs) await this.#runShare([job]);
      return;
    }
    let at = 0;
    for (const job of jobs) {
      job.output = output.subarray(at, at + job.size);
      at += job.size;
    }
  }
}

interface XzJob {
  readonly file: PackedFile;
  readonly data: Uint8Array;
  readonly index: number;
  readonly size: number;
  output?: Uint8Array;
}

function xzJob(file: PackedFile, data: Uint8Array, index: number): XzJob {
  const size = xzUnpackedSize(data);
  if (size === undefined) throw damaged(file, 'it is not a complete .xz file');
  if (size > MAX_UNPACKED) throw tooLarge(file, size);
  return { file, data, index, size };
}

/** Two lists of about the same unpacked size: the largest first, each to the emptier list. */
function halves(jobs: readonly XzJob[]): XzJob[][] {
  const lists: { size: number; jobs: XzJob[] }[] = [
    { size: 0, jobs: [] },
    { size: 0, jobs: [] },
  ];
  for (const job of [...jobs].sort((a, b) => b.size - a.size)) {
    const list = lists[0]!.size <= lists[1]!.size ? lists[0]! : lists[1]!;
    list.jobs.push(job);
    list.size += job.size;
  }
  return lists.map((list) => list.jobs).filter((list) => list.length > 0);
}

function gunzip(file: PackedFile, data: Uint8Array): Uint8Array {
  try {
    return gunzipSync(data, { maxOutputLength: MAX_UNPACKED });
  } catch (cause) {
    throw damaged(file, 'gzip cannot unpack it', cause);
  }
}

function unzstd(
  file: PackedFile,
  data: Uint8Array,
  Decompress: new (
    sink: (chunk: Uint8Array, last?: boolean) => void,
  ) => { push(chunk: Uint8Array, last?: boolean): void },
): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    new Decompress((chunk) => {
      size += chunk.length;
      if (size > MAX_UNPACKED) throw tooLarge(file, size);
      chunks.push(chunk);
    }).push(data, true);
  } catch (cause) {
    throw cause instanceof MkrootError ? cause : damaged(file, 'zstd cannot unpack it', cause);
  }
  return Buffer.concat(chunks);
}

function damaged(file: PackedFile, what: string, cause?: unknown): MkrootError {
  return new MkrootError(`Cannot unpack "${displayPath(file.path)}": ${what}`, {
    hint: 'The file is damaged; reinstall the package that brings it.',
    ...(cause === undefined ? {} : { cause }),
    ...(cause instanceof MkrootError ? { details: cause.details } : {}),
  });
}

function tooLarge(file: PackedFile, size: number): MkrootError {
  return new MkrootError(
    `Cannot unpack "${displayPath(file.path)}": it has ${size} bytes, no module or firmware has more than ${MAX_UNPACKED}`,
    { hint: 'The file is damaged; reinstall the package that brings it.' },
  );
}
