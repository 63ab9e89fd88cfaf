import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import type { NodeState, UnknownMachine } from './node-board.js';

/** Version of the layout; a reader refuses another one. */
const FORMAT = 1;

/** What `mkroot serve` knows of the nodes, as it writes it for `mkroot status`. */
export interface ServeStatus {
  /** When it was written (ISO 8601, UTC). */
  readonly at: string;
  /** Since when it has been serving. */
  readonly since: string;
  /** Only nodes that were heard of. */
  readonly nodes: readonly NodeState[];
  readonly unknown: readonly UnknownMachine[];
}

/** What `mkroot serve` holds as long as it runs. */
export function serveLock(state: BytePath): BytePath {
  return `${state}/serve/lock`;
}

/** Where it lies: STATE/serve/status.json. */
export function statusPath(state: BytePath): BytePath {
  return `${state}/serve/status.json`;
}

/** Replaces the file in one step. */
export function writeStatus(fs: FileSystem, state: BytePath, status: ServeStatus): void {
  fs.writeFile(statusPath(state), `${JSON.stringify({ format: FORMAT, ...status })}\n`);
}

/**
 * What was written last; undefined if nobody ever served.
 * @throws MkrootError for a file that is damaged, or of another version of mkroot; Io for one that we may not read.
 */
export function readStatus(fs: ReadFileSystem, state: BytePath): ServeStatus | undefined {
  const path = statusPath(state);
  if (fs.lstat(path) === undefined) return undefined;
  const bytes = fs.readFile(path);
  try {
    const { format, ...status } = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      format: unknown;
    } & ServeStatus;
    if (format !== FORMAT || !Array.isArray(status.nodes) || !Array.isArray(status.unknown)) {
      throw new Error('its format is another one');
    }
    return status;
  } catch (cause) {
    throw new MkrootError(`Cannot read "${displayPath(path)}": it is not what mkroot serve writes`, {
      hint: 'Remove it; what nodes did before is not known then.',
      cause,
    });
  }
}
