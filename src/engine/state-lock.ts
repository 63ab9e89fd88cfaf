import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { Ports } from '../ports/ports.js';
import type { ProcessRunner } from '../ports/process-runner.js';

/** Who holds a lock, as it wrote itself into the lock file. */
export interface LockHolder {
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** The command line. */
  readonly command: string;
}

/** How to take a lock. */
export interface LockRequest {
  /** A file, which is made, or a directory that is there. */
  readonly path: BytePath;
  /** Written into the file; none for a directory. */
  readonly holder?: LockHolder;
  /** Wait until it is free; otherwise fail at once. */
  readonly wait: boolean;
  readonly signal?: AbortSignal;
}

/** A lock that is held. */
export interface HeldLock {
  release(): Promise<void>;
}

/** Exit code that flock(1) is told to use when somebody else holds the lock. */
const HELD = 75;

/**
 * Takes the lock of a state directory, or of a site: flock(2), held by a child that lives exactly as long as mkroot does (its standard
 * input is our end of a pipe, and it has a parent-death signal). So the lock vanishes with us, whatever kills us, and
 * a file that is left behind means nothing.
 * @throws MkrootError Locked, naming the holder, if it is held and `wait` is false; Interrupted when `signal` aborts.
 */
export async function takeLock(
  { fs, runner, progress }: Pick<Ports, 'fs' | 'runner' | 'progress'>,
  { path, holder, wait, signal }: LockRequest,
): Promise<HeldLock> {
  let held = await tryLock(runner, path, ['--nonblock', `--conflict-exit-code=${HELD}`], signal);
  if (held === undefined) {
    const other = describe(readHolder(fs, path), path);
    if (!wait) {
      throw new MkrootError(`Cannot lock "${displayPath(path)}": ${other}`, {
        exitCode: ExitCode.Locked,
        hint: 'Wait for it to finish, or use another --state.',
      });
    }
    const task = progress.task(`Waiting for ${other}`);
    held = await tryLock(runner, path, [], signal);
    if (held === undefined) {
      task.fail();
      throw new MkrootError(`Cannot wait for "${displayPath(path)}": interrupted`, {
        exitCode: ExitCode.Interrupted,
      });
    }
    task.done();
  }
  // Written in place: the lock is on this inode, a new file of the same name would not be locked.
  if (holder !== undefined) held.write(`${JSON.stringify(holder)}\n`);
  return held;
}

/** Whether somebody holds the lock at this moment. */
export async function isHeld({ fs, runner }: Pick<Ports, 'fs' | 'runner'>, path: BytePath): Promise<boolean> {
  if (fs.lstat(path) === undefined) return false;
  const file = Buffer.from(path, 'latin1').toString('utf8');
  const { exitCode } = await runner.run({
    argv: ['flock', '--shared', '--nonblock', `--conflict-exit-code=${HELD}`, file, 'true'],
    accept: [HELD],
  });
  return exitCode === HELD;
}

/** Who wrote into the lock file last, or undefined if nobody can be made out. */
export function readHolder(fs: FileSystem, path: BytePath): LockHolder | undefined {
  try {
    return JSON.parse(Buffer.from(fs.readFile(path)).toString('utf8')) as LockHolder;
  } catch {
    return undefined;
  }
}

function describe(holder: LockHolder | undefined, path: BytePath): string {
  return holder === undefined
    ? `another mkroot that holds the lock of "${displayPath(path)}"`
    : `process ${holder.pid} (${holder.command}), which has held the lock since ${holder.since}`;
}

async function tryLock(
  runner: ProcessRunner,
  path: BytePath,
  options: readonly string[],
  signal: AbortSignal | undefined,
): Promise<(HeldLock & { write(line: string): void }) | undefined> {
  let onLocked: (value: true) => void = () => {};
  const locked = new Promise<true>((resolve) => {
    onLocked = resolve;
  });
  // Ctrl-C ends the waiting only: once held, the lock stays until what was begun is cleaned up.
  const waiting = new AbortController();
  const onAbort = () => waiting.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const file = Buffer.from(path, 'latin1').toString('utf8');
  const child = await runner.start({
    argv: ['flock', '--no-fork', ...options, file, 'sh', '-c', HOLD, 'sh', file],
    input: 'pipe',
    onLine: (line) => {
      if (line === 'locked') onLocked(true);
    },
    signal: waiting.signal,
  });
  const result = await Promise.race([locked, child.exited]);
  signal?.removeEventListener('abort', onAbort);
  if (result === true) {
    return {
      write: (line) => child.write(line),
      release: async () => {
        child.closeInput();
        await child.exited;
      },
    };
  }
  if (result.exitCode === HELD || signal?.aborted) return undefined;
  throw new MkrootError(`Cannot lock "${displayPath(path)}": ${result.stderr.trim() || 'flock failed'}`, {
    exitCode: ExitCode.Io,
  });
}

/** The redirection truncates and writes the same inode. */
const HOLD = 'echo locked; read -r holder && printf "%s\\n" "$holder" > "$1"; read -r _ || :';
