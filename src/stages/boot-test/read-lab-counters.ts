import { MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type ProcessTime, parseNetDev, parseProcessStat, type Traffic } from '../../vm/lab-counters.js';
import type { LabNamespace } from '../../vm/lab-namespace.js';

/** What devices and processes of a lab have done so far. */
export interface LabCounters {
  /** By the device's name. */
  readonly traffic: ReadonlyMap<string, Traffic>;
  readonly processes: readonly ProcessTime[];
}

/** Reads the kernel's counters of everything in a lab, without starting anything in it. */
export function readLabCounters(
  fs: ReadFileSystem,
  namespace: Pick<LabNamespace, 'pathInside'>,
): LabCounters {
  const proc = namespace.pathInside('/proc');
  return {
    traffic: parseNetDev(readText(fs, `${proc}/1/net/dev`)),
    processes: fs.readdir(proc).flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      return parseProcessStat(readText(fs, `${proc}/${name}/stat`)) ?? [];
    }),
  };
}

/** A file under /proc, empty if its process is gone. */
function readText(fs: ReadFileSystem, path: BytePath): string {
  try {
    return Buffer.from(fs.readFile(path)).toString('latin1');
  } catch (error) {
    if (error instanceof MkrootError) return '';
    throw error;
  }
}
