import { suggestion } from '../decode/nearest-name.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { Inventory } from './inventory.js';
import type { Node } from './node.js';
import { typedNames } from './node-set.js';
import { resolveNode, resolveNodes } from './resolve-node.js';

/** Which nodes are meant; all of the conditions have to hold. */
export interface NodeSelection {
  /** In ClusterShell's syntax. */
  readonly names?: string;
  readonly group?: string;
  readonly image?: string;
  /** Names of images that there are, whether a node boots them or not. */
  readonly images?: readonly string[];
}

/**
 * The nodes that are meant, in the order of the inventory, or of `names`.
 * @throws MkrootError NotFound for a node, group or image that is not there.
 */
export function selectNodes(
  inventory: Inventory,
  { names, group, image, images = [] }: NodeSelection,
): Node[] {
  if (group !== undefined && !inventory.groups.has(group)) {
    const near = suggestion(group, [...inventory.groups.keys()]);
    throw new MkrootError(`Cannot find group "${group}": ${inventory.file} has none of that name${near}`, {
      exitCode: ExitCode.NotFound,
    });
  }
  if (image !== undefined && !images.includes(image)) {
    const booted = resolveNodes(inventory).map((node) => node.image);
    if (!booted.includes(image)) {
      const near = suggestion(image, [...new Set([...booted, ...images])]);
      throw new MkrootError(`Cannot find image "${image}": no node boots it, and no recipe makes it${near}`, {
        exitCode: ExitCode.NotFound,
      });
    }
  }
  return named(inventory, names).filter(
    (node) => (group === undefined || node.group === group) && (image === undefined || node.image === image),
  );
}

function named(inventory: Inventory, names: string | undefined): Node[] {
  if (names === undefined) return resolveNodes(inventory);
  return typedNames(names, 'find nodes').map((name) => resolveNode(inventory, name).node);
}
