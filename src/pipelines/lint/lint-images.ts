import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { sidecarPath } from '../../archive/sidecar.js';
import { MkrootError } from '../../errors.js';
import {
  currentGeneration,
  type Generation,
  generationPaths,
  readManifest,
} from '../../images/image-store.js';
import type { Inventory } from '../../inventory/inventory.js';
import type { Node } from '../../inventory/node.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { matchesWildcard } from '../../rootfs/wildcard.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { readSidecar } from '../initrd/ask-why.js';
import { planDriverInitrd } from '../initrd/driver-initrd.js';
import { findNodeImage, imageKey } from '../publish/node-image.js';
import { runs } from '../publish/require-same-architecture.js';
import { placeOf } from './lint-nodes.js';
import type { SiteFindings } from './site-findings.js';
import type { SiteRuleId } from './site-rules.js';

/** What the images of a site are held against. */
export interface ImageContext {
  readonly inventory: Inventory;
  readonly nodes: readonly Node[];
  readonly state: BytePath;
  /** Recipes of the site that decode, by name. */
  readonly recipes: ReadonlyMap<string, object>;
  /** Version of mkroot that decoded them. */
  readonly version: string;
}

/** What is wrong with the generations that nodes boot. Images that were never built are passed over. */
export function lintImages(fs: ReadFileSystem, context: ImageContext, findings: SiteFindings): void {
  const { inventory, nodes, state, recipes, version } = context;
  const seen = new Map<string, readonly NodeComplaint[]>();
  const architectures = new Map<string, string | undefined>();
  for (const node of nodes) {
    const id = node.generation ?? currentGeneration(fs, state, node.image)?.id;
    if (id === undefined) continue;
    const key = imageKey(node, id);
    const complaints = seen.get(key) ?? lintBoot(fs, state, node, id, findings);
    seen.set(key, complaints);
    for (const { rule, field, what } of complaints) {
      findings.ofNode(rule, placeOf(inventory, node.name, field), `${node.name}: ${what}`);
    }
    const generation = `${node.image} ${id}`;
    if (!architectures.has(generation)) {
      architectures.set(generation, architectureOf(fs, generationPaths(state, node.image, id)));
    }
    const architecture = architectures.get(generation);
    if (architecture === undefined || runs(node, architecture)) continue;
    const what = `${node.name} is ${node.architecture}, ${node.image} is for ${architecture}`;
    findings.ofNode('other-architecture', placeOf(inventory, node.name, 'architecture'), what);
  }
  for (const [name, recipe] of recipes) {
    const current = currentGeneration(fs, state, name);
    const manifest = current && whole(() => readManifest(fs, current));
    if (manifest?.mkroot !== version || !nodes.some(({ image }) => image === name)) continue;
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(recipe)), manifest.recipe)) {
      const what = `its recipe is not the one that ${manifest.generation} was built from`;
      findings.about('image-outdated', `image ${name}`, what);
    }
  }
}

/** What is wrong with what a node asks of its image: it stands in nodes.yaml. */
interface NodeComplaint {
  readonly rule: SiteRuleId;
  readonly field: string;
  readonly what: string;
}

/** Looks at a generation, the kernel of it and the initrd that a node boots, and at its drivers. */
function lintBoot(
  fs: ReadFileSystem,
  state: BytePath,
  node: Node,
  id: string,
  findings: SiteFindings,
): NodeComplaint[] {
  const { image: name, kernel, drivers } = node;
  const generation = generationPaths(state, name, id);
  if (fs.lstat(generation.manifestPath) === undefined) {
    const what = `it is pinned to ${id} of ${name}, which is not there`;
    return [{ rule: 'generation-missing', field: 'generation', what }];
  }
  const where = `image ${name} ${id}`;
  const manifest = whole(() => readManifest(fs, generation));
  if (manifest === undefined) findings.about('image-damaged', where, 'its manifest.json cannot be read');
  const releases = manifest?.kernels.map(({ release }) => release) ?? [];
  if (kernel !== undefined && !releases.some((one) => one === kernel || matchesWildcard(kernel, one))) {
    return [{ rule: 'missing-kernel', field: 'kernel', what: `${name} has no kernel "${kernel}"` }];
  }
  const image = whole(() => findNodeImage(fs, state, node, id));
  if (image === undefined) {
    findings.about('image-without-initrd', where, 'it has no initrd');
    return [];
  }
  if (!lintInitrd(fs, image, releases[0], findings)) return [];
  try {
    planDriverInitrd(fs, image, node);
  } catch (error) {
    if (!(error instanceof MkrootError)) throw error;
    const missing = drivers.findIndex((driver) => error.message.includes(`"${driver}"`));
    return [{ rule: 'missing-driver', field: `drivers[${Math.max(0, missing)}]`, what: error.message }];
  }
  return [];
}

/** @returns false if nothing further can be said about it. */
function lintInitrd(
  fs: ReadFileSystem,
  { name, generation, initrd, further }: PublishedImage,
  newest: string | undefined,
  findings: SiteFindings,
): boolean {
  if (fs.lstat(sidecarPath(initrd)) === undefined) return false;
  const where = `image ${name} ${generation}`;
  const sidecar = whole(() => readSidecar(fs, initrd));
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(initrd)) hash.update(chunk);
  if (sidecar === undefined || hash.digest('hex') !== sidecar.sha256) {
    findings.about('initrd-damaged', where, 'its initrd.img and initrd.img.json do not belong together');
    return false;
  }
  const release = further ?? newest;
  if (release === undefined || sidecar.kernel === release) return true;
  findings.about('initrd-kernel', where, `it boots ${release}, its initrd is for ${sidecar.kernel}`);
  return false;
}

function architectureOf(fs: ReadFileSystem, generation: Generation): string | undefined {
  if (fs.lstat(generation.manifestPath) === undefined) return undefined;
  return whole(() => readManifest(fs, generation))?.architecture;
}

/** What a reader returns; undefined if the file is not what it reads. */
function whole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MkrootError) return undefined;
    throw error;
  }
}
