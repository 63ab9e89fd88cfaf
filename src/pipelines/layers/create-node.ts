import {
  type NewNodes,
  type NodeCreation,
  planCreation,
  writeCreation,
} from '../../inventory/create-nodes.js';
import type { Site } from '../../inventory/load-inventory.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import { openComposer } from './open-composer.js';
import { checkHostLayers, instantiateNodes, type LayerWriter, type NamedLayer } from './write-layers.js';

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
 * found before anything is written.
 */
export async function createNodes(
  ports: Ports,
  request: CreateRequest,
  writer: LayerWriter,
): Promise<CreatedNodes> {
  const { site, state } = request;
  const creation = planCreation(ports.fs, site, request);
  const composer = openComposer(ports.fs, site, state, creation.inventory);
  const wanted = new Set(creation.names);
  const nodes = composer.values.nodes.filter(({ name }) => wanted.has(name));
  if (request.layers) checkHostLayers(composer, nodes);
  writeCreation(ports.fs, site, creation);
  const layers = request.layers ? await instantiateNodes(ports, composer, nodes, writer) : [];
  return { ...creation, layers };
}
