import type { ImageLocation, NfsLocation } from '../../netboot/kernel-command-line.js';
import type { NetbootNode, NetbootSite } from '../../netboot/netboot-site.js';
import type { RecordedNodes } from './recorded-nodes.js';

/** How a node's boot, or what servers know of it, changes. */
export interface NodeChange {
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** `generation A to B`, `own layer`, `address`. Empty for what was removed. */
  readonly what: readonly string[];
}

/**
 * Which nodes are told something else than before; in the order of the new site, removed ones last.
 * @param same names of nodes that are as they were.
 */
export function nodeChanges(
  before: RecordedNodes | undefined,
  after: NetbootSite,
  same: ReadonlySet<string>,
): NodeChange[] {
  const old = new Set(before?.names);
  const changes: NodeChange[] = [];
  for (const node of after.nodes) {
    old.delete(node.name);
    if (same.has(node.name)) continue;
    const was = before?.get(node.name);
    if (was === undefined) {
      const { name, generation } = node.boot.image;
      changes.push({ name: node.name, change: 'added', what: [`${name} ${generation}`] });
      continue;
    }
    const what = differences(was, node);
    if (what.length > 0) changes.push({ name: node.name, change: 'changed', what });
  }
  for (const name of old) changes.push({ name, change: 'removed', what: [] });
  return changes;
}

function differences(was: NetbootNode, is: NetbootNode): string[] {
  const image = { before: was.boot.image, after: is.boot.image };
  const sharedBefore = (was.boot.parameters.cluster ?? []).map(({ path }) => path).join();
  const sharedAfter = (is.boot.parameters.cluster ?? []).map(({ path }) => path).join();
  const before = new Map<string, unknown>(Object.entries(was));
  const after = new Map<string, unknown>(Object.entries(is));
  const fields = [...new Set([...before.keys(), ...after.keys()])].filter(
    (field) => !TOLD_OTHERWISE.has(field) && !same(before.get(field), after.get(field)),
  );
  return [
    ...(image.before.name === image.after.name
      ? []
      : [`image ${image.before.name} to ${image.after.name} ${image.after.generation}`]),
    ...(image.before.name !== image.after.name || image.before.generation === image.after.generation
      ? []
      : [`${image.after.name} ${image.before.generation} to ${image.after.generation}`]),
    ...(image.before.release === image.after.release
      ? []
      : [`kernel ${image.after.release ?? 'of the image that is the newest'}`]),
    ...(driversOf(image.before) === driversOf(image.after) ? [] : ['drivers in the initrd']),
    ...(sharedBefore === sharedAfter ? [] : ['shared layer']),
    ...(was.boot.parameters.host?.path === is.boot.parameters.host?.path ? [] : ['own layer']),
    ...(same(otherBoot(was), otherBoot(is)) ? [] : ['boot options']),
    ...(same(was.directories, is.directories) ? [] : ['exports']),
    ...fields.map((field) => NAMES[field] ?? field),
  ];
}

/** Names of files, since directories are those of generation and kernel. */
function driversOf({ initrds }: NetbootNode['boot']['image']): string {
  return initrds.map((path) => path.slice(path.lastIndexOf('/') + 1)).join();
}

const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['name', 'boot', 'directories']);

/** What fields of a node are called where their own name does not say it. */
const NAMES: Readonly<Record<string, string>> = { mac: 'MAC', groups: 'group', sshHostKeys: 'ssh host keys' };

/** What a node's boot has besides image and layers. */
function otherBoot({ boot: { image: _image, parameters, ...rest } }: NetbootNode) {
  const { base, cluster, host, ...words } = parameters;
  return { ...rest, ...words, base: location(base), cluster: cluster?.map(location), host: location(host) };
}

function location(place: NfsLocation | ImageLocation | undefined) {
  if (place === undefined) return undefined;
  const { path: _path, image: _image, ...rest } = { image: undefined, ...place };
  return rest;
}

/** Both come from JSON, or could: the order of their keys is that of the code that made them. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
