import { MkrootError } from '../../errors.js';
import { generationPaths } from '../../images/image-store.js';
import type { NetbootNode, NetbootSite } from '../../netboot/netboot-site.js';
import { bufferLines } from '../../ports/buffer-lines.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../../ports/file-system.js';
import { RecordedNodes } from './recorded-nodes.js';

/** Version of the layout of the record. Format 1, which had the nodes within the site, is read, too. */
const FORMAT = 2;

/** What was published last: `STATE/published.json`. Boot files and server configuration follow from it alone. */
export interface PublishedRecord {
  /** When (ISO 8601, UTC). */
  readonly at: string;
  /** True while boot files are being written; it stays so if that is interrupted. */
  readonly unfinished: boolean;
  /** Digest of the code of mkroot that wrote the tree; absent if it is not known. */
  readonly code?: string;
  /** Absent before the first publish has ended. Its nodes are parsed when they are asked for. */
  readonly site?: NetbootSite;
  /** The site without its nodes. */
  readonly head?: SiteHead;
  /** The nodes of the site; none before the first publish has ended. */
  readonly nodes: RecordedNodes;
  /** Name of the server that the tree is for, if one was given. */
  readonly server?: string;
  /**
   * Directories of generations and of versions of layers that boot files named and do not name any more, and since when
   * (ISO 8601, UTC): running nodes may still have them mounted.
   */
  readonly retired: Readonly<Record<BytePath, string>>;
}

/** What a site has besides nodes. */
export type SiteHead = Omit<NetbootSite, 'nodes'>;

/** The first line of the file, and all of it in format 1. */
interface RecordHead extends Omit<PublishedRecord, 'site' | 'head' | 'nodes'> {
  readonly format: unknown;
  readonly site?: SiteHead & { readonly nodes?: readonly NetbootNode[] };
  readonly nodes?: readonly NetbootNode[];
}

/** Where what nodes boot is published: TFTP serves STATE/netboot/tftp. */
export function publishedTree(state: BytePath): BytePath {
  return `${state}/netboot`;
}

/** Where the record lies. */
export function recordPath(state: BytePath): BytePath {
  return `${state}/published.json`;
}

/**
 * Reads the record; undefined if nothing was ever published.
 * @throws MkrootError for one that is damaged, or of another version of mkroot; Io for one that we may not read, which says
 *   nothing about what is in it.
 */
export function readRecord(fs: ReadFileSystem, state: BytePath): PublishedRecord | undefined {
  const path = recordPath(state);
  if (fs.lstat(path) === undefined) return undefined;
  const bytes = fs.readFile(path);
  try {
    const lines = bufferLines(bytes);
    const first = lines[0]?.toString('utf8') ?? '';
    const isByLine = first.endsWith(NODES_FOLLOW) && lines.at(-1)?.toString('latin1') === ']}';
    const head: RecordHead = JSON.parse(isByLine ? `${first}]}` : lines.join('\n'));
    if ((head.format !== FORMAT && head.format !== 1) || typeof head.retired !== 'object') {
      throw new Error('its format is another one');
    }
    const { format: _format, site, nodes: parsedNodes, ...record } = head;
    const nodes = isByLine
      ? RecordedNodes.fromLines(lines.slice(1, -1).map(withoutComma))
      : RecordedNodes.of(parsedNodes ?? site?.nodes ?? []);
    if (site === undefined) return { ...record, nodes };
    const { nodes: _within, ...siteWithout } = site;
    return { ...record, nodes, head: siteWithout, site: withNodes(siteWithout, nodes) };
  } catch (cause) {
    throw new MkrootError(`Cannot read "${displayPath(path)}": it is no record of what was published`, {
      hint: 'Move it away and publish again; what running nodes use is then not known to `mkroot gc`.',
      cause,
    });
  }
}

/** What comes before a comma at the end. */
function withoutComma(line: Buffer): Buffer {
  return line.at(-1) === 0x2c ? line.subarray(0, -1) : line;
}

/** The end of the first line: then each node has a line of its own. */
const NODES_FOLLOW = ',"nodes":[';

function withNodes(head: SiteHead, nodes: RecordedNodes): NetbootSite {
  return {
    ...head,
    get nodes() {
      return nodes.all();
    },
  };
}

/** What a site has besides nodes. */
export function siteHead({ nodes: _nodes, ...head }: NetbootSite): SiteHead {
  return head;
}

const BREAK = Buffer.from('\n');
const COMMA = Buffer.from(',\n');

/**
 * Replaces the record in one step. Everybody may read it, as `mkroot status` does: it holds what the boot files, the server
 * configuration and the Ansible inventory beside it say, and no key but public ones.
 */
export function writeRecord(fs: FileSystem, state: BytePath, record: PublishedRecord): void {
  const { site: _site, head, nodes, ...rest } = record;
  const first = JSON.stringify({
    format: FORMAT,
    ...rest,
    ...(head === undefined ? {} : { site: head }),
    nodes: [],
  });
  const lines = nodes.lines.flatMap((line, index) => [index === 0 ? BREAK : COMMA, line]);
  const parts = [Buffer.from(first.slice(0, -2)), ...lines, Buffer.from('\n]}\n')];
  fs.writeFile(recordPath(state), Buffer.concat(parts), 0o644);
}

/** Removes what a run that was killed left beside the record, the tree's list and the memory of layers. Only for the holder of the lock. */
export function removeUnfinishedRecords(fs: FileSystem, state: BytePath): void {
  for (const directory of [state, publishedTree(state), `${state}/cache`]) {
    if (fs.lstat(directory) === undefined) continue;
    for (const name of fs.readdir(directory)) {
      if (/^(published\.json|\.mkroot-tree\.json|host-layers)\.tmp-\d+-\d+$/.test(name))
        fs.remove(`${directory}/${name}`);
    }
  }
}

/** Directories of generations and of versions of layers that a site's boot files name. */
export function referencesOf(site: NetbootSite | undefined, state: BytePath): Set<BytePath> {
  const references = new Set<BytePath>();
  for (const { boot } of site?.nodes ?? []) {
    const { base, cluster = [], host } = boot.parameters;
    const { name, generation } = boot.image;
    references.add(generationPaths(state, name, generation).directory);
    // What HTTP calls a file is no path here.
    const isUrl = base !== undefined && 'httpPort' in base;
    for (const location of [isUrl ? undefined : base, ...cluster, host]) {
      if (location !== undefined) references.add(parentOf(location.path));
    }
  }
  return references;
}

/** GENERATION/root and VERSION/layer: what belongs together lies beside it. */
function parentOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The record of a publish that begins: whatever it names may be booted from now on, even if it does not end. */
export function begunRecord(
  before: PublishedRecord | undefined,
  site: NetbootSite,
  at: string,
  state: BytePath,
): PublishedRecord {
  const named = [...referencesOf(site, state)].map((path): [BytePath, string] => [path, at]);
  return {
    nodes: RecordedNodes.of([]),
    ...before,
    at,
    unfinished: true,
    retired: { ...before?.retired, ...Object.fromEntries(named) },
  };
}

/** The record of a publish that has ended: what boot files named before it and do not name now is retired. */
export function finishedRecord(
  begun: PublishedRecord,
  site: NetbootSite,
  server: string | undefined,
  state: BytePath,
  code?: string,
): PublishedRecord {
  const used = referencesOf(site, state);
  const named = [...referencesOf(begun.site, state)].map((path): [BytePath, string] => [path, begun.at]);
  const retired = Object.entries({ ...begun.retired, ...Object.fromEntries(named) })
    .filter(([path]) => !used.has(path))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    at: begun.at,
    unfinished: false,
    ...(code === undefined ? {} : { code }),
    site,
    head: siteHead(site),
    nodes: RecordedNodes.of(site.nodes),
    ...(server === undefined ? {} : { server }),
    retired: Object.fromEntries(retired),
  };
}
