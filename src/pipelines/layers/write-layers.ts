import { takeLock } from '../../engine/state-lock.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import { hostIdentity, keptIdentity } from '../../layers/host-identity.js';
import {
  diffLayers,
  type LayerDifference,
  layerManifest,
  readLayerManifest,
} from '../../layers/layer-manifest.js';
import type { LayerFinding } from '../../layers/layer-rules.js';
import { currentLayer, layerPlace, type WrittenLayer, writeLayer } from '../../layers/write-layer.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import {
  makePersistentDirectories,
  type WantedDirectory,
} from '../../stages/publish/make-persistent-directories.js';
import { servingServer } from '../publish/netboot-site.js';
import type { ComposedLayer, LayerComposer } from './compose-layers.js';
import { refuseFindings } from './layer-findings.js';
import { keptPaths } from './persistent-paths.js';
import { hostDirectory, persistentDirectory, sharedLayerDirectory } from './state-directories.js';

/** A layer that was asked for by name, and where it is now. */
export interface NamedLayer extends WrittenLayer {
  readonly name: string;
  readonly findings: readonly LayerFinding[];
}

/** Who writes layers, for the lock: two at once would make keys twice. */
export interface LayerWriter {
  readonly pid: number;
  /** The command line. */
  readonly command: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes the layers that the nodes of these groups share: one for each image that they boot. Nothing is written if the
 * linter finds an error in any of them.
 */
export async function writeSharedLayers(
  ports: Ports,
  composer: LayerComposer,
  groups: readonly string[],
  writer: LayerWriter,
): Promise<NamedLayer[]> {
  const layers = groups.flatMap((group) =>
    imagesOf(composer, group).map((image) => composer.shared(group, image)),
  );
  for (const { base, name } of layers) requireBase(base, `the layer "${name}"`);
  for (const { name, findings } of layers) refuseFindings(`the layer "${name}"`, findings);
  return withLayerLock(ports, composer.site.state, writer, async () => {
    const written: NamedLayer[] = [];
    for (const { name, tree, findings } of layers) {
      const task = ports.progress.task(`Layer ${name}`);
      const layer = await writeLayer(ports, tree, sharedLayerDirectory(composer.site.state, name));
      if (layer.changed) task.done(`${tree.size} entries`);
      else task.skipped('nothing has changed');
      written.push({ ...layer, name, findings });
    }
    return written;
  });
}

/**
 * Makes the host layers of nodes: what the Hopeless paper's instantiate.sh does. Identities are made once and kept; running
 * it again without changes in the site writes nothing.
 */
export async function instantiateNodes(
  ports: Ports,
  composer: LayerComposer,
  nodes: readonly Node[],
  writer: LayerWriter,
): Promise<NamedLayer[]> {
  // Everything that can be wrong is found before the first key is made.
  checkHostLayers(composer, nodes);
  return withLayerLock(ports, composer.site.state, writer, () =>
    writeHostLayers(ports, composer, nodes, writer),
  );
}

/** Makes the host layers of nodes that were checked; for the holder of the lock. */
export async function writeHostLayers(
  ports: Ports,
  composer: LayerComposer,
  nodes: readonly Node[],
  { signal }: LayerWriter,
): Promise<NamedLayer[]> {
  const task = ports.progress.task(`Host layers (${nodes.length})`);
  const written: NamedLayer[] = [];
  try {
    for (const node of nodes) {
      if (signal?.aborted) throw interrupted(node.name);
      task.update(node.name);
      written.push(await instantiate(ports, composer, node));
    }
  } catch (error) {
    task.fail(signal?.aborted ? 'interrupted' : undefined);
    throw error;
  }
  task.done(`${written.filter(({ changed }) => changed).length} written`);
  const { state } = composer.site;
  await makePersistentDirectories(ports, state, wantedDirectories(ports, composer, nodes), signal);
  return written;
}

/**
 * Puts host layers together without writing any.
 * @throws MkrootError NotFound for an image that was never built; InvalidInput if a template or the linter finds an error.
 */
export function checkHostLayers(composer: LayerComposer, nodes: readonly Node[]): void {
  for (const node of nodes) {
    const layer = composer.host(node);
    requireBase(layer.base, `the host layer of "${node.name}"`);
    refuseFindings(`the host layer of "${node.name}"`, layer.findings);
  }
}

async function instantiate(ports: Ports, composer: LayerComposer, node: Node): Promise<NamedLayer> {
  const directory = hostDirectory(composer.site.state, node.name);
  const identity = await hostIdentity(ports, `${directory}/identity`, node);
  ports.fs.chmod(directory, 0o700);
  const { tree, findings } = composer.host(node, identity);
  refuseFindings(`the host layer of "${node.name}"`, findings);
  return { ...(await writeLayer(ports, tree, directory)), name: node.name, findings };
}

/** What nodes keep that was never made. What the layers below have belongs in it, so they have to be there. */
function wantedDirectories(
  { fs, progress }: Ports,
  composer: LayerComposer,
  nodes: readonly Node[],
): WantedDirectory[] {
  const { state } = composer.site;
  return nodes.flatMap((node) => {
    if (node.persistent.length === 0) return [];
    const paths = keptPaths(node, servingServer(composer)).filter(
      (path) => fs.lstat(persistentDirectory(state, node.name, path)) === undefined,
    );
    const { base, shared } = composer.host(node);
    const below = currentLayer(fs, sharedLayerDirectory(state, shared.name))?.layer;
    if (paths.length > 0 && below === undefined && shared.overlays.length > 0) {
      progress.note(
        `${node.name}: what it keeps is made when the layer of its group is there: mkroot publish`,
      );
      return [];
    }
    const own = currentLayer(fs, hostDirectory(state, node.name))?.layer;
    const layers = [base.root, below, own].filter((layer) => layer !== undefined);
    return paths.map((path) => ({
      node: node.name,
      path,
      directory: persistentDirectory(state, node.name, path),
      layers,
    }));
  });
}

function interrupted(name: string): MkrootError {
  return new MkrootError(`Cannot instantiate "${name}": interrupted`, {
    exitCode: ExitCode.Interrupted,
    hint: 'Run it again: what is done is not done again.',
  });
}

/** Does work that nobody else may do at the same time who writes layers, publishes or removes generations. */
export async function withLayerLock<T>(
  ports: Ports,
  state: BytePath,
  { pid, command, signal }: LayerWriter,
  work: () => Promise<T>,
): Promise<T> {
  ports.fs.mkdir(state);
  const lock = await takeLock(ports, {
    path: `${state}/layers.lock`,
    holder: { pid, command, since: ports.clock.now().toISOString() },
    wait: true,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** What would change in a layer. */
export interface LayerChanges {
  readonly name: string;
  /** False if there is nothing to compare with: everything is added. */
  readonly written: boolean;
  readonly differences: readonly LayerDifference[];
}

/** What the next write would change in the layers that groups share. */
export function diffSharedLayers(
  fs: ReadFileSystem,
  composer: LayerComposer,
  groups: readonly string[],
): LayerChanges[] {
  return groups.flatMap((group) =>
    imagesOf(composer, group).map((image) => {
      const layer = composer.shared(group, image);
      return changesOf(fs, layer, layer.name, sharedLayerDirectory(composer.site.state, layer.name));
    }),
  );
}

/** What the next instantiation would change in the host layers of nodes. */
export function diffHostLayers(
  fs: Ports['fs'],
  composer: LayerComposer,
  nodes: readonly Node[],
): LayerChanges[] {
  return nodes.map((node) => {
    const directory = hostDirectory(composer.site.state, node.name);
    const layer = composer.host(node, keptIdentity(fs, `${directory}/identity`));
    return changesOf(fs, layer, node.name, directory);
  });
}

/** The images that a group's nodes boot: the group's own first. */
export function imagesOf(composer: LayerComposer, group: string): string[] {
  const own = composer.imageOf(group);
  const others = composer.values.nodes.filter((node) => node.group === group).map(({ image }) => image);
  const images = [...new Set([...(own === undefined ? [] : [own]), ...others])];
  return images.length > 0 ? images : [composer.shared(group).base.image];
}

function changesOf(
  fs: ReadFileSystem,
  { tree }: ComposedLayer,
  name: string,
  directory: BytePath,
): LayerChanges {
  const before = readLayerManifest(fs, layerPlace(directory).manifest);
  return {
    name,
    written: before !== undefined,
    differences: diffLayers(before, layerManifest(fs, tree)),
  };
}

function requireBase({ root, image }: ComposedLayer['base'], what: string): void {
  if (root !== undefined) return;
  throw new MkrootError(`Cannot write ${what}: its image "${image}" was never built`, {
    exitCode: ExitCode.NotFound,
    hint: `Owners and modes of directories come from it. Build it with: mkroot build ${image}`,
  });
}
