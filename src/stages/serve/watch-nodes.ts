import type { BytePath } from '../../ports/byte-path.js';
import type { Clock } from '../../ports/clock.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { HttpAnswer, HttpRequest } from '../../ports/network.js';
import { DhcpLog } from '../../serving/dhcp-log.js';
import { type KnownNode, NodeBoard, type NodeState } from '../../serving/node-board.js';
import { bootedFacts, type NodeReport } from '../../serving/node-report.js';
import { requestPath } from '../../serving/static-files.js';
import { readStatus, writeStatus } from '../../serving/status-file.js';

/** Where what nodes run on is kept for `mkroot gc`: STATE/booted/NODE. */
function bootedPath(state: BytePath, node: string): BytePath {
  return `${state}/booted/${node}`;
}

/**
 * Follows the nodes of a cluster while they are served: keeps the board, the file that `mkroot status` reads, and for each
 * node what it runs on. What was known before mkroot was started stays known.
 */
export class NodeWatch {
  readonly board: NodeBoard;
  readonly #log = new DhcpLog();
  readonly #since: string;
  readonly #booted = new Map<string, string>();
  #changed = true;

  constructor(
    private readonly ports: { readonly fs: FileSystem; readonly clock: Clock },
    private readonly state: BytePath,
    nodes: readonly KnownNode[],
    private readonly onNews: (state: NodeState) => void,
  ) {
    const { fs, clock } = ports;
    this.#since = clock.now().toISOString();
    this.board = new NodeBoard(nodes, () => clock.now(), readStatus(fs, state)?.nodes);
  }

  /** A line of dnsmasq's log. */
  dhcpLine(line: string): void {
    const event = this.#log.read(line);
    if (event !== undefined) this.#news(this.board.dhcp(event));
  }

  /** An answer of the HTTP server has gone out. */
  sent({ target, client, method }: HttpRequest, { status }: HttpAnswer, whole: boolean): void {
    const path = requestPath(target);
    if (whole && method === 'GET' && status === 200 && path !== undefined) {
      this.#news(this.board.fetched(client, path, 'HTTP'));
    }
  }

  /** Only a report that comes from the node's own address says what it runs on: `mkroot gc` looks there. */
  report(report: NodeReport, client: string): void {
    const taken = this.board.report(report, client);
    this.#news(taken?.news);
    const facts = bootedFacts(report);
    if (taken === undefined || facts === undefined || taken.known.address !== client) return;
    const { name } = taken.known;
    if (this.#booted.get(name) === facts) return;
    this.ports.fs.mkdir(`${this.state}/booted`);
    this.ports.fs.writeFile(bootedPath(this.state, name), facts);
    this.#booted.set(name, facts);
  }

  /** After a publish. */
  setNodes(nodes: readonly KnownNode[]): void {
    this.board.setNodes(nodes);
    this.#changed = true;
  }

  /** Writes the file if there is something new. */
  flush(): void {
    if (!this.#changed) return;
    this.#changed = false;
    writeStatus(this.ports.fs, this.state, {
      at: this.ports.clock.now().toISOString(),
      since: this.#since,
      nodes: this.board.nodes.map(({ state }) => state).filter(({ phase }) => phase !== 'unseen'),
      unknown: this.board.unknown,
    });
  }

  #news(state: NodeState | undefined): void {
    this.#changed = true;
    if (state !== undefined) this.onNews(state);
  }
}
