import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Options, ResultPromise } from 'execa';
import { ExitCode, MkrootError } from '../errors.js';
import {
  type Command,
  type Completed,
  type ProcessRunner,
  type RunningProcess,
  shellQuote,
} from '../ports/process-runner.js';
import { OutputTail } from './output-tail.js';

/** Lines of a failed tool's output that the error shows. */
const TAIL_LINES = 20;

/** Bytes at the end of a stream that nobody watches line by line, enough for that many lines. */
const TAIL_BYTES = 8_192;

/** How long a tool may take to obey SIGTERM after an abort before it is killed. */
const KILL_DELAY_MS = 5_000;

/** System administration tools live in sbin, which an ordinary user's PATH may lack. */
const SEARCH_PATH = [
  ...new Set([...(process.env['PATH'] ?? '/usr/bin:/bin').split(delimiter), '/usr/sbin', '/sbin']),
];

/** Bytes of output that are kept; execa's own limit, 100 MB, is less than what an initramfs unpacks to. */
const MAX_OUTPUT = 4 * 2 ** 30;

type Subprocess = ResultPromise<Options>;

/** {@link ProcessRunner} over execa. execa itself is loaded when the first program runs: many commands run none. */
export class ExecaRunner implements ProcessRunner {
  which(program: string): string | undefined {
    if (program.includes('/')) return isExecutable(program) ? program : undefined;
    return SEARCH_PATH.map((directory) => join(directory, program)).find(isExecutable);
  }

  async run(command: Command): Promise<Completed> {
    const { completed, output } = await this.#spawn(command);
    return checkExit(command, await completed, output);
  }

  async start(command: Command): Promise<RunningProcess> {
    const { child, completed } = await this.#spawn(command);
    const { pid } = child;
    if (pid === undefined) {
      await completed;
      throw new MkrootError(`Cannot start "${command.argv[0]}": the kernel gave it no process`, {
        exitCode: ExitCode.ToolFailed,
      });
    }
    return {
      pid,
      write: (data) => void child.stdin?.write(data),
      closeInput: () => void child.stdin?.end(),
      kill: (signal) => signalGroup(pid, signal),
      exited: completed,
    };
  }

  async #spawn(
    command: Command,
  ): Promise<{ child: Subprocess; completed: Promise<Completed>; output: CollectedOutput }> {
    const { execa } = await import('execa');
    const [program, ...args] = command.argv;
    const path = this.which(program);
    if (path === undefined) throw missingTool(program);
    const setpriv = command.dieWithParent === false ? undefined : this.which('setpriv');
    const [file, ...rest] =
      setpriv === undefined ? [path, ...args] : [setpriv, '--pdeathsig', 'KILL', '--', path, ...args];
    if (command.signal?.aborted) throw interrupted(command);
    const started = performance.now();
    const child: Subprocess = execa(file!, rest, optionsFor(command));
    const output = new CollectedOutput(child, command);
    const stopWatching = endOnAbort(child, command.signal);
    const completed = child.then(({ exitCode, signal }): Completed => {
      stopWatching();
      return { exitCode, signal, ...output.end(), durationMs: performance.now() - started };
    });
    return { child, completed, output };
  }
}

/** Both streams of a program: whole, and as lines for whoever watches. */
class CollectedOutput {
  readonly #chunks: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  readonly #lines: OutputTail | undefined;
  #logFile: string | undefined;

  constructor(child: Subprocess, { onLine, logFile, output }: Command) {
    this.#logFile = logFile;
    // Cutting into lines is only worth its time if somebody reads them: output may be megabytes of data.
    this.#lines = onLine === undefined ? undefined : new OutputTail(TAIL_LINES, onLine);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (chunk: Uint8Array) => {
        if (output !== 'watch') this.#chunks[stream].push(chunk);
        this.#lines?.push(chunk, stream);
        this.#log(chunk);
      });
    }
  }

  /**
   * A log that cannot be written (the disk is full) ends there: thrown from an event, the error would end mkroot before
   * it can clean up, and hide what the program itself has to say about the disk.
   */
  #log(chunk: Uint8Array): void {
    if (this.#logFile === undefined) return;
    try {
      appendFileSync(this.#logFile, chunk);
    } catch {
      this.#logFile = undefined;
    }
  }

  /** Call once, when the program has ended. */
  end(): Pick<Completed, 'stdout' | 'stderr'> {
    this.#lines?.end();
    return {
      stdout: Buffer.concat(this.#chunks.stdout),
      stderr: Buffer.concat(this.#chunks.stderr).toString('utf8'),
    };
  }

  /** The last lines, for an error message. */
  get tail(): readonly string[] {
    if (this.#lines !== undefined) return this.#lines.lines;
    const tail = new OutputTail(TAIL_LINES);
    for (const stream of ['stdout', 'stderr'] as const) {
      tail.push(Buffer.concat(this.#chunks[stream]).subarray(-TAIL_BYTES), stream);
    }
    tail.end();
    return tail.lines;
  }
}

function optionsFor(command: Command): Options {
  const inherit = command.output === 'inherit';
  const { input } = command;
  return {
    reject: false,
    encoding: 'buffer',
    buffer: false,
    detached: !inherit, // its own process group, so that ending it ends its children
    cleanup: false,
    maxBuffer: MAX_OUTPUT,
    env: { PATH: SEARCH_PATH.join(delimiter), ...command.env },
    stdout: inherit ? 'inherit' : 'pipe',
    stderr: inherit ? 'inherit' : 'pipe',
    ...(input instanceof Uint8Array ? { input } : {}),
    ...(input === undefined ? { stdin: 'ignore' } : {}),
    ...(input === 'inherit' || input === 'pipe' ? { stdin: input } : {}),
    ...(typeof input === 'object' && !(input instanceof Uint8Array) ? { stdin: input } : {}),
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  };
}

function endOnAbort(child: Subprocess, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    const { pid } = child;
    if (pid === undefined) return;
    signalGroup(pid, 'SIGTERM');
    timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), KILL_DELAY_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  };
}

function checkExit(command: Command, completed: Completed, output: CollectedOutput): Completed {
  if (command.signal?.aborted) throw interrupted(command);
  const { exitCode, signal } = completed;
  if (exitCode === 0) return completed;
  if (exitCode !== undefined && (command.accept === 'any' || command.accept?.includes(exitCode)))
    return completed;
  const how =
    signal === undefined ? `it failed with exit code ${exitCode ?? 'unknown'}` : `it was ended by ${signal}`;
  throw new MkrootError(`Cannot run "${command.argv[0]}": ${how}`, {
    exitCode: ExitCode.ToolFailed,
    details: [
      ...output.tail.map((line) => `  | ${line}`),
      ...(command.logFile === undefined ? [] : [`Whole log: ${command.logFile}`]),
      `To repeat it by hand: ${shellQuote(command.argv)}`,
    ],
  });
}

function missingTool(program: string): MkrootError {
  return new MkrootError(`Cannot run "${program}": it is not installed`, {
    exitCode: ExitCode.MissingTool,
    hint: 'Run `mkroot doctor`: it names the package that brings it.',
  });
}

function interrupted(command: Command): MkrootError {
  return new MkrootError(`Cannot finish "${command.argv[0]}": interrupted`, {
    exitCode: ExitCode.Interrupted,
  });
}

/** Signals a whole process group; one that is gone already is no error. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No such group (the program shares ours), or gone: try the process itself, then leave it.
    }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
