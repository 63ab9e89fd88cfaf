import { MkrootError } from '../../errors.js';
import type { Ports } from '../../ports/ports.js';

/** MiB that QEMU takes for itself, beside its machine's memory: mostly code that it has translated. */
const EMULATOR_MEMORY = 256;

/** What decides how many machines run at the same time. */
export interface JobsWish {
  /** As asked for; half the processors otherwise, as far as the memory goes. */
  readonly jobs?: number | undefined;
  readonly processors: number;
  /** MiB of the largest machine. */
  readonly memory: number;
}

/**
 * How many machines to run at the same time. Half the processors, unless told otherwise: an emulated machine keeps one busy, and QEMU's
 * own work and the servers another one at times. Where the memory is too small for what was asked for, that is told, and done all the same:
 * most machines do not use what they have.
 */
export function scenarioJobs(
  { fs, progress }: Pick<Ports, 'fs' | 'progress'>,
  { jobs, processors, memory }: JobsWish,
): number {
  const each = memory + EMULATOR_MEMORY;
  const available = availableMemory(fs);
  const fitting = available === undefined ? Number.POSITIVE_INFINITY : Math.floor(available / each);
  if (jobs === undefined) return Math.max(1, Math.min(Math.floor(processors / 2), fitting));
  if (jobs > Math.max(1, fitting)) {
    progress.warn(
      `${jobs} machines at once may take ${jobs * each} MiB, and ${available} MiB are available`,
      `As many as fit: --jobs ${Math.max(1, fitting)}`,
    );
  }
  return jobs;
}

/** MiB that programs can have without swapping, by /proc/meminfo, see proc_meminfo(5); undefined where that does not say. */
function availableMemory(fs: Ports['fs']): number | undefined {
  try {
    const text = Buffer.from(fs.readFile('/proc/meminfo')).toString('latin1');
    const kibibytes = /^MemAvailable: +(\d+) kB$/m.exec(text)?.[1];
    return kibibytes === undefined ? undefined : Math.floor(Number(kibibytes) / 1024);
  } catch (error) {
    if (error instanceof MkrootError) return undefined;
    throw error;
  }
}
