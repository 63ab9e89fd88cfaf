import { fileStates } from '../../engine/file-state.js';
import type { LayerFinding } from '../../layers/layer-rules.js';
import { layerVersion, linkedVersion } from '../../layers/write-layer.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../../ports/file-system.js';

/** Version of the layout; another one is not read. */
const FORMAT = 2;

/** Files that a node's own layer was made from and consists of. */
export interface LayerFiles {
  /** Names below STATE/hosts/NODE/identity. */
  readonly identity: readonly BytePath[];
  /** Paths in the layer; `/` is the layer itself. */
  readonly layer: readonly BytePath[];
}

/** What is remembered of a node's own layer. */
export interface RememberedLayer {
  /** Of everything that it was made from besides the identity; see HostLayerKeys. */
  readonly key: string;
  /** Whether a template in it asked for the list of all nodes. */
  readonly readsNodes: boolean;
  /** Id of the version. */
  readonly version: string;
  readonly files: LayerFiles;
  /** States of the files of the identity and of the layer, when the layer was last known to be as it was written. */
  readonly states: readonly [identity: string, layer: string];
  readonly findings: readonly LayerFinding[];
}

/** The first line of the file: every node has its own after it. */
interface Head {
  readonly format: typeof FORMAT;
  readonly code: string;
  /** How the user spells the path of the site: findings name their files so. */
  readonly label: string;
  /** Lists of files, with a mark in the place of the node's name: most nodes have the same. */
  readonly shapes: readonly string[];
}

type Line = readonly [
  name: string,
  key: string,
  readsNodes: boolean,
  version: string,
  shape: number,
  identity: string,
  layer: string,
  findings?: readonly LayerFinding[],
];

/** Stands for the node's name in a shape. JSON never has this character. */
const NAME = '\u0001';

/**
 * What is remembered of nodes' own layers, so that neither the layer nor what it was made from has to be read to know that nothing
 * has changed: STATE/cache/host-layers. Losing it costs time only; it counts for the code of mkroot that wrote it.
 */
export class HostLayerMemory {
  readonly #lines: Map<string, string>;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #shapes: string[];
  readonly #shapeNumbers: Map<string, number>;
  readonly #parsed = new Map<number, LayerFiles | undefined>();
  #changed = false;

  private constructor(
    private readonly code: string | undefined,
    private readonly label: string | undefined,
    lines: readonly string[] = [],
    head?: Head,
  ) {
    const { shapes = [] } = head ?? {};
    this.#numbers = new Map(lines.map((line, number) => [nameIn(line), number]));
    const isKept = (line: string) => head?.label === label || label === undefined || !hasFindings(line);
    this.#lines = new Map(lines.filter(isKept).map((line) => [nameIn(line), line]));
    this.#shapes = [...shapes];
    this.#shapeNumbers = new Map(shapes.map((shape, number) => [shape, number]));
  }

  /** The file as it is; undefined if there is none. */
  static bytes(fs: ReadFileSystem, state: BytePath): Uint8Array | undefined {
    const path = memoryPath(state);
    return fs.lstat(path)?.kind === 'file' ? fs.readFile(path) : undefined;
  }

  /**
   * @param code digest of this mkroot; undefined remembers nothing.
   * @param label of the site now. What was found under another one is found anew. Absent for those who do not ask what was found.
   */
  static parse(
    bytes: Uint8Array | undefined,
    { code, label }: { readonly code: string | undefined; readonly label?: string },
  ): HostLayerMemory {
    const nothing = () => new HostLayerMemory(code, label);
    if (code === undefined || bytes === undefined) return nothing();
    const [first = '', ...lines] = Buffer.from(bytes).toString('utf8').split('\n');
    const head = parsed<Head>(first);
    if (head?.format !== FORMAT || head.code !== code || lines.at(-1) !== END) return nothing();
    return new HostLayerMemory(code, label, lines.slice(0, -1), head);
  }

  /** Of nodes whose layers are remembered, as the file has them. */
  get names(): Iterable<string> {
    return this.#lines.keys();
  }

  /** A node's place in the file that was read; -1 if it is not in it. */
  number(node: string): number {
    return this.#numbers.get(node) ?? -1;
  }

  /** What is remembered of a node's own layer. */
  recall(node: string): RememberedLayer | undefined {
    const text = this.#lines.get(node);
    const line = text === undefined ? undefined : parsed<Line>(text);
    if (line === undefined) return undefined;
    const [, key, readsNodes, version, shape, identity, layer, findings = []] = line;
    const files = this.#files(shape, node);
    return files && { key, readsNodes, version, files, states: [identity, layer], findings };
  }

  /** Remembers a node's layer from now on. */
  remember(node: string, { key, readsNodes, version, files, states, findings }: RememberedLayer): void {
    const shape = JSON.stringify(files).replaceAll(node, NAME);
    let number = this.#shapeNumbers.get(shape);
    if (number === undefined) {
      number = this.#shapes.push(shape) - 1;
      this.#shapeNumbers.set(shape, number);
    }
    const line: Line = [node, key, readsNodes, version, number, ...states];
    const text = JSON.stringify(findings.length === 0 ? line : [...line, findings]);
    if (this.#lines.get(node) === text) return;
    this.#lines.set(node, text);
    this.#changed = true;
  }

  /** Writes it, if something is new. */
  save(fs: FileSystem, state: BytePath, nodes: readonly { readonly name: string }[]): void {
    if (this.code === undefined || this.label === undefined) return;
    const kept = nodes.flatMap(({ name }) => this.#lines.get(name) ?? []);
    if (!this.#changed && kept.length === this.#lines.size) return;
    const head: Head = { format: FORMAT, code: this.code, label: this.label, shapes: this.#shapes };
    const path = memoryPath(state);
    fs.mkdir(path.slice(0, path.lastIndexOf('/')));
    fs.writeFile(path, [JSON.stringify(head), ...kept, END].join('\n'), 0o600);
  }

  #files(shape: number, node: string): LayerFiles | undefined {
    const text = this.#shapes[shape];
    if (text === undefined) return undefined;
    if (text.includes(NAME)) return parsed<LayerFiles>(text.replaceAll(NAME, node));
    const files = this.#parsed.get(shape) ?? parsed<LayerFiles>(text);
    this.#parsed.set(shape, files);
    return files;
  }
}

/** The last line, by which a file is known to be whole. */
const END = 'end';

function memoryPath(state: BytePath): BytePath {
  return `${state}/cache/host-layers`;
}

function nameIn(line: string): string {
  return line.slice(2, line.indexOf('"', 2));
}

function hasFindings(line: string): boolean {
  return parsed<Line>(line)?.[7] !== undefined;
}

function parsed<T>(text: string): T | undefined {
  try {
    const value: T = JSON.parse(text);
    return value;
  } catch {
    return undefined; // Damaged: what it is about is looked at again.
  }
}

/** Whether a node's identity and its layer look as they did when they were remembered. Reads none of it. */
export function looksAsRemembered(
  fs: ReadFileSystem,
  directory: BytePath,
  { version, files, states }: RememberedLayer,
): boolean {
  return (
    states[0] === identityStates(fs, directory, files.identity) &&
    states[1] === layerStates(fs, directory, version, files.layer) &&
    linkedVersion(fs, directory) === version
  );
}

/** States of a node's identity, of the files that are named. */
export function identityStates(fs: ReadFileSystem, directory: BytePath, names: readonly BytePath[]): string {
  return fileStates(
    fs,
    names.map((name) => `${directory}/identity/${name}`),
  );
}

/** States of the files of a version, and of its manifest. */
export function layerStates(
  fs: ReadFileSystem,
  directory: BytePath,
  version: string,
  paths: readonly BytePath[],
): string {
  const { layer, manifest } = layerVersion(directory, version);
  return fileStates(fs, [manifest, ...paths.map((path) => (path === '/' ? layer : `${layer}${path}`))]);
}
