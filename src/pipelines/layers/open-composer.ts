import { suggestion } from '../../decode/nearest-name.js';
import type { Problem } from '../../decode/problem.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Inventory } from '../../inventory/inventory.js';
import { loadInventory, type Site, sitePath } from '../../inventory/load-inventory.js';
import type { Node } from '../../inventory/node.js';
import { expandNodeSet, typedNames } from '../../inventory/node-set.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { LayerComposer } from './compose-layers.js';

/**
 * Reads a site's inventory and gets ready to put its layers together.
 * @param inventory one that was read already, or that is not written yet.
 * @param tell is told the problems of overlays, which are errors without it; see {@link LayerComposer}.
 */
export function openComposer(
  fs: ReadFileSystem,
  site: Site,
  state: BytePath,
  inventory: Inventory = loadInventory(fs, site),
  tell?: (problems: readonly Problem[]) => void,
): LayerComposer {
  const marker = 'x';
  const label = sitePath(site, marker).slice(0, -marker.length);
  const directory = toBytePath(site.directory);
  return new LayerComposer(fs, { inventory, directory, label, state }, undefined, tell);
}

/** Groups and nodes that somebody named. */
export interface NamedTargets {
  readonly groups: readonly string[];
  readonly nodes: readonly Node[];
}

/**
 * What names mean: nodes (n017, n[001-128]), groups, or one of them for sure (node:compute, group:compute). A node goes
 * before a group of the same name.
 * @throws MkrootError NotFound with the nearest name; Usage for a range that cannot be read.
 */
export function findTargets(composer: LayerComposer, names: readonly string[]): NamedTargets {
  const { inventory } = composer.site;
  const nodes = new Map(composer.values.nodes.map((node) => [node.name, node]));
  const found = { groups: new Set<string>(), nodes: new Set<Node>() };
  for (const given of names) {
    const [, kind, name = given] = /^(node|group):(.*)$/.exec(given) ?? [];
    const isGroup = kind !== 'node' && inventory.groups.has(name);
    const members = kind === 'group' || isGroup ? namesIn(name) : typedNames(name, 'find');
    if (kind !== 'group' && members.every((member) => nodes.has(member))) {
      for (const member of members) found.nodes.add(nodes.get(member)!);
    } else if (isGroup) {
      found.groups.add(name);
    } else {
      const missing = members.find((member) => !nodes.has(member)) ?? name;
      throw unknownTarget(inventory, missing, kind);
    }
  }
  return { groups: [...found.groups], nodes: [...found.nodes] };
}

/** The nodes of a name that may be that of a group, which can be any text. */
function namesIn(name: string): readonly string[] {
  const set = expandNodeSet(name);
  return 'names' in set ? set.names : [name];
}

/** The nodes of targets: those that are named, and all of the groups. */
export function nodesOf(composer: LayerComposer, { groups, nodes }: NamedTargets): Node[] {
  const wanted = new Set(nodes);
  return composer.values.nodes.filter((node) => wanted.has(node) || groups.includes(node.group));
}

function unknownTarget(inventory: Inventory, name: string, kind: string | undefined): MkrootError {
  const known = [
    ...(kind === 'group' ? [] : inventory.nodes.keys()),
    ...(kind === 'node' ? [] : inventory.groups.keys()),
  ];
  return new MkrootError(
    `Cannot find "${name}": ${inventory.file} has no ${kind ?? 'node or group'} of that name${suggestion(name, known)}`,
    { exitCode: ExitCode.NotFound },
  );
}
