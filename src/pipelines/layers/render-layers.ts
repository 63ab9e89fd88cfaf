import { ExitCode, MkrootError } from '../../errors.js';
import { type HostIdentity, keptIdentity } from '../../layers/host-identity.js';
import { IDENTITY_ORIGIN, SSH_KEYS } from '../../layers/host-layer.js';
import type { LayerEntry } from '../../layers/layer-entry.js';
import type { LayerFinding } from '../../layers/layer-rules.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { LayerComposer } from './compose-layers.js';
import { findTargets, type NamedTargets } from './open-composer.js';
import { identityDirectory } from './state-directories.js';
import { imagesOf } from './write-layers.js';

/** A path of a node's or a group's layers. */
export interface RenderedEntry {
  readonly entry: LayerEntry;
  /** Which layer it is in: shared, or the node's own. */
  readonly layer: 'shared' | 'host';
  /** It is a private key of the node, whose contents are not shown. */
  readonly withheld: boolean;
}

/** What is known of the machine-id and the ssh host keys of a node: `closed` if only the superuser may look. */
export type IdentityState = 'kept' | 'none' | 'closed';

/** Everything that the layers of a node or a group have. */
export interface RenderedLayers {
  /** In the order of the paths; the host layer goes first. */
  readonly entries: readonly RenderedEntry[];
  /** Of a node: whether its machine-id and keys are among them. */
  readonly identity?: IdentityState;
}

/** Everything that the layers of a node or a group have, with the identity of a node that has one. */
export function renderLayers(fs: ReadFileSystem, composer: LayerComposer, name: string): RenderedLayers {
  const { layers, identity } = layersOf(fs, composer, findTargets(composer, [name]));
  const merged = new Map<BytePath, RenderedEntry>();
  for (const { layer, tree } of layers) {
    for (const entry of tree.entries()) {
      merged.set(entry.path, { entry, layer, withheld: isPrivateKey(entry) });
    }
  }
  const entries = [...merged.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  return { entries, ...(identity === undefined ? {} : { identity }) };
}

function isPrivateKey({ path, origin }: LayerEntry): boolean {
  return origin === IDENTITY_ORIGIN && path.startsWith(SSH_KEYS) && !path.endsWith('.pub');
}

/**
 * The bytes of a file as the layers of a node or a group have it; the topmost one counts.
 * @throws MkrootError NotFound if none of the layers has it; Usage for a private key of a node.
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
  const { layers } = layersOf(fs, composer, findTargets(composer, [name]));
  const { layer, tree } = layers.findLast((one) => one.tree.get(wanted) !== undefined) ?? {};
  const entry = tree?.get(wanted);
  if (layer === undefined || entry?.kind !== 'file') {
    const what = entry === undefined ? 'no layer has it' : `it is a ${entry.kind}`;
    throw new MkrootError(`Cannot render "${displayPath(wanted)}" of "${name}": ${what}`, {
      exitCode: ExitCode.NotFound,
      hint: `See everything that its layers have: mkroot overlay render ${name}`,
    });
  }
  if (isPrivateKey(entry)) {
    throw new MkrootError(`Cannot render "${displayPath(wanted)}" of "${name}": private keys are not shown`, {
      exitCode: ExitCode.Usage,
      hint: `It lies in ${displayPath(identityDirectory(composer.site.state, name.replace(/^node:/, '')))}/ssh; the public one is shown: ${displayPath(wanted)}.pub`,
    });
  }
  const { content } = entry;
  return {
    entry,
    layer,
    withheld: false,
    bytes: 'data' in content ? content.data : fs.readFile(content.source),
  };
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

function layersOf(fs: ReadFileSystem, composer: LayerComposer, { groups, nodes }: NamedTargets) {
  const [node] = nodes;
  if (node === undefined) {
    const layers = groups.map((group) => ({ layer: 'shared' as const, ...composer.shared(group) }));
    return { layers, identity: undefined };
  }
  const kept = lookUpIdentity(fs, identityDirectory(composer.site.state, node.name));
  const host = composer.host(node, typeof kept === 'string' ? undefined : kept);
  return {
    layers: [
      { layer: 'shared' as const, tree: host.shared.tree },
      { layer: 'host' as const, tree: host.tree },
    ],
    identity: typeof kept === 'string' ? kept : ('kept' as const),
  };
}

function lookUpIdentity(
  fs: ReadFileSystem,
  directory: BytePath,
): HostIdentity | Exclude<IdentityState, 'kept'> {
  try {
    return keptIdentity(fs, directory) ?? 'none';
  } catch (error) {
    if (error instanceof MkrootError && error.exitCode === ExitCode.Io) return 'closed';
    throw error;
  }
}
