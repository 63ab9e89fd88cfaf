import type { Node } from '../../inventory/node.js';
import { identityFiles, keptIdentity, publicKeys } from '../../layers/host-identity.js';
import {
  diffLayers,
  type LayerDifference,
  type LayerManifest,
  layerManifest,
  readLayerManifest,
} from '../../layers/layer-manifest.js';
import type { LayerTree } from '../../layers/layer-tree.js';
import {
  currentLayer,
  findLayerVersion,
  type LayerVersion,
  layerVersion,
  versionName,
} from '../../layers/write-layer.js';
import type { BytePath } from '../../ports/byte-path.js';
import { type FileSystem, namesIn } from '../../ports/file-system.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { type DriverInitrd, planDriverInitrd } from '../initrd/driver-initrd.js';
import type { ComposedLayer, LayerComposer, SharedLayer } from '../layers/compose-layers.js';
import { HostLayerKeys } from '../layers/host-layer-keys.js';
import {
  type HostLayerMemory,
  identityStates,
  layerStates,
  looksAsRemembered,
  type RememberedLayer,
} from '../layers/host-layer-memory.js';
import { Findings } from '../layers/render-layers.js';
import { hostDirectory, hostsDirectory, sharedLayerDirectory } from '../layers/state-directories.js';
import type { Board } from './look-ahead.js';
import type { NodeSources } from './netboot-site.js';
import { findNodeImage, imageKey } from './node-image.js';
import type { PublishedRecord } from './published-record.js';

/** A layer that nodes will boot with. */
export interface PlannedLayer {
  /** Of the group (GROUP, or GROUP@IMAGE) or of the node. */
  readonly name: string;
  readonly kind: 'shared' | 'host';
  readonly directory: BytePath;
  readonly version: LayerVersion;
  /** False if it has to be written. */
  readonly there: boolean;
  /** Whether `current` has to be flipped to it. */
  readonly becomesCurrent: boolean;
  /** Against the version that nodes boot with so far. */
  readonly differences: readonly LayerDifference[];
  /** False if no node ever booted with one of its versions. */
  readonly replaces: boolean;
  /** The node whose identity has to be made first: the version will be another one then. */
  readonly withoutIdentity?: Node;
  /** Puts it together again: holding thousands of layers takes too much memory. */
  readonly compose: () => LayerTree;
}

/** What is known from before. */
export interface Known {
  /** Undefined before the first publish. */
  readonly record: PublishedRecord | undefined;
  readonly memory: HostLayerMemory;
  /** What two threads have seen of nodes' own layers; undefined if there is one thread. */
  readonly board: Board | undefined;
  /** Digest of this mkroot's code; undefined leaves everything to be looked at. */
  readonly code: string | undefined;
}

/** What there is to remember of a node's own layer, as soon as it is written. */
export interface LayerToRemember extends Omit<RememberedLayer, 'states'> {
  readonly node: string;
  readonly directory: BytePath;
  /** The second one is known for a layer that is there. */
  readonly states: readonly [identity: string, layer: string | undefined];
}

/**
 * What nodes will boot from: the generation that each is pinned to, or that is wanted for its image, and the layers as the
 * site has them now, whether they are written or not. Reads only.
 */
export class PublishSources implements NodeSources {
  /** By the directory of the version. */
  readonly layers = new Map<BytePath, PlannedLayer>();
  /** Initrds with drivers that only some nodes need, by their path. */
  readonly initrds = new Map<BytePath, DriverInitrd>();
  readonly findings = new Findings();
  readonly toRemember: LayerToRemember[] = [];
  readonly #images = new Map<string, PublishedImage>();
  readonly #composers = new Map<string, LayerComposer>();
  readonly #shared = new Map<SharedLayer, PlannedLayer>();
  readonly #sharedContents = new Map<SharedLayer, LayerManifest>();
  readonly #hosts = new Map<string, { readonly layer: BytePath; readonly publicKeys: readonly string[] }>();
  readonly #additions = new Map<BytePath, LayerDifference>();
  readonly #differences = new Map<string, LayerDifference>();
  readonly #keys: HostLayerKeys | undefined;
  readonly #keptHosts: ReadonlySet<BytePath>;

  constructor(
    private readonly fs: FileSystem,
    private readonly composer: LayerComposer,
    private readonly known: Known,
    /** Instead of the current ones, for nodes that are not pinned, by image. */
    private readonly generations: ReadonlyMap<string, string> = new Map(),
  ) {
    const { code } = known;
    this.#keptHosts = new Set(namesIn(fs, hostsDirectory(composer.site.state)));
    this.#keys =
      code === undefined
        ? undefined
        : new HostLayerKeys(fs, code, (shared) => this.#contentsOfShared(shared).digest);
  }

  image(node: Node): PublishedImage {
    const generation = this.#generation(node);
    const key = imageKey(node, generation);
    let image = this.#images.get(key);
    if (image === undefined) {
      const found = findNodeImage(this.fs, this.composer.site.state, node, generation);
      const wanted = planDriverInitrd(this.fs, found, node);
      if (wanted !== undefined) this.initrds.set(wanted.image.initrd, wanted);
      image = wanted?.image ?? found;
      this.#images.set(key, image);
    }
    return image;
  }

  shared(node: Node): BytePath | undefined {
    const composer = this.#composerFor(node);
    if (composer.overlaysOf(node.group).length === 0) return undefined;
    const shared = composer.shared(node.group, node.image);
    let planned = this.#shared.get(shared);
    if (planned === undefined) {
      planned = this.#plan(shared, this.#contentsOfShared(shared), {
        name: shared.name,
        kind: 'shared',
        directory: sharedLayerDirectory(composer.site.state, shared.name),
        isNew: false,
        compose: () => shared.tree,
        before: this.known.record?.nodes.get(node.name)?.boot.parameters.cluster?.[0]?.path,
        // `current` belongs to what follows the current generation.
        flips: node.generation === undefined,
      });
      this.#shared.set(shared, planned);
    }
    return planned.version.layer;
  }

  host(node: Node): BytePath {
    return this.#host(node).layer;
  }

  publicKeys(node: Node): readonly string[] {
    return this.#host(node).publicKeys;
  }

  #host(node: Node) {
    let host = this.#hosts.get(node.name);
    if (host === undefined) {
      host = this.#unchangedHost(node) ?? this.#composedHost(node);
      this.#hosts.set(node.name, host);
    }
    return host;
  }

  /** Finds out, without reading any of it, that a node boots with its layer already and would get the same one again. */
  #unchangedHost(node: Node) {
    const { record, memory, board } = this.known;
    const remembered = memory.recall(node.name);
    if (this.#keys === undefined || remembered === undefined) return undefined;
    const composer = this.#composerFor(node);
    const { version, readsNodes, findings } = remembered;
    const number = memory.number(node.name);
    const look = () => looksAsRemembered(this.fs, directory, remembered);
    const directory = hostDirectory(composer.site.state, node.name);
    const { layer } = layerVersion(directory, version);
    const isSame =
      record?.nodes.hasHostLayer(node.name, layer) === true &&
      remembered.key === this.#keys.of(composer, node, readsNodes) &&
      (board === undefined || number < 0 ? look() : board.host(number, look));
    if (!isSame) return undefined;
    this.findings.add(node.name, findings);
    return { layer, publicKeys: record.nodes.get(node.name)?.sshHostKeys ?? [] };
  }

  #composedHost(node: Node) {
    const composer = this.#composerFor(node);
    const directory = hostDirectory(composer.site.state, node.name);
    // Nothing is looked for below a directory that is not there.
    const isNew = !this.#keptHosts.has(node.name);
    // Before they are read, so that what changes meanwhile is seen the next time.
    const names = isNew ? [] : identityFiles(this.fs, `${directory}/identity`);
    const states = isNew ? '' : identityStates(this.fs, directory, names);
    const identity = isNew ? undefined : keptIdentity(this.fs, `${directory}/identity`);
    const composed = composer.host(node, identity);
    const planned = this.#plan(composed, this.#contentsOf(composed), {
      name: node.name,
      kind: 'host',
      directory,
      isNew,
      // Keys are read again: those of thousands of nodes are not kept in memory.
      compose: () => composer.host(node, keptIdentity(this.fs, `${directory}/identity`)).tree,
      before: this.known.record?.nodes.get(node.name)?.boot.parameters.host?.path,
      flips: true,
      ...(identity === undefined ? { withoutIdentity: node } : {}),
    });
    if (this.#keys !== undefined && identity !== undefined) {
      const { version, there, seen } = planned;
      this.toRemember.push({
        node: node.name,
        directory,
        key: this.#keys.of(composer, node, composed.readsNodes),
        readsNodes: composed.readsNodes,
        version: version.id,
        files: { identity: names, layer: composed.tree.entries().map(({ path }) => path) },
        states: [states, there ? seen : undefined],
        findings: composed.findings,
      });
    }
    return { layer: planned.version.layer, publicKeys: identity === undefined ? [] : publicKeys(identity) };
  }

  #generation(node: Node): string | undefined {
    return node.generation ?? this.generations.get(node.image);
  }

  /** A layer fits one generation: owners and modes of directories, numbers of accounts. */
  #composerFor(node: Node): LayerComposer {
    const generation = this.#generation(node);
    if (generation === undefined) return this.composer;
    const key = `${node.image} ${generation}`;
    let composer = this.#composers.get(key);
    if (composer === undefined) {
      composer = this.composer.onGeneration(node.image, generation);
      this.#composers.set(key, composer);
    }
    return composer;
  }

  #plan(
    { findings }: ComposedLayer,
    contents: LayerManifest,
    {
      before,
      flips,
      isNew,
      ...layer
    }: Pick<PlannedLayer, 'name' | 'kind' | 'directory' | 'compose' | 'withoutIdentity'> & {
      readonly before: BytePath | undefined;
      readonly flips: boolean;
      /** Whether there is no directory for it yet. */
      readonly isNew: boolean;
    },
  ): PlannedLayer & { readonly seen: string | undefined } {
    this.findings.add(layer.name, findings);
    const seen = isNew ? undefined : this.#seen(layer.directory, contents);
    const { version, there } = isNew
      ? { version: layerVersion(layer.directory, versionName(contents.digest)), there: false }
      : findLayerVersion(this.fs, layer.directory, contents);
    const old =
      before === undefined || before === version.layer
        ? undefined
        : readLayerManifest(this.fs, `${before.slice(0, before.lastIndexOf('/'))}/manifest.json`);
    // The same version may be wanted twice: by nodes that are pinned, and by nodes that are not.
    const wanted = flips && (isNew || currentLayer(this.fs, layer.directory)?.id !== version.id);
    const planned = {
      ...layer,
      version,
      there,
      becomesCurrent: wanted || this.layers.get(version.layer)?.becomesCurrent === true,
      replaces: before !== undefined,
      differences: before === version.layer ? [] : this.#differencesOf(old, contents),
    };
    this.layers.set(version.layer, planned);
    return { ...planned, seen: there && seen?.version === version.id ? seen.states : undefined };
  }

  /** Most nodes' layers differ alike: what they have in common is there once. */
  #differencesOf(before: LayerManifest | undefined, after: LayerManifest): readonly LayerDifference[] {
    if (before === undefined) return after.entries.map(({ path }) => this.#added(path));
    return diffLayers(before, after).map((difference) => {
      const { path, change, what } = difference;
      const key = `${change}${path}\0${what.join('\0')}`;
      const known = this.#differences.get(key);
      if (known === undefined) this.#differences.set(key, difference);
      return known ?? difference;
    });
  }

  #added(path: BytePath): LayerDifference {
    let added = this.#additions.get(path);
    if (added === undefined) {
      added = { path, change: 'added', what: [] };
      this.#additions.set(path, added);
    }
    return added;
  }

  /** States of the version that probably has these contents, from before it is compared with them. */
  #seen(directory: BytePath, { digest, entries }: LayerManifest) {
    if (this.#keys === undefined) return undefined;
    const { id, layer } = layerVersion(directory, versionName(digest));
    if (this.fs.lstat(layer) === undefined) return undefined;
    const paths = entries.map(({ path }) => path);
    return { version: id, states: layerStates(this.fs, directory, id, paths) };
  }

  #contentsOfShared(shared: SharedLayer): LayerManifest {
    const contents = this.#sharedContents.get(shared) ?? this.#contentsOf(shared);
    this.#sharedContents.set(shared, contents);
    return contents;
  }

  /** What no layer can have is refused with everything else that is wrong, before the plan is used. */
  #contentsOf({ tree }: ComposedLayer): LayerManifest {
    return layerManifest(this.fs, withoutSpecial(tree));
  }
}

function withoutSpecial(tree: LayerTree): LayerTree {
  for (const entry of tree.entries()) if (entry.kind === 'special') tree.remove(entry.path);
  return tree;
}
