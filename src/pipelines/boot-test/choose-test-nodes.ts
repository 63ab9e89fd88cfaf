import { ExitCode, MkrootError } from '../../errors.js';
import type { Node } from '../../inventory/node.js';
import type { NetbootNode, NetbootSite } from '../../netboot/netboot-site.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { findTargets, nodesOf } from '../layers/open-composer.js';
import { readRecord } from '../publish/published-record.js';

/** Which nodes a cluster test boots. */
export interface TestNodeSelection {
  /** How many, or which ones: `3`, `n[001-003]`. */
  readonly nodes: string;
  /** Groups to spread a number over, or that named nodes have to be in; all by default. */
  readonly groups: readonly string[];
}

/** A node to be booted: as it is published, and as the inventory has it. */
export interface TestNode {
  readonly published: NetbootNode & { readonly mac: string };
  readonly node: Node;
}

/** What is published, and the nodes of it that are to be booted. */
export interface TestCluster {
  readonly site: NetbootSite;
  readonly nodes: readonly TestNode[];
}

/**
 * Finds the nodes of a cluster test among those that are published. A number is spread evenly over the groups, and takes
 * nodes that can boot in a virtual machine; nodes that are named have to.
 * @throws MkrootError NotFound if nothing, or one of them, is not published; Usage for nodes that cannot be booted.
 */
export function chooseTestNodes(
  fs: ReadFileSystem,
  composer: LayerComposer,
  selection: TestNodeSelection,
): TestCluster {
  const { state } = composer.site;
  const record = readRecord(fs, state);
  if (record?.site === undefined || record.unfinished) {
    throw new MkrootError(
      `Cannot boot nodes of "${composer.site.inventory.file}": ${record === undefined ? 'nothing is published' : 'the last publish was interrupted'} in ${state}`,
      { exitCode: ExitCode.NotFound, hint: 'Publish first: mkroot publish' },
    );
  }
  const { site } = record;
  const published = new Map(site.nodes.map((node) => [node.name, node]));
  const groups = findTargets(
    composer,
    selection.groups.map((name) => `group:${name}`),
  ).groups;
  const inGroups = (node: Node) => groups.length === 0 || groups.includes(node.group);
  const number = /^\d+$/.test(selection.nodes) ? Number(selection.nodes) : undefined;
  if (number === undefined) {
    const named = nodesOf(composer, findTargets(composer, [selection.nodes])).filter(inGroups);
    if (named.length === 0) {
      throw new MkrootError(`Cannot boot "${selection.nodes}": none of them is in ${groups.join(', ')}`, {
        exitCode: ExitCode.Usage,
      });
    }
    return { site, nodes: named.map((node) => bootable(node, published.get(node.name))) };
  }
  const able = composer.values.nodes
    .filter(inGroups)
    .filter((node) => whyNot(node, published.get(node.name)) === undefined);
  if (number < 1 || able.length < number) {
    const where = groups.length === 0 ? 'all groups' : groups.join(', ');
    throw new MkrootError(
      `Cannot boot ${number} nodes: ${able.length} of ${where} are published, have a MAC address and boot an image`,
      { exitCode: ExitCode.Usage, hint: '`mkroot nodes list` shows them; `mkroot publish` publishes them.' },
    );
  }
  return { site, nodes: spread(able, number).map((node) => bootable(node, published.get(node.name))) };
}

/** The first of each group, then the second of each, and so on; in the order of the inventory. */
function spread(nodes: readonly Node[], number: number): readonly Node[] {
  const seen = new Map<string, number>();
  const ranked = nodes.map((node) => {
    const rank = seen.get(node.group) ?? 0;
    seen.set(node.group, rank + 1);
    return { node, rank };
  });
  const chosen = new Set(
    ranked
      .sort((a, b) => a.rank - b.rank)
      .slice(0, number)
      .map(({ node }) => node),
  );
  return nodes.filter((node) => chosen.has(node));
}

function bootable(node: Node, published: NetbootNode | undefined): TestNode {
  const why = whyNot(node, published);
  if (published?.mac !== undefined && why === undefined) {
    return { node, published: { ...published, mac: published.mac } };
  }
  throw new MkrootError(`Cannot boot "${node.name}": ${why?.reason}`, {
    exitCode: published === undefined ? ExitCode.NotFound : ExitCode.Usage,
    ...(why === undefined ? {} : { hint: why.hint }),
  });
}

/** Why a node cannot be booted in a lab; undefined if it can. */
function whyNot(
  node: Node,
  published: NetbootNode | undefined,
): { readonly reason: string; readonly hint: string } | undefined {
  if (published === undefined) return { reason: 'it is not published', hint: 'Publish it: mkroot publish' };
  if (published.mac === undefined) {
    return {
      reason: 'its MAC address is not known, so no server knows it',
      hint: 'Set mac in nodes.yaml, or let `mkroot nodes import` find it, and publish.',
    };
  }
  if (node.vlan !== undefined) {
    return {
      reason: `it tags its packets for VLAN ${node.vlan}, and the ports of the lab are not tagged`,
      hint: 'What VLANs take is seen by a scenario: mkroot qemu-test --scenario vlan',
    };
  }
  const target = published.boot.default ?? 'image';
  if (target !== 'image') {
    return {
      reason: `it boots ${target === 'local' ? 'its local disk' : 'a memory test'}`,
      hint: `Let it boot its image, and publish: mkroot node set ${node.name} --boot image`,
    };
  }
  return undefined;
}
