import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import { namesIn, type ReadFileSystem } from '../../ports/file-system.js';

/** Where the layers that groups share are kept: STATE/layers/NAME. */
export function sharedLayerDirectory(state: BytePath, name: string): BytePath {
  return `${sharedLayersDirectory(state)}/${toBytePath(name)}`;
}

/** Where each layer that a group ever shared has a directory. */
export function sharedLayersDirectory(state: BytePath): BytePath {
  return `${state}/layers`;
}

/** Where layers are kept that were ever written, of groups and of nodes. */
export function layerDirectories(
  fs: ReadFileSystem,
  state: BytePath,
): { readonly name: BytePath; readonly directory: BytePath }[] {
  return [sharedLayersDirectory(state), hostsDirectory(state)].flatMap((parent) =>
    namesIn(fs, parent)
      .filter((name) => !name.startsWith('.'))
      .map((name) => ({ name, directory: `${parent}/${name}` })),
  );
}

/** Where each node that ever had a layer of its own has a directory. */
export function hostsDirectory(state: BytePath): BytePath {
  return `${state}/hosts`;
}

/** Where everything that belongs to one node is kept: STATE/hosts/NAME, closed to all but root. */
export function hostDirectory(state: BytePath, node: string): BytePath {
  return `${hostsDirectory(state)}/${toBytePath(node)}`;
}

/** Where a node's machine-id and ssh host keys are kept: STATE/hosts/NAME/identity. */
export function identityDirectory(state: BytePath, node: string): BytePath {
  return `${hostDirectory(state, node)}/identity`;
}

/** Where the file is kept that takes what a node writes: STATE/hosts/NAME/top/top.ext4. */
export function topImage(state: BytePath, node: string): BytePath {
  return `${hostDirectory(state, node)}/top/top.ext4`;
}

/**
 * Where a node's own directory for a persistent path is kept: STATE/hosts/NAME/persistent/PATH/@. The last part keeps /var
 * apart from /var/log: the one was never made only because the other is there.
 */
export function persistentDirectory(state: BytePath, node: string, path: BytePath): BytePath {
  return `${hostDirectory(state, node)}/persistent${path}/@`;
}
