import { MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';

/** Name of every lab's temporary directory up to its random end. */
const PREFIX = 'mkroot-lab-';

/** Names the process that the directory belongs to. */
const OWNER_FILE = 'owner';

/** A directory without an owner file is being made, or was left by a process killed just then; seconds. */
const GRACE_SECONDS = 3_600;

/** Makes a lab's temporary directory and notes whose it is: process id and start time, which together are unique. */
export function reserveLabDirectory({ fs }: Ports, parent: BytePath): BytePath {
  const directory = fs.makeTemporaryDirectory(`${parent}/${PREFIX}`);
  const self = fs.readlink('/proc/self');
  fs.writeFile(`${directory}/${OWNER_FILE}`, `${self} ${startTime(fs, self) ?? ''}\n`);
  return directory;
}

/**
 * Removes what labs left that were killed before they could clean up. Only directories of the same user whose owner does
 * not run any more; nothing of them is mounted or running, since that ended with their owner.
 */
export function removeStaleLabs({ fs, clock }: Ports, parent: BytePath): void {
  const me = fs.lstat('/proc/self/')?.uid;
  for (const name of fs.readdir(parent)) {
    const directory = `${parent}/${name}`;
    const stat = name.startsWith(PREFIX) ? fs.lstat(directory) : undefined;
    if (stat?.kind !== 'directory' || stat.uid !== me) continue;
    const owner = readOwner(fs, directory);
    const stale =
      owner === undefined
        ? clock.now().getTime() / 1000 - stat.mtime > GRACE_SECONDS
        : startTime(fs, owner.pid) !== owner.startTime;
    if (stale) fs.remove(directory);
  }
}

function readOwner(fs: FileSystem, directory: BytePath): { pid: string; startTime: string } | undefined {
  const text = readText(fs, `${directory}/${OWNER_FILE}`);
  const match = /^(\d+) (\d+)\n$/.exec(text ?? '');
  return match === null ? undefined : { pid: match[1]!, startTime: match[2]! };
}

/** Start time of a process in clock ticks since boot: field 22 of /proc/PID/stat, see proc(5). */
function startTime(fs: FileSystem, pid: string): string | undefined {
  const stat = readText(fs, `/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readText(fs: FileSystem, path: BytePath): string | undefined {
  try {
    return Buffer.from(fs.readFile(path)).toString('latin1');
  } catch (error) {
    if (error instanceof MkrootError) return undefined; // gone in the meantime
    throw error;
  }
}
