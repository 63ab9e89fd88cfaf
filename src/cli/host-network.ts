import { NodeNetwork } from '../host/node-network.js';
import type { Network } from '../ports/network.js';

/** The real network behind the port, for commands that serve. */
export function hostNetwork(): Network {
  return new NodeNetwork();
}
