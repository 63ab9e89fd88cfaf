import type { NetbootNode, NetbootSite } from '../../netboot/netboot-site.js';
import { type PublishedRecord, siteHead } from './published-record.js';

/**
 * Tells of a node's boot files (by its name), or of what is for servers and for all nodes, whether they are rendered from the same
 * as last time: then they have the same text, and need not be rendered to know it.
 * @param same names of nodes that are as they were published.
 * @param code digest of the code that would render them.
 */
export function unchangedFiles(
  before: PublishedRecord | undefined,
  site: NetbootSite,
  same: ReadonlySet<string>,
  code: string | undefined,
): (node: string | undefined) => boolean {
  // After an interruption nobody knows which files are the old ones.
  const isKnown =
    before?.head !== undefined && !before.unfinished && code !== undefined && before.code === code;
  if (!isKnown || JSON.stringify(before.head) !== JSON.stringify(siteHead(site))) return () => false;
  const { names } = before.nodes;
  const servers =
    names.length === site.nodes.length &&
    site.nodes.every((node, index) => {
      if (node.name !== names[index]) return false;
      return same.has(node.name) || withoutBoot(before.nodes.get(node.name)) === withoutBoot(node);
    });
  return (node) => (node === undefined ? servers : same.has(node));
}

/** Servers are not told what a node boots. */
function withoutBoot(node: NetbootNode | undefined): string {
  return JSON.stringify({ ...node, boot: undefined });
}
