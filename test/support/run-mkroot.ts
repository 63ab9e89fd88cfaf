import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled executable; MKROOT_TEST_BIN tests another one. */
const EXECUTABLE =
  process.env['MKROOT_TEST_BIN'] ?? fileURLToPath(new URL('../../bin/mkroot.js', import.meta.url));

/** What a run of mkroot came to. */
export interface MkrootRun {
  /** null if a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Wall time from process start, in milliseconds. */
  readonly ms: number;
}

/** A run that goes on. */
export interface StartedMkroot {
  readonly process: ChildProcess;
  readonly ended: Promise<MkrootRun>;
}

/** Starts `mkroot ARGS`; `wrapper` is an argv that it is run by. */
export function startMkroot(args: readonly string[], wrapper: readonly string[] = []): StartedMkroot {
  const [program, ...rest] = [...wrapper, process.execPath, EXECUTABLE, ...args] as [string, ...string[]];
  const started = performance.now();
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<MkrootRun>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr, ms: performance.now() - started }));
  });
  return { process: child, ended };
}

/** Runs `mkroot ARGS` to its end. */
export async function runMkroot(
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<MkrootRun> {
  return startMkroot(args, wrapper).ended;
}

/** Runs `mkroot ARGS --json`; fails with what it said if it does not succeed. */
export async function mkrootJson<T>(...args: string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runMkroot([...args, '--json']);
  if (exitCode !== 0) throw new Error(`mkroot ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout) as T;
}
