import type { Node } from '../inventory/node.js';
import { keptIdentity } from '../layers/host-identity.js';
import {
  diffLayers,
  type LayerDifference,
  layerManifest,
  readLayerManifest,
} from '../layers/layer-manifest.js';
import type { LayerTree } from '../layers/layer-tree.js';
import { currentLayer, findLayerVersion, type LayerVersion } from '../layers/write-layer.js';
import type { BytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { PublishedImage } from '../stages/find-published-image.js';
import type { ComposedLayer, LayerComposer, SharedLayer } from './compose-layers.js';
import { type DriverInitrd, planDriverInitrd } from './driver-initrd.js';
import type { NodeSources } from './netboot-site.js';
import { findNodeImage, imageKey } from './node-image.js';
import { Findings } from './render-layers.js';
import { hostDirectory, sharedLayerDirectory } from './state-directories.js';

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

/** Where the layers of nodes are that are published already, by the node's name. */
export interface PublishedLayers {
  readonly shared: BytePath | undefined;
  readonly host: BytePath | undefined;
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
  readonly #images = new Map<string, PublishedImage>();
  readonly #composers = new Map<string, LayerComposer>();
  readonly #shared = new Map<SharedLayer, PlannedLayer>();
  readonly #hosts = new Map<string, PlannedLayer>();

  constructor(
    private readonly fs: FileSystem,
    private readonly composer: LayerComposer,
    private readonly published: (node: string) => PublishedLayers | undefined,
    /** Instead of the current ones, for nodes that are not pinned, by image. */
    private readonly generations: ReadonlyMap<string, string> = new Map(),
  ) {}

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
      planned = this.#plan(shared, {
        name: shared.name,
        kind: 'shared',
        directory: sharedLayerDirectory(composer.site.state, shared.name),
        compose: () => shared.tree,
        before: this.published(node.name)?.shared,
        // `current` belongs to what follows the current generation.
        flips: node.generation === undefined,
      });
      this.#shared.set(shared, planned);
    }
    return planned.version.layer;
  }

  host(node: Node): BytePath {
    const known = this.#hosts.get(node.name);
    if (known !== undefined) return known.version.layer;
    const composer = this.#composerFor(node);
    const directory = hostDirectory(composer.site.state, node.name);
    const identity = keptIdentity(this.fs, `${directory}/identity`);
    const planned = this.#plan(composer.host(node, identity), {
      name: node.name,
      kind: 'host',
      directory,
      // Keys are read again: those of thousands of nodes are not kept in memory.
      compose: () => composer.host(node, keptIdentity(this.fs, `${directory}/identity`)).tree,
      before: this.published(node.name)?.host,
      flips: true,
      ...(identity === undefined ? { withoutIdentity: node } : {}),
    });
    this.#hosts.set(node.name, planned);
    return planned.version.layer;
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
    { tree, findings }: ComposedLayer,
    {
      before,
      flips,
      ...layer
    }: Pick<PlannedLayer, 'name' | 'kind' | 'directory' | 'compose' | 'withoutIdentity'> & {
      readonly before: BytePath | undefined;
      readonly flips: boolean;
    },
  ): PlannedLayer {
    this.findings.add(layer.name, findings);
    // What no layer can have is refused with everything else that is wrong, before the plan is used.
    const contents = layerManifest(this.fs, withoutSpecial(tree));
    const { version, there } = findLayerVersion(this.fs, layer.directory, contents);
    const old =
      before === undefined || before === version.layer
        ? undefined
        : readLayerManifest(this.fs, `${before.slice(0, before.lastIndexOf('/'))}/manifest.json`);
    // The same version may be wanted twice: by nodes that are pinned, and by nodes that are not.
    const wanted = flips && currentLayer(this.fs, layer.directory)?.id !== version.id;
    const planned = {
      ...layer,
      version,
      there,
      becomesCurrent: wanted || this.layers.get(version.layer)?.becomesCurrent === true,
      replaces: before !== undefined,
      differences: before === version.layer ? [] : diffLayers(old, contents),
    };
    this.layers.set(version.layer, planned);
    return planned;
  }
}

function withoutSpecial(tree: LayerTree): LayerTree {
  for (const entry of tree.entries()) if (entry.kind === 'special') tree.remove(entry.path);
  return tree;
}
