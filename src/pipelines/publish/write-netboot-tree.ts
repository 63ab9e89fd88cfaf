import { ROOT_IMAGE_FORMATS } from '../../images/root-image.js';
import type { Site } from '../../inventory/load-inventory.js';
import { defaultMemoryTest } from '../../netboot/boot-menu.js';
import { defaultBootFiles, namedBootFiles } from '../../netboot/dhcp-service.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import { netbootTexts, tftpDirectory } from '../../netboot/netboot-tree.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { findBootLoaders } from '../../stages/publish/boot-loader-links.js';
import type { PublishedImage } from '../../stages/publish/find-published-image.js';
import { grubImageDirectory, makeGrubImages } from '../../stages/publish/make-grub-images.js';
import {
  applyOwnedTree,
  type OwnedFile,
  type OwnedTreePlan,
  planOwnedTree,
  refuseConflicts,
} from '../../stages/publish/owned-tree.js';
import { openComposer } from '../layers/open-composer.js';
import { bootImage, type NetbootServerOptions, prepareNetbootSite, SourcesOnDisk } from './netboot-site.js';
import { servedRootImage } from './node-base.js';
import { requireInitrds } from './require-initrds.js';

/** A netboot tree that is wanted. */
export interface NetbootTreeRequest extends Omit<NetbootServerOptions, 'tftpRoot'> {
  readonly site: Site;
  readonly state: BytePath;
  /** Absolute. */
  readonly directory: BytePath;
}

/** What would change, and what is missing for a boot. */
export interface NetbootTreePlan extends OwnedTreePlan {
  readonly warnings: readonly string[];
  readonly site: NetbootSite;
}

/** Inventory and published images -> boot files and server configuration -> what differs from the directory. */
export function planNetbootTree(
  { fs }: Pick<Ports, 'fs'>,
  { site, state, directory, ...options }: NetbootTreeRequest,
): NetbootTreePlan {
  const composer = openComposer(fs, site, state);
  const sources = new SourcesOnDisk(fs, composer);
  const tftpRoot = displayPath(`${directory}/${tftpDirectory}`);
  requireInitrds(fs, composer.values.nodes, (node) => sources.image(node));
  const prepared = prepareNetbootSite(composer, { ...options, tftpRoot }, sources);
  const { files, warnings } = netbootFiles(fs, prepared.site, prepared.images, { state, directory });
  return {
    ...planOwnedTree(fs, directory, files),
    warnings: [...sources.warnings(), ...warnings],
    site: prepared.site,
  };
}

/**
 * Every file and link of the tree of a site, by its path below the tree, and which boot loaders this machine lacks.
 * @param tree.directory where the tree lies, or will.
 * @param tree.asWritten what is known to be as it was written last: what is for a node (by its name), or for servers.
 */
export function netbootFiles(
  fs: ReadFileSystem,
  site: NetbootSite,
  images: readonly PublishedImage[],
  tree: {
    readonly state: BytePath;
    readonly directory: BytePath;
    readonly asWritten?: (node: string | undefined) => boolean;
  },
): { readonly files: ReadonlyMap<string, OwnedFile>; readonly warnings: readonly string[] } {
  const { state, directory, asWritten = () => false } = tree;
  const files = new Map<string, OwnedFile>();
  const textBefore = (path: string) => {
    const file = `${directory}/${path}`;
    return fs.lstat(file)?.kind === 'file' ? Buffer.from(fs.readFile(file)).toString('utf8') : undefined;
  };
  const loaders = findBootLoaders(fs, neededLoaders(site));
  const links = [...imageLinks(images), ...loaders.found, ...(loadsGrub(site) ? grubLinks(state) : [])];
  for (const [path, target] of links) {
    files.set(`${tftpDirectory}/${path}`, { target });
  }
  for (const { paths, node, render } of netbootTexts(site, textBefore)) {
    const file = { render, asWritten: asWritten(node) };
    for (const path of paths) files.set(path, file);
  }
  return { files, warnings: loaders.missing.map((what) => `Missing boot loader ${what}`) };
}

/**
 * Brings the directory to what the plan says; see {@link applyOwnedTree}.
 * @returns what is missing on this machine, in words.
 */
export async function writeNetbootTree(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  plan: NetbootTreePlan,
  { state, force }: { readonly state: BytePath; readonly force: boolean },
): Promise<string[]> {
  if (!force) refuseConflicts(plan);
  const missing = loadsGrub(plan.site) ? await makeGrubImages({ fs, runner }, grubImageDirectory(state)) : [];
  applyOwnedTree(fs, plan, { force });
  return missing;
}

/** Whether machines are sent to GRUB, which then has to be made. */
export function loadsGrub({ bootFiles }: Pick<NetbootSite, 'bootFiles'>): boolean {
  return bootFiles?.bios === namedBootFiles.grub.bios;
}

function grubLinks(state: BytePath): [path: string, target: BytePath][] {
  return Object.values(namedBootFiles.grub).map((path) => [
    path,
    `${grubImageDirectory(state)}/${path.slice(path.lastIndexOf('/') + 1)}`,
  ]);
}

/** The loaders that some node cannot do without; the others are served where they are installed. */
function neededLoaders({ nodes, bootFiles = defaultBootFiles }: NetbootSite): ReadonlySet<string> {
  const tested = nodes.some(({ boot }) => boot.default === 'memtest' || boot.menu?.includes('memtest'));
  return new Set([
    ...(nodes.some(({ firmware }) => firmware !== 'uefi') && bootFiles.bios === defaultBootFiles.bios
      ? [defaultBootFiles.bios, 'ldlinux.c32']
      : []),
    ...nodes
      .filter(({ firmware }) => firmware !== 'bios')
      .flatMap(({ architecture }) => bootFiles[architecture === 'arm64' ? 'efiArm64' : 'efiX64'] ?? []),
    ...(tested ? Object.values(defaultMemoryTest) : []),
  ]);
}

/** Kernels and initrds are served from where they are published. */
function imageLinks(images: readonly PublishedImage[]): [path: string, target: BytePath][] {
  return images.flatMap((image): [string, BytePath][] => {
    const { kernel, initrds } = bootImage(image);
    return [
      [kernel, image.kernel],
      ...initrds.map((path): [string, BytePath] => [path, image.initrd]),
      ...ROOT_IMAGE_FORMATS.flatMap((format): [string, BytePath][] => {
        const file = image.files[format];
        return file === undefined ? [] : [[servedRootImage(image.name, image.generation, format), file.path]];
      }),
    ];
  });
}
