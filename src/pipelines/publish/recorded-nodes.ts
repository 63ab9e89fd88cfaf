import type { NetbootNode } from '../../netboot/netboot-site.js';
import type { BytePath } from '../../ports/byte-path.js';

/**
 * Nodes as the record has them: one line of JSON each, which is only parsed for those that somebody asks about. A node that
 * gives the same line has not changed.
 */
export class RecordedNodes {
  readonly #lines: ReadonlyMap<string, Buffer>;
  #all: readonly NetbootNode[] | undefined;

  /** @param lines UTF-8: as text, those of ten thousand nodes would fill the heap. */
  private constructor(lines: ReadonlyMap<string, Buffer>) {
    this.#lines = lines;
  }

  /** Nodes that are about to be recorded. */
  static of(nodes: readonly NetbootNode[]): RecordedNodes {
    return new RecordedNodes(new Map(nodes.map((node) => [node.name, lineOf(node)])));
  }

  /** Lines as they were written. */
  static fromLines(lines: readonly Buffer[]): RecordedNodes {
    return new RecordedNodes(new Map(lines.map((line) => [nameIn(line), line])));
  }

  /** In the order of the inventory that they were published from. */
  get names(): readonly string[] {
    return [...this.#lines.keys()];
  }

  /** In the same order. */
  get lines(): readonly Buffer[] {
    return [...this.#lines.values()];
  }

  /** Whether there is such a node and it is the same. */
  hasSame(node: NetbootNode): boolean {
    return this.#lines.get(node.name)?.equals(lineOf(node)) === true;
  }

  /** Whether a node has this layer of its own. */
  hasHostLayer(name: string, layer: BytePath): boolean {
    return this.#lines.get(name)?.includes(`"host":{"path":${JSON.stringify(layer)}`) === true;
  }

  /** One node; undefined if there is none of the name. */
  get(name: string): NetbootNode | undefined {
    const line = this.#lines.get(name);
    return line === undefined ? undefined : parsed(line);
  }

  /** All nodes, in the same order. */
  all(): readonly NetbootNode[] {
    this.#all ??= this.lines.map(parsed);
    return this.#all;
  }
}

function lineOf(node: NetbootNode): Buffer {
  return Buffer.from(JSON.stringify(node));
}

function parsed(line: Buffer): NetbootNode {
  const node: NetbootNode = JSON.parse(line.toString('utf8'));
  return node;
}

/** A node's name goes first, and is a host name: nothing in it is escaped. */
function nameIn(line: Buffer): string {
  const start = line.toString('latin1', 0, 80);
  return /^\{"name":"([A-Za-z0-9.-]+)"/.exec(start)?.[1] ?? parsed(line).name;
}
