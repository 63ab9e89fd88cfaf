import { join } from 'node:path';
import { suggestion } from '../../decode/nearest-name.js';
import { problemReport } from '../../decode/problem.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { openImage } from '../../images/image-store.js';
import type { Inventory } from '../../inventory/inventory.js';
import { loadInventory, SITE_NAMES, type Site } from '../../inventory/load-inventory.js';
import type { Node } from '../../inventory/node.js';
import { typedNames } from '../../inventory/node-set.js';
import { keptIdentity } from '../../layers/host-identity.js';
import { StackView } from '../../layers/layer-view.js';
import { type Overlay, type OverlayPlace, readOverlay } from '../../layers/read-overlay.js';
import { renderOverlay } from '../../layers/render-overlay.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import {
  isRecipeFile,
  type LoadedRecipe,
  listRecipes,
  loadRecipe,
  type RecipeSearch,
  recipePath,
} from '../../recipe/load-recipe.js';
import { HOST_OVERLAYS, type LayerComposer } from './compose-layers.js';
import type { EnteredStack } from './enter-layer.js';
import { openBase } from './open-base.js';
import { findTargets, openComposer } from './open-composer.js';
import { hostDirectory } from './state-directories.js';

/** What a stack is looked for by. */
export interface StackSearch {
  /** Node, group or recipe; node:NAME, group:NAME and recipe:NAME are one of them for sure. */
  readonly name: string;
  readonly site: Site;
  readonly recipes: RecipeSearch;
  readonly state: BytePath;
  /** Overlay of a group that takes the changes. */
  readonly layer?: string;
}

/**
 * Finds the stack that a name means. Without nodes.yaml in the site only recipes have names.
 * @throws MkrootError NotFound with all that there is; Usage for a range that cannot be read.
 */
export function findStack(fs: FileSystem, { name, site, recipes, state, layer }: StackSearch): EnteredStack {
  const [, kind, plain = name] = /^(node|group|recipe):(.*)$/.exec(name) ?? [];
  const hasInventory = fs.lstat(toBytePath(join(site.directory, SITE_NAMES.inventory))) !== undefined;
  if (kind !== 'recipe' && (hasInventory || kind !== undefined)) {
    const composer = openComposer(fs, site, state);
    const { inventory } = composer.site;
    if (kind !== undefined || inventory.nodes.has(plain) || inventory.groups.has(plain)) {
      const { nodes, groups } = findTargets(composer, [name]);
      const [node] = nodes;
      const [group] = groups;
      if (nodes.length === 1 && node !== undefined) return nodeStack(fs, composer, node);
      if (group !== undefined) return groupStack(fs, composer, group, layer);
    }
  }
  if (kind === undefined && !isRecipeFile(plain)) {
    typedNames(plain, 'find');
    const known = listRecipes(fs, recipes.directories).map((recipe) => recipe.name);
    if (hasInventory && !known.includes(plain)) {
      throw unknownStack(plain, loadInventory(fs, site), known);
    }
  }
  return recipeStack(fs, loadRecipe(fs, plain, recipes), state);
}

function unknownStack(
  name: string,
  { file, nodes, groups }: Inventory,
  recipes: readonly string[],
): MkrootError {
  const near = suggestion(name, [...nodes.keys(), ...groups.keys(), ...recipes]);
  return new MkrootError(
    `Cannot find "${name}": ${file} has no node or group of that name, and there is no recipe of it${near}`,
    {
      exitCode: ExitCode.NotFound,
      details: [`Groups: ${[...groups.keys()].join(', ')}`, `Recipes: ${recipes.join(', ')}`],
      hint: 'To see all nodes: mkroot nodes list',
    },
  );
}

/**
 * The stack of a group: its image and its shared overlays, up to the one that takes the changes.
 * @param layer name of that overlay; by default the topmost one.
 */
export function groupStack(
  fs: FileSystem,
  composer: LayerComposer,
  group: string,
  layer?: string,
): EnteredStack {
  const image = composer.shared(group).base.image;
  const { root } = openImage(fs, composer.site.state, image);
  const base = composer.base(image);
  const overlays = composer.sharedOverlays(group);
  const overlay = layer === undefined ? overlays.at(-1) : overlays.find(({ name }) => name === layer);
  if (overlay === undefined) {
    throw noOverlay(`group "${group}"`, layer, overlays);
  }
  const values = composer.values.group(group, image);
  const compose = (some: readonly Overlay[]) =>
    composer.compose(some, base, [base.view], true, () => values).tree;
  const index = overlays.indexOf(overlay);
  return {
    name: group,
    root,
    layers: [compose(overlays.slice(0, index + 1))],
    overlay,
    below: new StackView([compose(overlays.slice(0, index)), base.view]),
    accounts: base.accounts,
  };
}

/** The stack of a node: image, shared layer and its own layer. The directory hosts/NAME of the site takes the changes. */
export function nodeStack(fs: FileSystem, composer: LayerComposer, node: Node): EnteredStack {
  const { site } = composer;
  const { root } = openImage(fs, site.state, node.image);
  const path = `${HOST_OVERLAYS}/${node.name}`;
  makeOverlay(fs, `${site.directory}/${toBytePath(path)}`, site.directory);
  const identity = keptIdentity(fs, `${hostDirectory(site.state, node.name)}/identity`);
  const overlays = composer.hostOverlays(node);
  const overlay = overlays.find(({ name }) => name === path);
  if (overlay === undefined) throw noOverlay(`node "${node.name}"`, path, overlays);
  const host = composer.host(node, identity, overlays);
  const without = composer.host(
    node,
    identity,
    overlays.filter((one) => one !== overlay),
  );
  const { shared } = host;
  return {
    name: node.name,
    root,
    layers: [shared.tree, host.tree],
    overlay,
    below: new StackView([without.tree, shared.tree, shared.base.view]),
    accounts: shared.base.accounts,
  };
}

/**
 * The stack of a recipe: its image, and one overlay over it: the directory that the recipe names under layers.cluster, or
 * else one that is kept in the state directory.
 */
export function recipeStack(fs: FileSystem, recipe: LoadedRecipe, state: BytePath): EnteredStack {
  const { name, layers } = recipe.recipe;
  const { root } = openImage(fs, state, name);
  const base = openBase(fs, state, name);
  const own = `${state}/enter/${toBytePath(name)}/overlay`;
  const directory = layers.cluster === undefined ? own : recipePath(recipe, layers.cluster);
  makeOverlay(fs, directory, layers.cluster === undefined ? state : toBytePath(recipe.directory));
  const overlay = readOne(fs, { name, directory, label: displayPath(directory) });
  const { tree, problems } = renderOverlay(fs, overlay, {
    variables: {},
    accounts: base.accounts,
    below: base.view,
  });
  if (problems.length > 0) throw problemReport({ ...ABOUT, file: overlay.label }, problems);
  return { name, root, layers: [tree], overlay, below: base.view, accounts: base.accounts };
}

const ABOUT = { what: 'overlay', hint: 'Overlays are explained in docs/layers.md.' };

function readOne(fs: FileSystem, place: OverlayPlace): Overlay {
  const overlay = readOverlay(fs, place);
  if ('problems' in overlay) throw problemReport({ ...ABOUT, file: place.label }, overlay.problems);
  return overlay;
}

/** An overlay's directory that is made for the first time belongs to whoever owns the place where it lies. */
function makeOverlay(fs: FileSystem, directory: BytePath, like: BytePath): void {
  if (fs.lstat(`${directory}/.`) !== undefined) return;
  const parent = directory.slice(0, directory.lastIndexOf('/'));
  if (parent !== like && parent.startsWith(like)) makeOverlay(fs, parent, like);
  const owner = fs.lstat(`${like}/.`);
  fs.mkdir(directory);
  if (owner !== undefined) fs.chown(directory, owner.uid, owner.gid);
}

function noOverlay(what: string, layer: string | undefined, overlays: readonly Overlay[]): MkrootError {
  const names = overlays.map(({ name }) => name).join(', ');
  return new MkrootError(
    layer === undefined
      ? `Cannot enter ${what}: it has no shared overlay that could take the changes`
      : `Cannot enter ${what} with the layer "${layer}": it has ${names === '' ? 'no overlay' : names}`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'Make a directory in overlays/ and name it under "overlays" in nodes.yaml.',
    },
  );
}
