import { takeLock } from '../../engine/state-lock.js';
import { readInventoryText, type Site } from '../../inventory/load-inventory.js';
import { toBytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';

/**
 * Does work that reads nodes.yaml or its CSV files and writes them, while no other mkroot does: the second one waits, and reads
 * what the first one wrote. The lock is on the site's directory itself. A lock file would be litter in a directory that people
 * keep in version control, and nodes.yaml is another inode after each change. An editor knows of no lock: for it `replaceText`
 * compares what is there with what was read.
 * @throws MkrootError NotFound without a nodes.yaml; Interrupted when `signal` aborts while it waits.
 */
export async function withSiteLock<T>(
  ports: Pick<Ports, 'fs' | 'runner' | 'progress'>,
  site: Site,
  signal: AbortSignal,
  work: () => T | Promise<T>,
): Promise<T> {
  // flock(1) would make a file where there is no directory.
  readInventoryText(ports.fs, site);
  const lock = await takeLock(ports, { path: toBytePath(site.directory), wait: true, signal });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
