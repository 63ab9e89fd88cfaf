import {
  type NewNodes,
  type NodeCreation,
  planCreation,
  writeCreation,
} from '../../inventory/create-nodes.js';
import type { Site } from '../../inventory/load-inventory.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { withSiteLock } from '../site/site-lock.js';
import { openComposer } from './open-composer.js';
import {
  checkHostLayers,
  type LayerWriter,
  type NamedLayer,
  withLayerLock,
  writeHostLayers,
} from './write-layers.js';

/** What shall be created, and where. */
export interface CreateRequest extends NewNodes {
  readonly site: Site;
  readonly state: BytePath;
  /** Host layers are made at once; otherwise by the next publish. */
  readonly layers: boolean;
}

/** New nodes, and their host layers if those were asked for. */
export interface CreatedNodes extends NodeCreation {
  readonly layers: readonly NamedLayer[];
}

/**
 * Adds nodes to nodes.yaml and makes their host layers: the Hopeless paper's instantiate.sh. What can be wrong with either is
 * found before anything is written, and nodes.yaml is written last: a node stands there with its layer, or not at all. What a
 * layer that failed leaves in the state directory belongs to no node; the next try goes on with it.
 */
export async function createNodes(
  ports: Ports,
  request: CreateRequest,
  writer: LayerWriter & { readonly signal: AbortSignal },
): Promise<CreatedNodes> {
  const { site, state } = request;
  if (!request.layers) {
    return withSiteLock(ports, site, writer.signal, () => {
      const creation = planCreation(ports.fs, site, request);
      writeCreation(ports.fs, site, creation);
      return { ...creation, layers: [] };
    });
  }
  // Said at once, not after others have finished.
  planLayers(ports, request);
  // In this order: who waits for a publish keeps nobody from changing nodes.yaml.
  return withLayerLock(ports, state, writer, () =>
    withSiteLock(ports, site, writer.signal, async () => {
      const { creation, composer, nodes } = planLayers(ports, request);
      const layers = await writeHostLayers(ports, composer, nodes, writer);
      writeCreation(ports.fs, site, creation);
      return { ...creation, layers };
    }),
  );
}

/** The inventory with the new nodes, and their host layers put together; nothing is written. */
function planLayers({ fs }: Ports, request: CreateRequest) {
  const { site, state } = request;
  const creation = planCreation(fs, site, request);
  const composer = openComposer(fs, site, state, creation.inventory);
  const wanted = new Set(creation.names);
  const nodes = composer.values.nodes.filter(({ name }) => wanted.has(name));
  checkHostLayers(composer, nodes);
  return { creation, composer, nodes };
}
