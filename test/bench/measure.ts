import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { inNamespaces } from '../../src/sandbox/unshare.js';

/** What one run took. */
export interface Measurement {
  /** Wall time. */
  readonly seconds: number;
  /** Processor time of the program and all that it waited for; other load hardly shows in it. */
  readonly cpuSeconds?: number;
  /** Most memory that any one of the processes had resident at once, in KiB. */
  readonly peakKiB: number;
  /** Size of what came out, where that is a file. */
  readonly bytes?: number;
}

/** A program to be measured. */
export interface Measured {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Shell commands that run before it, in mount and process namespaces that end with it. Not measured. */
  readonly setUp?: string;
  /** The file that it makes. */
  readonly output?: string;
}

/**
 * The clock runs inside, next to the program, so that neither Node nor making the namespaces counts. GNU time(1) tells
 * the peak memory, of the program or of the largest that it waited for, and the processor time of all of them.
 */
const STOPWATCH = `
start=$EPOCHREALTIME
status=0
/usr/bin/time -q -f '%M %U %S' -o "$1" -- "\${@:4}" >"$2" 2>&1 </dev/null || status=$?
echo "$start $EPOCHREALTIME"
test -z "$3" || stat -c %s "$3"
exit $status`;

/**
 * Runs a program to its end and measures it.
 * @param scratch an existing directory for the log
 * @throws Error with the end of its output if it fails
 */
export function measure({ argv, env = {}, setUp, output }: Measured, scratch: string): Measurement {
  const usageFile = `${scratch}/usage`;
  const logFile = `${scratch}/measured.log`;
  const script = `set -e\n${setUp ?? ''}\n${STOPWATCH}`;
  const stopwatch = ['bash', '-c', script, 'bash', usageFile, logFile, output ?? '', ...argv];
  const [program, ...args] =
    setUp === undefined ? stopwatch : inNamespaces({ mount: true, pid: true }, stopwatch);
  const { status, stdout, stderr, error } = spawnSync(program!, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    const log = [stderr, readIfThere(logFile)].join('\n').trim();
    throw new Error(`${argv.join(' ')} ended with ${status ?? 'a signal'}:\n${log.slice(-3000)}`);
  }
  const [start, end, bytes] = stdout.trim().split(/\s/).map(Number);
  const usage = readFileSync(usageFile, 'utf8').trim().split('\n').at(-1)!;
  const [peakKiB, user, system] = usage.split(' ').map(Number);
  rmSync(logFile, { force: true });
  return {
    seconds: end! - start!,
    cpuSeconds: user! + system!,
    peakKiB: peakKiB!,
    ...(bytes === undefined ? {} : { bytes }),
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** One of several that do the same job. */
export interface Contender {
  readonly name: string;
  /** What is left out or added compared with the others, in a few words. */
  readonly remark?: string;
  run(): Measurement | Promise<Measurement>;
}

/** The middle values of several runs. */
export interface Result extends Measurement {
  readonly name: string;
  readonly remark?: string;
  /** Fastest and slowest run, in seconds. */
  readonly spread: readonly [number, number];
  readonly rounds: number;
}

/**
 * Runs all contenders in turn, A B C, B C A, ..., so that whatever else slows the machine down hits all of them, and none
 * always comes first.
 * @param warmUp rounds before, which do not count: they fill the page cache for everybody
 */
export async function interleaved(
  contenders: readonly Contender[],
  { rounds, warmUp = 0 }: { rounds: number; warmUp?: number },
): Promise<Result[]> {
  const runs = new Map<Contender, Measurement[]>(contenders.map((contender) => [contender, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    const first = (round + warmUp) % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      // Programs are waited for without the event loop; here it turns once, so that a signal is heard.
      await setImmediate();
      const started = performance.now();
      const measurement = await contender.run();
      const total = ((performance.now() - started) / 1000).toFixed(1);
      process.stderr.write(
        `  ${round < 0 ? 'warm-up' : `round ${round + 1}`}  ${measurement.seconds.toFixed(2).padStart(7)} s  ${contender.name}  (${total} s in all)\n`,
      );
      if (round >= 0) runs.get(contender)!.push(measurement);
    }
  }
  return contenders.map((contender) => summarise(contender, runs.get(contender)!));
}

/** The middle values of a contender's runs. */
export function summarise(
  { name, remark }: Pick<Contender, 'name' | 'remark'>,
  runs: readonly Measurement[],
): Result {
  const seconds = runs.map((run) => run.seconds);
  const sizes = runs.flatMap(({ bytes }) => bytes ?? []);
  const cpu = runs.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  return {
    name,
    ...(remark === undefined ? {} : { remark }),
    seconds: median(seconds),
    ...(cpu.length === 0 ? {} : { cpuSeconds: median(cpu) }),
    peakKiB: median(runs.map(({ peakKiB }) => peakKiB)),
    ...(sizes.length === 0 ? {} : { bytes: median(sizes) }),
    spread: [Math.min(...seconds), Math.max(...seconds)],
    rounds: runs.length,
  };
}

/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
