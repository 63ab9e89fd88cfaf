import { MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';

/** How often a log is looked at. */
const POLL_MS = 200;

/** Most bytes that are read at once. */
const CHUNK = 1 << 20;

/**
 * Hands on the lines of a log that another program writes, as they come, until `signal` aborts. The log may not be there yet.
 * A last line without its end is still on the way.
 */
export async function followLog(
  { fs, clock }: Pick<Ports, 'fs' | 'clock'>,
  path: BytePath,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let offset = 0;
  let rest = '';
  while (!signal.aborted) {
    const size = fs.lstat(path)?.size ?? 0;
    // It was begun anew.
    if (size < offset) offset = 0;
    if (size > offset) {
      const bytes = readIfThere(fs, path, offset, Math.min(CHUNK, size - offset));
      offset += bytes.length;
      const lines = `${rest}${Buffer.from(bytes).toString('latin1')}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
      continue;
    }
    try {
      await clock.sleep(POLL_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

/** Nothing of a log that was removed a moment ago, since its program is started anew. */
function readIfThere(fs: Ports['fs'], path: BytePath, offset: number, length: number): Uint8Array {
  try {
    return fs.readRange(path, offset, length);
  } catch (error) {
    if (error instanceof MkrootError && fs.lstat(path) === undefined) return new Uint8Array();
    throw error;
  }
}
