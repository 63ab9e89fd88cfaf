import type { Node, Server } from '../../inventory/node.js';
import type { WritableTopPlace } from '../../netboot/kernel-command-line.js';
import type { ServedDirectory } from '../../netboot/netboot-site.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { WantedTopImage } from '../../stages/publish/make-top-images.js';
import { topImage } from '../layers/state-directories.js';

/** Size of an image that nobody gave one; it takes no more room than what is in it. */
const DEFAULT_SIZE = '4g';

/** Where a node writes, as /init is told; undefined for the tmpfs that it takes by itself. */
export function writableTopPlace(
  { name, writableTop, servers }: Node,
  state: BytePath,
): WritableTopPlace | undefined {
  const { kind, label, size, inodes } = writableTop;
  if (kind === 'disk' && label !== undefined) return { label };
  if (kind === 'image') {
    const server = servers.nfs[0]?.address;
    return { image: { ...(server === undefined ? {} : { server }), path: topImage(state, name) } };
  }
  if (size === undefined && inodes === undefined) return undefined;
  return { ...(size === undefined ? {} : { size }), ...(inodes === undefined ? {} : { inodes }) };
}

/** The directory of a node's image, which it alone may write to. */
export function topDirectory(node: Node, server: Server, state: BytePath): ServedDirectory[] {
  if (!isKeptBy(node, server)) return [];
  const image = topImage(state, node.name);
  return [{ path: image.slice(0, image.lastIndexOf('/')), access: 'rw' }];
}

/** The image of a node if it has to be made on this server. */
export function missingTop(
  fs: ReadFileSystem,
  node: Node,
  server: Server,
  state: BytePath,
): WantedTopImage[] {
  const path = topImage(state, node.name);
  if (!isKeptBy(node, server) || fs.lstat(path) !== undefined) return [];
  return [{ node: node.name, path, size: node.writableTop.size ?? DEFAULT_SIZE }];
}

function isKeptBy({ writableTop, servers }: Node, server: Server): boolean {
  return writableTop.kind === 'image' && servers.nfs[0]?.name === server.name;
}
