import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { InThread, StartThread } from '../../ports/start-thread.js';
import { type KnownTree, looksAsListed } from '../../stages/publish/owned-tree.js';
import {
  listedFiles,
  ownedTreeListBytes,
  parseOwnedTreeList,
  type WrittenFile,
  type WrittenFiles,
} from '../../stages/publish/owned-tree-list.js';
import { HostLayerMemory, looksAsRemembered } from '../layers/host-layer-memory.js';
import { hostDirectory } from '../layers/state-directories.js';
import { publishedTree } from './published-record.js';

/** Fewer nodes are looked at in less time than a thread takes to start. */
const ENOUGH_NODES = 500;

/** What a second thread is given: what two files said, and where it writes down what it found. */
export interface LookAheadTask {
  readonly state: BytePath;
  readonly code: string;
  /** The file of {@link HostLayerMemory}. */
  readonly memory: Uint8Array;
  /** The list of the published tree. */
  readonly list: Uint8Array;
  readonly board: SharedArrayBuffer;
}

/** What a publish knows before it has read the inventory. */
export interface KnownBefore {
  readonly memory: Uint8Array | undefined;
  readonly list: Uint8Array | undefined;
  readonly board: Board | undefined;
}

/**
 * To know that nothing has changed, a publish looks at each file of each node, some 25: with thousands of nodes that takes as long as
 * all the rest. So a second thread begins with it while the first one reads the inventory.
 */
export function lookAhead(
  fs: ReadFileSystem,
  state: BytePath,
  { code, start }: { readonly code: string | undefined; readonly start: StartThread | undefined },
): KnownBefore {
  const memory = HostLayerMemory.bytes(fs, state);
  const list = ownedTreeListBytes(fs, publishedTree(state));
  const nothing = { memory, list, board: undefined };
  if (memory === undefined || list === undefined || code === undefined || start === undefined) return nothing;
  const nodes = countLines(memory);
  if (nodes < ENOUGH_NODES) return nothing;
  const board = new SharedArrayBuffer(nodes + countLines(list));
  const task = { state, code, memory: shared(memory), list: shared(list), board };
  start(import.meta.url, task);
  return { ...task, board: new Board(board, nodes) };
}

/** What is known of the published tree, by both threads. */
export function knownTree(fs: ReadFileSystem, state: BytePath, { list, board }: KnownBefore): KnownTree {
  const directory = publishedTree(state);
  const written: WrittenFiles = list === undefined ? new Map() : parseOwnedTreeList(list, directory);
  const look = (path: BytePath, known: WrittenFile) => looksAsListed(fs, `${directory}/${path}`, known);
  if (board === undefined) return { written, isAsListed: look };
  return {
    written,
    isAsListed: (path, known) => {
      const { number } = known;
      return number === undefined ? look(path, known) : board.file(number, () => look(path, known));
    },
  };
}

/** What the second thread does: it looks at all files in the order in which the first one asks for them. */
export const inThread: InThread<LookAheadTask> = (fs, { state, code, memory, list, board }) => {
  const remembered = HostLayerMemory.parse(memory, { code });
  const found = new Board(board, countLines(memory));
  for (const node of remembered.names) {
    const layer = remembered.recall(node);
    if (layer === undefined) continue;
    found.host(remembered.number(node), () => looksAsRemembered(fs, hostDirectory(state, node), layer));
  }
  const tree = publishedTree(state);
  for (const [path, known] of listedFiles(list, tree)) {
    found.file(known.number!, () => looksAsListed(fs, `${tree}/${path}`, known));
  }
};

/** What becomes of one byte of the board. */
const [FREE, TAKEN, SAME, OTHER] = [0, 1, 2, 3];

/**
 * What two threads have found out about files: one byte for each node's own layer, and one for each file of the tree, by their
 * numbers in the files that list them. Whoever comes first looks.
 */
export class Board {
  readonly #bytes: Uint8Array;

  constructor(
    shared: SharedArrayBuffer,
    private readonly nodes: number,
  ) {
    this.#bytes = new Uint8Array(shared);
  }

  /** Whether a node's layer is as it was. */
  host(number: number, look: () => boolean): boolean {
    return this.#settle(number, look);
  }

  /** Whether a file of the tree is as it was. */
  file(number: number, look: () => boolean): boolean {
    return this.#settle(this.nodes + number, look);
  }

  #settle(at: number, look: () => boolean): boolean {
    const known = Atomics.compareExchange(this.#bytes, at, FREE, TAKEN);
    if (known === SAME || known === OTHER) return known === SAME;
    // The other thread is at it this moment, or gave up: to look as well takes less time than to wait.
    const same = look();
    Atomics.store(this.#bytes, at, same ? SAME : OTHER);
    return same;
  }
}

/** A copy that another thread can have without another one. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** At least as many as there are things listed. */
function countLines(bytes: Uint8Array): number {
  let count = 1;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
