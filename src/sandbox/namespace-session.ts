import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { type Command, type Completed, type ProcessRunner, shellQuote } from '../ports/process-runner.js';
import { inNamespaces } from './unshare.js';

/** Lines of a failed program's output that the error shows. */
const TAIL_LINES = 20;

/** What a program in a session may be given; see {@link Command}. */
export interface SessionCommand
  extends Pick<Command, 'env' | 'logFile' | 'onLine' | 'signal' | 'input' | 'output'> {
  /** Words that stand for the program in an error, such as `apt-get install`; argv[0] by default. */
  readonly name?: string;
  /** Output lines that an error need not show, such as progress for machines. */
  readonly isNoise?: (line: string) => boolean;
  /** Further namespaces for this program alone. */
  readonly net?: boolean;
  /** How to do the same by hand, when the plain argv would not work outside of the session. */
  readonly byHand?: (() => string) | undefined;
}

/**
 * A private mount and process namespace that lives until it is closed. Programs are run in it one by one; mkroot itself
 * reads and writes what is mounted there through /proc/PID/root (proc(5)).
 *
 * Its init waits for the end of its standard input. When mkroot dies, even by SIGKILL, that end comes, and unshare dies
 * by its parent-death signal: twice sure that the kernel ends every process and drops every mount of the session.
 */
export class NamespaceSession {
  #closed = false;

  private constructor(
    private readonly runner: ProcessRunner,
    /** Process id of the session's init, as the host sees it. */
    readonly pid: number,
    private readonly end: () => Promise<void>,
  ) {}

  /** @throws MkrootError MissingTool without unshare, ToolFailed if the kernel refuses (not root, for example). */
  static async open(runner: ProcessRunner, fs: ReadFileSystem): Promise<NamespaceSession> {
    const ready = deferred();
    const holder = await runner.start({
      argv: inNamespaces({ mount: true, pid: true }, ['sh', '-c', 'echo ready; read -r _ || :']),
      input: 'pipe',
      onLine: (line) => {
        if (line === 'ready') ready.resolve();
      },
    });
    const end = async () => {
      holder.closeInput();
      await holder.exited;
    };
    const early = await Promise.race([ready.promise, holder.exited]);
    if (early !== undefined) {
      throw new MkrootError(
        `Cannot make a private mount namespace: ${early.stderr.trim() || 'unshare failed'}`,
        {
          exitCode: ExitCode.ToolFailed,
          hint: 'Run as root, on a kernel with mount and process namespaces.',
        },
      );
    }
    try {
      return new NamespaceSession(runner, firstChild(fs, holder.pid), end);
    } catch (error) {
      await end(); // or it would keep mkroot from ending, waiting for its own end
      throw error;
    }
  }

  /** A path of the session's mount namespace, for mkroot's own file operations. Only valid until {@link close}. */
  hostPath(inside: BytePath): BytePath {
    return `/proc/${this.pid}/root${inside}`;
  }

  /**
   * Runs a program in the session.
   * @throws MkrootError ToolFailed with the tail of its output, exit code, log and how to repeat it; MissingTool if it is not
   * installed; Io when it says that the disk is full; Interrupted when `signal` aborts.
   */
  async run(argv: readonly [string, ...string[]], options: SessionCommand = {}): Promise<Completed> {
    const { name = argv[0], net = false, byHand, isNoise, onLine, ...rest } = options;
    const tail: string[] = [];
    let diskFull: string | undefined;
    const completed = await this.runner.run({
      argv: [
        'nsenter',
        `--target=${this.pid}`,
        '--mount',
        '--pid',
        '--',
        ...(net ? ['unshare', '--net', '--'] : []),
        ...argv,
      ],
      ...rest,
      onLine: (line, stream) => {
        if (DISK_FULL.test(line)) diskFull ??= line;
        if (!isNoise?.(line)) tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        onLine?.(line, stream);
      },
      accept: 'any',
    });
    if (completed.exitCode === 0) return completed;
    // The runner only finds nsenter; that says it in the language of the user.
    if (completed.exitCode === NOT_FOUND && this.runner.which(argv[0]) === undefined)
      throw notInstalled(argv[0]);
    const details = [
      ...tail.map((line) => `  | ${line}`),
      ...(options.logFile === undefined ? [] : [`Whole log: ${options.logFile}`]),
      `To repeat it by hand: ${repeatLine(byHand, argv)}`,
    ];
    throw diskFull === undefined ? failed(name, completed, details) : diskIsFull(name, diskFull, details);
  }

  /** Ends every process of the session and drops its mounts; resolves when the kernel has done so. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.end();
  }
}

/** @throws MkrootError also on a kernel that does not list children (CONFIG_PROC_CHILDREN). */
function firstChild(fs: ReadFileSystem, parent: number): number {
  const children = fs.readFile(`/proc/${parent}/task/${parent}/children`);
  const pid = Number.parseInt(Buffer.from(children).toString('latin1'), 10);
  if (Number.isInteger(pid)) return pid;
  throw new MkrootError('Cannot enter the private mount namespace: its first process is not there', {
    exitCode: ExitCode.ToolFailed,
  });
}

/** Exit code of nsenter(1), unshare(1) and shells for a program that is not there. */
const NOT_FOUND = 127;

function notInstalled(program: string): MkrootError {
  return new MkrootError(`Cannot run "${program}": it is not installed`, {
    exitCode: ExitCode.MissingTool,
    hint: 'Run `mkroot doctor`: it names the package that brings it.',
  });
}

/** What the C library, apt before it downloads, and dnf while it downloads or before it installs say about a full disk. */
const DISK_FULL =
  /no space left on device|you don't have enough free space|failed writing received data to disk|more space needed on the .* filesystem/i;

/** What a program keeps for itself, such as mmdebstrap its gpg home, is below TMPDIR: often another file system, and a small one. */
const TEMPORARY_FILE = /(?<![^\s'"`(])\/tmp\//;

/** @param line in which the program said so. */
function diskIsFull(name: string, line: string, details: readonly string[]): MkrootError {
  return new MkrootError(`Cannot run "${name}": the disk is full`, {
    exitCode: ExitCode.Io,
    details,
    hint: TEMPORARY_FILE.test(line)
      ? 'Free some space in /tmp and in the state directory, or choose others with TMPDIR=DIR and --state.'
      : 'Free some space in the state directory, or choose another one with --state.',
  });
}

function failed(name: string, { exitCode, signal }: Completed, details: readonly string[]): MkrootError {
  const how =
    signal === undefined ? `it failed with exit code ${exitCode ?? 'unknown'}` : `it was ended by ${signal}`;
  return new MkrootError(`Cannot run "${name}": ${how}`, { exitCode: ExitCode.ToolFailed, details });
}

/** A script cannot always be written: the disk may be full. The plain argv is better than another error. */
function repeatLine(byHand: (() => string) | undefined, argv: readonly string[]): string {
  try {
    return byHand?.() ?? shellQuote(argv);
  } catch {
    return shellQuote(argv);
  }
}

function deferred(): { promise: Promise<undefined>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<undefined>((done) => {
    resolve = () => done(undefined);
  });
  return { promise, resolve };
}
