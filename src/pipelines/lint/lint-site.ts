import { join, relative, resolve } from 'node:path';
import { ProblemsError } from '../../decode/problem.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Inventory } from '../../inventory/inventory.js';
import { loadInventory, SITE_NAMES, type Site, sitePath } from '../../inventory/load-inventory.js';
import type { Node } from '../../inventory/node.js';
import type { LayerTree } from '../../layers/layer-tree.js';
import { type Overlay, readOverlay } from '../../layers/read-overlay.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { listRecipes, loadRecipe, type RecipeSearch } from '../../recipe/load-recipe.js';
import {
  type ComposedLayer,
  HOST_OVERLAYS,
  HOST_TEMPLATE,
  type LayerComposer,
} from '../layers/compose-layers.js';
import { openComposer } from '../layers/open-composer.js';
import { Findings } from '../layers/render-layers.js';
import { imagesOf } from '../layers/write-layers.js';
import { lintImages } from './lint-images.js';
import { lintNodes, placeOf } from './lint-nodes.js';
import { type SiteFinding, SiteFindings } from './site-findings.js';

/** A site, and what belongs to it. */
export interface LintRequest {
  readonly site: Site;
  readonly recipes: RecipeSearch;
  readonly state: BytePath;
  /** Version of mkroot: what another one makes of a recipe cannot be compared. */
  readonly version: string;
}

/** Everything that is wrong with a site, and what was looked at. */
export interface LintReport {
  readonly findings: readonly SiteFinding[];
  readonly looked: {
    readonly recipes: number;
    readonly overlays: number;
    /** Layers that were put together, with every template in them. */
    readonly layers: number;
    readonly nodes: number;
  };
  /** Overlays that have no part in any layer, because their overlay.yaml cannot be read. */
  readonly unreadOverlays: readonly string[];
  /** False if no layer was put together, because nodes.yaml cannot be read. */
  readonly layersKnown: boolean;
  /** Images that nodes boot and that were never built: nothing could be compared with them. */
  readonly missingImages: readonly string[];
}

/**
 * Looks at a whole site: recipes, nodes.yaml, overlays, the layers of every group and node with their templates, and images
 * as far as they are built. Writes nothing.
 * @throws MkrootError NotFound without a nodes.yaml.
 */
export function lintSite(fs: ReadFileSystem, request: LintRequest): LintReport {
  const { site, state } = request;
  const findings = new SiteFindings();
  const recipes = lintRecipes(fs, request, findings);
  const inventory = attempt(findings, sitePath(site, SITE_NAMES.inventory), () => loadInventory(fs, site));
  const looked = { recipes: recipes.size, overlays: 0, layers: 0, nodes: inventory?.nodes.size ?? 0 };
  if (inventory === undefined) {
    looked.overlays = lintAllOverlays(fs, site, findings);
    return {
      findings: findings.list(),
      looked,
      unreadOverlays: [],
      layersKnown: false,
      missingImages: [],
    };
  }
  const composer = openComposer(fs, site, state, inventory, (problems) => findings.problems(problems));
  const { nodes } = composer.values;
  lintNodes(inventory, nodes, findings);
  lintUse(fs, site, inventory, nodes, findings);
  looked.layers = lintLayers(composer, findings);
  looked.overlays = lintOverlays(composer, findings);
  lintImages(fs, { inventory, nodes, state, recipes, version: request.version }, findings);
  return {
    findings: findings.list(),
    looked,
    unreadOverlays: composer.unreadOverlays,
    layersKnown: true,
    missingImages: composer.missingImages(),
  };
}

/** Runs what may find problems, and takes them as findings; those that name no place are about `where`. */
function attempt<T>(findings: SiteFindings, where: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProblemsError) findings.problems(error.problems);
    else if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) {
      findings.about('bad-document', where, [error.message, ...error.details].join('; '));
    } else throw error;
    return undefined;
  }
}

/** The site's own recipes that decode, by name. */
function lintRecipes(fs: ReadFileSystem, { site, recipes }: LintRequest, findings: SiteFindings) {
  const directory = join(site.directory, SITE_NAMES.recipes);
  const found = new Map<string, object>();
  for (const { name, file } of listRecipes(fs, [directory])) {
    const loaded = attempt(findings, sitePath(site, relative(site.directory, file)), () =>
      loadRecipe(fs, file, recipes),
    );
    if (loaded !== undefined) found.set(name, loaded.recipe);
  }
  return found;
}

/** Overlays by themselves, where nobody knows which nodes get them. */
function lintAllOverlays(fs: ReadFileSystem, site: Site, findings: SiteFindings): number {
  const names = directoriesIn(fs, join(site.directory, SITE_NAMES.overlays));
  for (const name of names) {
    const label = sitePath(site, `${SITE_NAMES.overlays}/${name}`);
    const directory = toBytePath(join(site.directory, SITE_NAMES.overlays, name));
    const read = attempt(findings, label, () => readOverlay(fs, { name, directory, label }));
    if (read !== undefined && 'problems' in read) findings.problems(read.problems);
  }
  return names.length;
}

/** What lies in the site and is used by nobody. */
function lintUse(
  fs: ReadFileSystem,
  site: Site,
  inventory: Inventory,
  nodes: readonly Node[],
  findings: SiteFindings,
): void {
  const used = new Set<string>(nodes.flatMap(({ overlays }) => overlays));
  for (const { source } of inventory.groups.values()) {
    for (const name of source.settings.overlays ?? []) used.add(name);
  }
  for (const name of inventory.cluster.settings.overlays ?? []) used.add(name);
  for (const name of directoriesIn(fs, join(site.directory, SITE_NAMES.overlays))) {
    if ([...used].some((one) => one === name || one.startsWith(`${name}/`))) continue;
    findings.about('unused-overlay', sitePath(site, `${SITE_NAMES.overlays}/${name}`), 'no node uses it');
  }
  for (const name of directoriesIn(fs, join(site.directory, HOST_OVERLAYS))) {
    if (name === HOST_TEMPLATE || inventory.nodes.has(name)) continue;
    findings.about(
      'unused-overlay',
      sitePath(site, `${HOST_OVERLAYS}/${name}`),
      'there is no node of that name',
    );
  }
  const csv = toBytePath(join(site.directory, SITE_NAMES.csv));
  const named = inventory.csv.some((name) => resolve(site.directory, name).endsWith(`/${SITE_NAMES.csv}`));
  if (!named && fs.lstat(csv) !== undefined) {
    findings.about('unused-csv', sitePath(site, SITE_NAMES.csv), 'nodes.yaml does not name it');
  }
}

/** Puts every layer together, those with broken templates as far as that goes: no mistake hides another. */
function lintLayers(composer: LayerComposer, findings: SiteFindings): number {
  const found = new Findings();
  let layers = 0;
  const lint = (name: string, compose: () => ComposedLayer): ComposedLayer | undefined => {
    const layer = attempt(findings, `layer ${name}`, compose);
    if (layer === undefined) return undefined;
    layers += 1;
    found.add(name, layer.findings);
    return layer;
  };
  const shared = new Map<string, ComposedLayer>();
  for (const group of composer.site.inventory.groups.keys()) {
    if (composer.imageOf(group) === undefined) continue;
    for (const image of imagesOf(composer, group)) {
      const layer = lint(composer.layerName(group, image), () => composer.shared(group, image));
      if (layer !== undefined) shared.set(`${group} ${image}`, layer);
    }
  }
  for (const node of composer.values.nodes) {
    const below = shared.get(`${node.group} ${node.image}`);
    if (below === undefined) continue;
    const own = lint(node.name, () => composer.host(node));
    lintHidden(
      composer.site.inventory,
      node,
      [below.tree, ...(own === undefined ? [] : [own.tree])],
      findings,
    );
  }
  for (const [image, secrets] of composer.imageFindings()) found.add(`image ${image}`, secrets);
  findings.layers(found.list());
  return layers;
}

/** Files of layers where a persistent path is mounted over them. */
function lintHidden(
  inventory: Inventory,
  node: Node,
  trees: readonly LayerTree[],
  findings: SiteFindings,
): void {
  for (const { path, export: exported } of node.persistent) {
    // A directory of the node's own begins with what its layers have.
    if (exported === undefined) continue;
    const below = toBytePath(path.replace(/\/+$/, ''));
    for (const tree of trees) {
      const hidden = firstFile(tree, below);
      if (hidden === undefined) continue;
      const index = node.persistent.findIndex((one) => one.path === path);
      const place = placeOf(inventory, node.name, `persistent[${index}]`);
      findings.ofNode(
        'hidden-by-persistent',
        place,
        `${path} hides ${displayPath(hidden.path)} (${hidden.origin})`,
      );
    }
  }
}

function firstFile(tree: LayerTree, path: BytePath): { path: BytePath; origin: string } | undefined {
  for (const name of tree.names(path)) {
    const entry = tree.get(`${path}/${name}`);
    if (entry === undefined || entry.kind === 'whiteout') continue;
    const found = entry.kind === 'directory' ? firstFile(tree, entry.path) : entry;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Settings of the overlays that layers were put together from. */
function lintOverlays(composer: LayerComposer, findings: SiteFindings): number {
  const complete = composer.missingImages().length === 0;
  for (const overlay of composer.usedOverlays) {
    if (isEmpty(overlay)) findings.about('empty-overlay', overlay.label, 'it has no files');
    for (const index of complete ? composer.idleAllowances(overlay) : []) {
      const { rule, path } = overlay.settings.allow[index]!;
      findings.at(
        'idle-allowance',
        overlay.position(['allow', index]),
        `${rule} is not found${path === undefined ? ' in the overlay' : ` at ${path}`}`,
      );
    }
  }
  return composer.usedOverlays.length;
}

function isEmpty({ sources, settings }: Overlay): boolean {
  return sources.length === 0 && settings.delete.length === 0 && settings.attributes.length === 0;
}

function directoriesIn(fs: ReadFileSystem, path: string): string[] {
  const directory = toBytePath(path);
  if (fs.lstat(`${directory}/.`)?.kind !== 'directory') return [];
  return fs
    .readdir(directory)
    .filter((name) => fs.lstat(`${directory}/${name}/.`)?.kind === 'directory')
    .map(displayPath);
}
