import { ExitCode, MkrootError } from '../../errors.js';
import type { LayerEntry } from '../../layers/layer-entry.js';
import type { LayerFinding } from '../../layers/layer-rules.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { LayerComposer } from './compose-layers.js';
import { findTargets, type NamedTargets } from './open-composer.js';
import { imagesOf } from './write-layers.js';

/** A path of a node's or a group's layers. */
export interface RenderedEntry {
  readonly entry: LayerEntry;
  /** Which layer it is in: shared, or the node's own. */
  readonly layer: 'shared' | 'host';
}

/** Everything that the layers of a node or a group have, in the order of the paths; the host layer goes first. */
export function renderLayers(composer: LayerComposer, name: string): RenderedEntry[] {
  const { layers } = layersOf(composer, findTargets(composer, [name]));
  const merged = new Map<BytePath, RenderedEntry>();
  for (const { layer, tree } of layers) {
    for (const entry of tree.entries()) merged.set(entry.path, { entry, layer });
  }
  return [...merged.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
}

/**
 * The bytes of a file as the layers of a node or a group have it; the topmost one counts.
 * @throws MkrootError NotFound if none of the layers has it.
 */
export function renderFile(
  fs: ReadFileSystem,
  composer: LayerComposer,
  name: string,
  path: BytePath,
): RenderedEntry & { readonly bytes: Uint8Array } {
  const wanted = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  const { layers } = layersOf(composer, findTargets(composer, [name]));
  const { layer, tree } = layers.findLast((one) => one.tree.get(wanted) !== undefined) ?? {};
  const entry = tree?.get(wanted);
  if (layer === undefined || entry?.kind !== 'file') {
    const what = entry === undefined ? 'no layer has it' : `it is a ${entry.kind}`;
    throw new MkrootError(`Cannot render "${displayPath(wanted)}" of "${name}": ${what}`, {
      exitCode: ExitCode.NotFound,
      hint: `See everything that its layers have: mkroot overlay render ${name}`,
    });
  }
  const { content } = entry;
  return { entry, layer, bytes: 'data' in content ? content.data : fs.readFile(content.source) };
}

/** What the linter found in one or more layers. */
export interface SharedFinding extends LayerFinding {
  /** Layers that have it. */
  readonly layers: readonly string[];
}

/** Findings of many layers. One that several have is told once. */
export class Findings {
  readonly #found = new Map<string, { finding: LayerFinding; layers: string[] }>();

  add(layer: string, findings: readonly LayerFinding[]): void {
    for (const finding of findings) {
      const key = JSON.stringify(finding);
      const known = this.#found.get(key);
      if (known === undefined) this.#found.set(key, { finding, layers: [layer] });
      else known.layers.push(layer);
    }
  }

  list(): SharedFinding[] {
    return [...this.#found.values()].map(({ finding, layers }) => ({ ...finding, layers }));
  }
}

/** Lints the layers of groups and nodes, and the images below them. */
export function lintLayers(composer: LayerComposer, { groups, nodes }: NamedTargets): SharedFinding[] {
  const found = new Findings();
  for (const group of groups) {
    for (const image of imagesOf(composer, group)) {
      const { name, findings } = composer.shared(group, image);
      found.add(name, findings);
    }
  }
  for (const node of nodes) found.add(node.name, composer.host(node).findings);
  for (const [image, findings] of composer.imageFindings()) found.add(`image ${image}`, findings);
  return found.list();
}

function layersOf(composer: LayerComposer, { groups, nodes }: NamedTargets) {
  const [node] = nodes;
  if (node === undefined) {
    return { layers: groups.map((group) => ({ layer: 'shared' as const, ...composer.shared(group) })) };
  }
  const host = composer.host(node);
  return {
    layers: [
      { layer: 'shared' as const, tree: host.shared.tree },
      { layer: 'host' as const, tree: host.tree },
    ],
  };
}
