import { fileState } from '../../engine/file-state.js';
import type { Node } from '../../inventory/node.js';
import { SETTINGS_FILE } from '../../layers/overlay-settings.js';
import { PARTIALS_DIRECTORY } from '../../layers/overlay-templates.js';
import type { Overlay } from '../../layers/read-overlay.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { sha256 } from '../../ports/sha256.js';
import type { LayerComposer, SharedLayer } from './compose-layers.js';

/**
 * Digests of everything that a node's own layer is made from, its identity left out: with the same key and the same identity the
 * same code makes the same layer and finds the same in it. Overlays count by the states of their files; how the user spells the path of the
 * site makes no difference but to the words of what is found, see HostLayerMemory.
 */
export class HostLayerKeys {
  readonly #overlays = new Map<Overlay, string>();
  readonly #groups = new Map<LayerComposer, Map<string, string>>();
  readonly #texts = new WeakMap<object, string>();
  #nodes: string | undefined;

  constructor(
    private readonly fs: ReadFileSystem,
    private readonly code: string,
    private readonly digestOf: (shared: SharedLayer) => string,
  ) {}

  /** @param readsNodes whether a template in it asks for the list of all nodes. */
  of(composer: LayerComposer, node: Node, readsNodes: boolean): string {
    const overlays = composer.hostOverlays(node).map((overlay) => this.#overlay(overlay));
    if (readsNodes) this.#nodes ??= digest(composer.values.cluster()['nodes']);
    const nodes = readsNodes ? (this.#nodes ?? '') : '';
    // No part has a line break: digests, and JSON.
    const text = [this.#group(composer, node), ...this.#node(node), ...overlays, nodes].join('\n');
    return sha256(text, 'base64url');
  }

  /** Everything that the inventory says of a node. What it has in common with others is the same object, and written once. */
  #node(node: Node): string[] {
    return Object.entries(node).map(([field, value]: [string, unknown]) => {
      if (typeof value !== 'object' || value === null) return `${field} ${JSON.stringify(value)}`;
      let text = this.#texts.get(value);
      if (text === undefined) {
        text = JSON.stringify(value);
        this.#texts.set(value, text);
      }
      return `${field} ${text}`;
    });
  }

  /** What nodes of a group and an image have in common. */
  #group(composer: LayerComposer, { group, image }: Node): string {
    const known = this.#groups.get(composer) ?? new Map<string, string>();
    this.#groups.set(composer, known);
    const name = `${group} ${image}`;
    let key = known.get(name);
    if (key === undefined) {
      const { inventory, directory, state } = composer.site;
      const { nodes: _nodes, ...values } = composer.values.group(group, image);
      const shared = composer.shared(group, image);
      const settings = [inventory.cluster.settings, inventory.groups.get(group)?.source.settings];
      const below = [shared.name, shared.overlays.length, this.digestOf(shared), shared.base.root];
      key = digest([this.code, directory, state, values, settings, below]);
      known.set(name, key);
    }
    return key;
  }

  #overlay(overlay: Overlay): string {
    let key = this.#overlays.get(overlay);
    if (key === undefined) {
      const { name, directory, keeper, sources } = overlay;
      const files = sources.map(({ source, stat }) => [
        source,
        stat.kind,
        stat.mode,
        stat.uid,
        stat.gid,
        fileState(stat),
      ]);
      const beside = [SETTINGS_FILE, PARTIALS_DIRECTORY].map((one) => this.#states(`${directory}/${one}`));
      key = digest([name, directory, keeper, files, beside]);
      this.#overlays.set(overlay, key);
    }
    return key;
  }

  #states(path: BytePath): string[] {
    const stat = this.fs.lstat(path);
    if (stat === undefined) return [];
    const below = stat.kind === 'directory' ? this.fs.readdir(path) : [];
    return [`${path} ${fileState(stat)}`, ...below.flatMap((name) => this.#states(`${path}/${name}`))];
  }
}

function digest(value: unknown): string {
  return sha256(JSON.stringify(value), 'base64url');
}
