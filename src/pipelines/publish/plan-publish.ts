import { basename, dirname } from 'node:path/posix';
import { ExitCode, MkrootError } from '../../errors.js';
import { initrdPath, listGenerations } from '../../images/image-store.js';
import type { Site } from '../../inventory/load-inventory.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import { tftpDirectory } from '../../netboot/netboot-tree.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import { type FileSystem, namesIn, type ReadFileSystem } from '../../ports/file-system.js';
import type { StartThread } from '../../ports/start-thread.js';
import { findPublishedImage, type PublishedImage } from '../../stages/publish/find-published-image.js';
import type { WantedDirectory } from '../../stages/publish/make-persistent-directories.js';
import type { WantedTopImage } from '../../stages/publish/make-top-images.js';
import { type OwnedTreePlan, planOwnedTree } from '../../stages/publish/owned-tree.js';
import type { DriverInitrd } from '../initrd/driver-initrd.js';
import { HostLayerMemory } from '../layers/host-layer-memory.js';
import { findingLines } from '../layers/layer-findings.js';
import { findTargets, nodesOf, openComposer } from '../layers/open-composer.js';
import { keptPaths } from '../layers/persistent-paths.js';
import type { SharedFinding } from '../layers/render-layers.js';
import { persistentDirectory } from '../layers/state-directories.js';
import { knownTree, lookAhead } from './look-ahead.js';
import { bootDirectory, prepareNetbootSite, servingServer } from './netboot-site.js';
import { type NodeChange, nodeChanges } from './publish-changes.js';
import { type LayerToRemember, type PlannedLayer, PublishSources } from './publish-layers.js';
import { type PublishedRecord, publishedTree, readRecord } from './published-record.js';
import { requireInitrds } from './require-initrds.js';
import { unchangedFiles } from './unchanged-files.js';
import { missingTop } from './writable-top.js';
import { netbootFiles } from './write-netboot-tree.js';

/** What shall be published. */
export interface PublishRequest {
  readonly site: Site;
  readonly state: BytePath;
  /** Nodes and groups; everybody else's boot files and layers stay as they are. All nodes by default. */
  readonly only?: readonly string[];
  /** Nodes of one image that follow its current generation get another one. */
  readonly rollback?: { readonly image: string; readonly generation: string };
  /** What the inventory does not say about the server; by default as it was published last. */
  readonly server?: string;
  readonly interfaces?: readonly string[];
  readonly httpRoot?: string;
  /** Digest of mkroot's code: what it made of the same before needs not be made again. Absent means that nothing is known. */
  readonly code?: string;
  /** Lets a second thread look at files meanwhile. Absent where there is none. */
  readonly startThread?: StartThread | undefined;
}

/** Everything that a publish would change; nothing has been done yet. */
export interface PublishPlan {
  /** Those that have to be written, and those that nodes boot with from now on. */
  readonly layers: readonly PlannedLayer[];
  readonly nodes: readonly NodeChange[];
  /** Directories for persistent paths that have to be made; those that are there stay as they are. */
  readonly persistent: readonly WantedDirectory[];
  /** Initrds with drivers that only some nodes need, which have to be made. */
  readonly initrds: readonly DriverInitrd[];
  /** Files for what nodes write that have to be made. */
  readonly tops: readonly WantedTopImage[];
  /** Boot files and server configuration, file by file. */
  readonly tree: OwnedTreePlan;
  readonly findings: readonly SharedFinding[];
  readonly warnings: readonly string[];
  /** What is published then. */
  readonly site: NetbootSite;
  readonly server: string | undefined;
  readonly before: PublishedRecord | undefined;
  /** What is known of nodes' own layers, and what there is to be noted of them. */
  readonly memory: HostLayerMemory;
  readonly toRemember: readonly LayerToRemember[];
  /** False if there is nothing to do at all. */
  readonly changes: boolean;
}

/**
 * Compares what the site says with what is published. Reads only.
 * @throws MkrootError InvalidInput if the linter finds an error in a layer; NotFound for a generation or an initrd that is
 * not there.
 */
export function planPublish(fs: FileSystem, request: PublishRequest): PublishPlan {
  const { state, rollback } = request;
  const { code } = request;
  const known = lookAhead(fs, state, { code, start: request.startThread });
  const composer = openComposer(fs, request.site, state);
  const before = readRecord(fs, state);
  // Read before any file is looked at: the second thread is the further ahead.
  const treeBefore = knownTree(fs, state, known);
  const memory = HostLayerMemory.parse(known.memory, { code, label: composer.site.label });
  const sources = new PublishSources(
    fs,
    composer,
    { record: before, memory, board: known.board, code },
    rollback && new Map([[rollback.image, rollback.generation]]),
  );
  const named =
    request.only === undefined
      ? composer.values.nodes
      : nodesOf(composer, findTargets(composer, request.only));
  const nodes =
    rollback === undefined
      ? named
      : named.filter((node) => node.image === rollback.image && node.generation === undefined);
  const server = request.server ?? before?.server;
  const httpRoot = request.httpRoot ?? before?.head?.server.httpRoot;
  const options = {
    interfaces: request.interfaces ?? before?.head?.server.interfaces ?? [],
    tftpRoot: displayPath(`${publishedTree(state)}/${tftpDirectory}`),
    ...(server === undefined ? {} : { server }),
    ...(httpRoot === undefined ? {} : { httpRoot }),
  };
  requireInitrds(fs, nodes, (node) => sources.image(node));
  const prepared = prepareNetbootSite(composer, options, sources, nodes);
  const findings = sources.findings.list();
  refuseErrors(findings);
  const partial = request.only !== undefined || rollback !== undefined;
  const order = composer.values.nodes.map(({ name }) => name);
  const site = partial ? onTopOf(before?.site, prepared.site, order) : prepared.site;
  const kept = keptImages(fs, state, site, prepared.images);
  const same = new Set(site.nodes.filter((node) => before?.nodes.hasSame(node)).map(({ name }) => name));
  const asWritten = unchangedFiles(before, site, same, request.code);
  const { files, warnings } = netbootFiles(fs, site, kept, {
    state,
    directory: publishedTree(state),
    asWritten,
  });
  const tree = planOwnedTree(fs, publishedTree(state), files, treeBefore);
  const layers = [...sources.layers.values()].filter(
    ({ there, becomesCurrent, differences }) => !there || becomesCurrent || differences.length > 0,
  );
  const changed = nodeChanges(before?.nodes, site, same);
  const keeper = servingServer(composer, server);
  const persistent = nodes.flatMap((node) =>
    keptPaths(node, keeper)
      .map((path) => ({ node: node.name, path, directory: persistentDirectory(state, node.name, path) }))
      .filter(({ directory }) => fs.lstat(directory) === undefined)
      .map((wanted): WantedDirectory => {
        const shared = sources.shared(node);
        const below = [sources.image(node).root, ...(shared === undefined ? [] : [shared])];
        return { ...wanted, layers: [...below, sources.host(node)] };
      }),
  );
  const initrds = [...sources.initrds.values()].filter(({ there }) => !there);
  const tops = nodes.flatMap((node) => missingTop(fs, node, keeper, state));
  return {
    layers,
    nodes: changed,
    persistent,
    initrds,
    tops,
    tree,
    findings,
    warnings,
    site,
    server,
    before,
    memory,
    toRemember: sources.toRemember,
    changes:
      layers.some(({ there, becomesCurrent }) => !there || becomesCurrent) ||
      initrds.length > 0 ||
      changed.length > 0 ||
      persistent.length > 0 ||
      tops.length > 0 ||
      tree.changes.length > 0 ||
      before?.unfinished !== false,
  };
}

/** Some nodes as they are now, all others as they were published; what is exported stays so for those. */
function onTopOf(before: NetbootSite | undefined, now: NetbootSite, order: readonly string[]): NetbootSite {
  const nodes = new Map([...(before?.nodes ?? []), ...now.nodes].map((node) => [node.name, node]));
  const known = order.filter((name) => nodes.has(name));
  const names = [...new Set([...known, ...nodes.keys()])];
  const directories = new Map((before?.directories ?? []).map((directory) => [directory.path, directory]));
  for (const directory of now.directories) {
    const was = directories.get(directory.path);
    directories.set(directory.path, was?.access === 'rw' ? was : directory);
  }
  return { ...now, nodes: names.map((name) => nodes.get(name)!), directories: [...directories.values()] };
}

/**
 * The images that nodes boot, and all others whose links are in the tree: a node that has read its boot file a moment ago
 * still fetches what that named. `mkroot gc` takes them away with the generation.
 */
function keptImages(
  fs: ReadFileSystem,
  state: BytePath,
  site: NetbootSite,
  prepared: readonly PublishedImage[],
): PublishedImage[] {
  const images = new Map(prepared.map((image) => [image.initrd, image]));
  /** @param file name of the initrd: that of the kernel, or one with further drivers. */
  const add = (name: string, generation: string, release: string | undefined, file: string) => {
    const initrd = `${dirname(initrdPath(state, name, generation, release))}/${file}`;
    if (images.has(initrd)) return;
    const choice = { generation, ...(release === undefined ? {} : { kernel: release }) };
    images.set(initrd, { ...findPublishedImage(fs, state, name, choice), initrd });
  };
  for (const { boot } of site.nodes) {
    const { name, generation, release, initrds } = boot.image;
    for (const path of initrds) add(name, generation, release, basename(path));
  }
  const tftp = `${publishedTree(state)}/${tftpDirectory}`;
  for (const name of namesIn(fs, `${tftp}/images`)) {
    for (const { id } of listGenerations(fs, state, name)) {
      const linked = `${tftp}/${bootDirectory(name, id)}`;
      const releases = namesIn(fs, linked).filter(
        (entry) => fs.lstat(`${linked}/${entry}`)?.kind === 'directory',
      );
      for (const release of [undefined, ...releases]) {
        const made = dirname(initrdPath(state, name, id, release));
        const files = namesIn(fs, release === undefined ? linked : `${linked}/${release}`).filter(
          (file) => /^initrd.*\.img$/.test(file) && fs.lstat(`${made}/${file}`) !== undefined,
        );
        for (const file of files) add(name, id, release, file);
      }
    }
  }
  return [...images.values()];
}

function refuseErrors(findings: readonly SharedFinding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  throw new MkrootError(
    `Cannot publish: the linter found ${errors.length} error${errors.length === 1 ? '' : 's'} in layers`,
    {
      exitCode: ExitCode.InvalidInput,
      details: errors.flatMap((finding) => [
        ...findingLines(finding),
        `    in ${layerNames(finding.layers)}`,
      ]),
      hint: 'Nothing was changed. Every rule is explained in docs/lint.md.',
    },
  );
}

/** `compute`, `n001 and 127 more`. */
export function layerNames([first, ...others]: readonly string[]): string {
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}
