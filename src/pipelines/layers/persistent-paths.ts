import type { Node, PersistentPath, Server } from '../../inventory/node.js';
import type { ServedDirectory } from '../../netboot/netboot-site.js';
import { type PersistentMount, renderPersistentMounts } from '../../netboot/persistent-mounts.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import { persistentDirectory } from './state-directories.js';

/** What only this node may mount: directories of its own, and exports that have its name, address or MAC in their path. */
export function ownPersistent(node: Node, server: Server, state: BytePath): ServedDirectory[] {
  return node.persistent
    .filter((one) => one.server.name === server.name && !isShared(one))
    .map((one) => ({
      path: exportedDirectory(one, node, state),
      access: one.readOnly ? 'ro' : 'rw',
    }));
}

/** What every network may mount; written to if any node may write. */
export function sharedPersistent(nodes: readonly Node[], server: Server): ServedDirectory[] {
  const access = new Map<string, ServedDirectory['access']>();
  for (const one of nodes.flatMap(({ persistent }) => persistent)) {
    if (one.server.name !== server.name || !isShared(one)) continue;
    const path = one.export!;
    access.set(path, one.readOnly && access.get(path) !== 'rw' ? 'ro' : 'rw');
  }
  return [...access].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, kind]) => ({ path, access: kind }));
}

/** Paths whose directory is kept for this node by this server, in the order of the paths. */
export function keptPaths(node: Node, server: Server): BytePath[] {
  return node.persistent
    .filter((one) => one.server.name === server.name && one.export === undefined)
    .map(({ path }) => toBytePath(path));
}

/** What /init of a node mounts over its layers; undefined if that is nothing. */
export function persistentList(node: Node, state: BytePath): string | undefined {
  if (node.persistent.length === 0) return undefined;
  return renderPersistentMounts(
    node.persistent.map((one): PersistentMount => {
      const { path, server, readOnly, options } = one;
      return {
        server: server.address,
        directory: exportedDirectory(one, node, state),
        path,
        access: readOnly ? 'ro' : 'rw',
        shared: isShared(one),
        ...(options === undefined ? {} : { options }),
      };
    }),
  );
}

/** Every node that has it has the same directory. */
export function isShared({ export: exported }: PersistentPath): boolean {
  return exported !== undefined && !/%[him]/.test(exported);
}

/** The directory of a persistent path on its server. A MAC that nobody knows yet stays `%m`: /init knows it. */
export function exportedDirectory(
  { path, export: exported }: PersistentPath,
  node: Node,
  state: BytePath,
): string {
  if (exported === undefined) return persistentDirectory(state, node.name, path);
  const { name, ip, mac } = node;
  const values: Readonly<Record<string, string>> = {
    '%h': name,
    '%i': ip,
    '%m': mac?.replaceAll(':', '-') ?? '%m',
  };
  return exported.replaceAll(/%[him]/g, (key) => values[key]!);
}
