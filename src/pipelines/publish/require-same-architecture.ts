import { MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';

/** How many nodes an error names. */
const MAX_NAMED = 5;

/**
 * Compares the architecture of nodes with that of the images that they boot; an image that does not say its own is let through.
 * @throws MkrootError InvalidInput that names images, nodes and both architectures.
 */
export function requireSameArchitecture(
  nodes: readonly Node[],
  imageOf: (node: Node) => PublishedImage,
): void {
  const wrong = new Map<string, string[]>();
  for (const node of nodes) {
    const { name, architecture } = imageOf(node);
    if (architecture === undefined || runs(node, architecture)) continue;
    const pair = `The image "${name}" is for ${architecture}, these nodes are ${node.architecture}${node.firmware === undefined ? '' : ` with ${node.firmware.toUpperCase()}`}`;
    wrong.set(pair, [...(wrong.get(pair) ?? []), node.name]);
  }
  if (wrong.size === 0) return;
  throw new MkrootError('Cannot write boot files: nodes and their images are for different machines', {
    details: [...wrong].map(
      ([pair, names]) =>
        `  ${pair}: ${names.slice(0, MAX_NAMED).join(', ')}${names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''}`,
    ),
    hint: 'Set the architecture of the nodes or of their group (amd64 by default), or give them another image.',
  });
}

/** Whether a machine runs an image; a 64-bit PC boots 32-bit systems too, but not from 64-bit firmware. */
export function runs(
  { architecture, firmware }: Pick<Node, 'architecture' | 'firmware'>,
  image: string,
): boolean {
  return architecture === image || (architecture === 'amd64' && image === 'i386' && firmware !== 'uefi');
}
