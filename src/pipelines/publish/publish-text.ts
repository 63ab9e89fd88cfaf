import { foldNodeSet } from '../../netboot/node-set.js';
import { displayPath } from '../../ports/byte-path.js';
import type { OwnedChange } from '../../stages/publish/owned-tree.js';
import type { PublishPlan } from './plan-publish.js';
import type { PlannedLayer } from './publish-layers.js';

/** How much of a plan is shown. */
export interface PlanTextOptions {
  /** Every boot file by its path. */
  readonly files: boolean;
  /** The lines of a change, below its path. */
  readonly lines: ((change: OwnedChange) => readonly string[]) | undefined;
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** Paths of a layer that are listed before the rest is only counted. */
const SHOWN_PATHS = 20;

/** A plan as the user reads it: nodes, layers, servers' configuration, boot files. Nodes that change alike share a line. */
export function publishText(plan: PublishPlan, { files, lines }: PlanTextOptions): string[] {
  const shown = (change: OwnedChange) => [
    `  ${SIGNS[change.change]} ${displayPath(change.path)}${change.conflict === undefined ? '' : `: ${change.conflict}`}`,
    ...(lines?.(change) ?? []).map((line) => `      ${line}`),
  ];
  const services = plan.tree.changes.filter(({ path }) => path.startsWith('etc/'));
  const boot = plan.tree.changes.filter(({ path }) => !path.startsWith('etc/'));
  const counted = (['added', 'changed', 'removed'] as const)
    .map((change) => ({ change, count: boot.filter((one) => one.change === change).length }))
    .filter(({ count }) => count > 0)
    .map(({ change, count }) => `${count} ${change}`);
  const few = boot.filter(({ conflict }) => files || lines !== undefined || conflict !== undefined);
  return [
    ...section('Nodes', nodeLines(plan)),
    ...section('Layers', layerLines(plan.layers)),
    ...section('Persistent directories', persistentLines(plan)),
    ...section(
      'Initrds',
      plan.initrds.map(
        ({ image, drivers }) =>
          `  + ${image.name} ${image.generation}${image.further === undefined ? '' : `, kernel ${image.further}`}: with ${drivers.join(', ')}`,
      ),
    ),
    ...section('Writable tops', topLines(plan)),
    ...section('Server configuration', services.flatMap(shown)),
    ...section('Boot files', [
      ...(counted.length === 0 ? [] : [`  ${counted.join(', ')}`]),
      ...few.flatMap(shown),
    ]),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function nodeLines({ nodes }: PublishPlan): string[] {
  const alike = new Map<string, string[]>();
  for (const { name, change, what } of nodes) {
    const key = `${SIGNS[change]}\0${what.length === 0 ? '' : `: ${what.join(', ')}`}`;
    addTo(alike, key, name);
  }
  return [...alike].map(([key, names]) => {
    const [sign, what] = key.split('\0');
    return `  ${sign} ${foldNodeSet(names)}${what}`;
  });
}

function topLines({ tops }: PublishPlan): string[] {
  const sizes = new Map<string, string[]>();
  for (const { node, size } of tops) sizes.set(size, [...(sizes.get(size) ?? []), node]);
  return [...sizes].map(([size, names]) => `  + ${foldNodeSet(names)}: ext4, ${size}`);
}

function persistentLines({ persistent }: PublishPlan): string[] {
  const nodes = new Map<string, string[]>();
  for (const { node, path } of persistent) {
    nodes.set(displayPath(path), [...(nodes.get(displayPath(path)) ?? []), node]);
  }
  return [...nodes].map(([path, names]) => `  + ${foldNodeSet(names)}: ${path}`);
}

function layerLines(layers: readonly PlannedLayer[]): string[] {
  const hosts = layers.filter(({ kind }) => kind === 'host');
  const alike = new Map<string, string[]>();
  for (const { name, replaces, differences, withoutIdentity } of hosts) {
    const paths = () =>
      differences.slice(0, SHOWN_PATHS).map(({ path, change }) => `${SIGNS[change]}${displayPath(path)}`);
    const key =
      withoutIdentity !== undefined
        ? 'own layer, with new keys'
        : replaces
          ? `own layer: ${paths().join(' ') || 'written anew'}`
          : 'own layer';
    addTo(alike, key, name);
  }
  return [
    ...layers.filter(({ kind }) => kind === 'shared').flatMap(sharedLines),
    ...[...alike].map(([what, names]) => `  + ${foldNodeSet(names)}: ${what}`),
  ];
}

function addTo(alike: Map<string, string[]>, key: string, name: string): void {
  const names = alike.get(key);
  if (names === undefined) alike.set(key, [name]);
  else names.push(name);
}

function sharedLines({ name, version, there, replaces, differences }: PlannedLayer): string[] {
  const head = `  ${there ? '=' : '+'} ${name} ${version.id}`;
  if (!replaces) return [`${head}: ${differences.length} entries, not published before`];
  const more = differences.length - SHOWN_PATHS;
  return [
    differences.length === 0 ? `${head}: as it was` : `${head}: ${differences.length} changes`,
    ...differences
      .slice(0, SHOWN_PATHS)
      .map(
        ({ path, change, what }) =>
          `      ${SIGNS[change]} ${displayPath(path)}${what.length === 0 ? '' : `: ${what.join(', ')}`}`,
      ),
    ...(more > 0 ? [`      and ${more} more`] : []),
  ];
}
