import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { sidecarPath } from '../archive/sidecar.js';
import { MkrootError } from '../errors.js';
import { currentGeneration, generationPaths, initrdPath, readManifest } from '../images/image-store.js';
import type { Manifest } from '../images/manifest.js';
import type { Inventory } from '../inventory/inventory.js';
import type { Node } from '../inventory/node.js';
import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { isWildcard, matchesWildcard } from '../rootfs/wildcard.js';
import { readSidecar } from './ask-why.js';
import { placeOf } from './lint-nodes.js';
import { runs } from './require-same-architecture.js';
import type { SiteFindings } from './site-findings.js';

/** What the images of a site are held against. */
export interface ImageContext {
  readonly inventory: Inventory;
  readonly nodes: readonly Node[];
  readonly state: BytePath;
  /** Recipes of the site that decode, by name. */
  readonly recipes: ReadonlyMap<string, object>;
}

/** What is wrong with the generations that nodes boot. Images that were never built are passed over. */
export function lintImages(fs: ReadFileSystem, context: ImageContext, findings: SiteFindings): void {
  const { inventory, nodes, state, recipes } = context;
  const booted = new Map<string, BootedImage>();
  for (const node of nodes) {
    const { name, image, generation: pinned } = node;
    const current = currentGeneration(fs, state, image);
    const id = pinned ?? current?.id;
    if (id === undefined) continue;
    if (fs.lstat(generationPaths(state, image, id).manifestPath) === undefined) {
      const what = `${name} is pinned to ${id} of ${image}, which is not there`;
      findings.ofNode('generation-missing', placeOf(inventory, name, 'generation'), what);
      continue;
    }
    const key = `${image} ${id}`;
    const known = booted.get(key) ?? lintGeneration(fs, state, image, id, findings);
    booted.set(key, known);
    if (known.architecture !== undefined && !runs(node.architecture, known.architecture)) {
      const what = `${name} is ${node.architecture}, ${image} is for ${known.architecture}`;
      findings.ofNode('other-architecture', placeOf(inventory, name, 'architecture'), what);
    }
    node.drivers.forEach((driver, index) => {
      if (known.modules === undefined || known.modules.some((module) => isMeant(driver, module))) return;
      const what = `the initrd of ${image} has no driver "${driver}", which ${name} needs`;
      findings.ofNode('missing-driver', placeOf(inventory, name, `drivers[${index}]`), what);
    });
  }
  for (const [name, recipe] of recipes) {
    const current = currentGeneration(fs, state, name);
    const manifest = current && manifestOf(() => readManifest(fs, current));
    if (manifest === undefined || !nodes.some(({ image }) => image === name)) continue;
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(recipe)), manifest.recipe)) {
      findings.about(
        'image-outdated',
        `image ${name}`,
        `its recipe is not the one that ${manifest.generation} was built from`,
      );
    }
  }
}

/** What is known about a generation and its initrd. */
interface BootedImage {
  readonly architecture?: string;
  /** Names of modules that the initrd has or that are built in; absent if nobody knows. */
  readonly modules?: readonly string[];
}

function lintGeneration(
  fs: ReadFileSystem,
  state: BytePath,
  name: string,
  id: string,
  findings: SiteFindings,
): BootedImage {
  const where = `image ${name} ${id}`;
  const manifest = manifestOf(() => readManifest(fs, generationPaths(state, name, id)));
  if (manifest === undefined) findings.about('image-damaged', where, 'its manifest.json cannot be read');
  const architecture = manifest === undefined ? {} : { architecture: manifest.architecture };
  const initrd = initrdPath(state, name, id);
  if (fs.lstat(initrd) === undefined) {
    findings.about('image-without-initrd', where, 'it has no initrd');
    return architecture;
  }
  if (fs.lstat(sidecarPath(initrd)) === undefined) return architecture;
  const sidecar = manifestOf(() => readSidecar(fs, initrd));
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(initrd)) hash.update(chunk);
  if (sidecar === undefined || hash.digest('hex') !== sidecar.sha256) {
    findings.about('initrd-damaged', where, 'its initrd.img and initrd.img.json do not belong together');
    return architecture;
  }
  const release = kernelOf(manifest);
  if (release !== undefined && sidecar.kernel !== release) {
    findings.about('initrd-kernel', where, `it boots ${release}, its initrd is for ${sidecar.kernel}`);
  }
  return { ...architecture, modules: [...sidecar.modules, ...sidecar.builtins] };
}

/** What a reader returns; undefined if the file is not what it reads. */
function manifestOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MkrootError) return undefined;
    throw error;
  }
}

function kernelOf(manifest: Manifest | undefined): string | undefined {
  return manifest?.kernels[0]?.release;
}

/** Module names know no difference between - and _ (modprobe(8)). */
function isMeant(wanted: string, module: string): boolean {
  const plain = (name: string) => name.replaceAll('-', '_');
  return isWildcard(wanted) ? matchesWildcard(plain(wanted), plain(module)) : plain(wanted) === plain(module);
}
