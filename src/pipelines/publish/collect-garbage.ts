import { join } from 'node:path';
import { requireState } from '../../engine/state-directory.js';
import { MkrootError } from '../../errors.js';
import { currentGeneration, generationTime, imagePaths, listGenerations } from '../../images/image-store.js';
import { SITE_NAMES, type Site } from '../../inventory/load-inventory.js';
import type { Node } from '../../inventory/node.js';
import { currentLayer, layerVersions } from '../../layers/write-layer.js';
import { tftpDirectory } from '../../netboot/netboot-tree.js';
import { type BytePath, toBytePath } from '../../ports/byte-path.js';
import { type FileSystem, namesIn, type ReadFileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { removeFromOwnedTree } from '../../stages/publish/owned-tree.js';
import type { LayerComposer } from '../layers/compose-layers.js';
import { openComposer } from '../layers/open-composer.js';
import {
  hostDirectory,
  hostsDirectory,
  layerDirectories,
  sharedLayerDirectory,
  sharedLayersDirectory,
} from '../layers/state-directories.js';
import { type LayerWriter, withLayerLock } from '../layers/write-layers.js';
import { bootDirectory } from './netboot-site.js';
import {
  type PublishedRecord,
  publishedTree,
  readRecord,
  referencesOf,
  writeRecord,
} from './published-record.js';
import { removeLeftovers } from './remove-leftovers.js';

/** What may go. */
export interface GarbageRequest {
  readonly state: BytePath;
  /** Its pins count. Without nodes.yaml only what is published counts. */
  readonly site: Site;
  /** This many of the newest generations of each image stay. */
  readonly keep: number;
  /** Whatever was made, or named by a boot file, in the last so many days stays. */
  readonly keepDays: number;
}

/** A generation of an image, a version of a layer, or the identity (machine-id, ssh host keys) of a node that is gone. */
export interface StoredThing {
  readonly kind: 'generation' | 'layer' | 'identity';
  /** Of the image, of the group, or of the node. */
  readonly name: string;
  /** Of an identity: `identity`. */
  readonly id: string;
  readonly directory: BytePath;
  /** Why it stays; undefined if nobody is known to need it. */
  readonly use: string | undefined;
}

/** What is there, and what of it would be removed. */
export interface GarbagePlan {
  readonly things: readonly StoredThing[];
  /** False if there is no inventory to look for pins in. */
  readonly pinsKnown: boolean;
  /** Directories of shared layers that no group has any more. */
  readonly goneLayers: ReadonlySet<BytePath>;
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Finds generations, versions of layers and identities of nodes that are gone, and who is known to need each. Reads only.
 * @throws MkrootError if a publish was interrupted: what its boot files name is not known for sure; NotFound if there is no
 *   state directory.
 */
export function planGarbage(fs: FileSystem, now: Date, request: GarbageRequest): GarbagePlan {
  const { state, site, keep, keepDays } = request;
  requireState(fs, state);
  const record = readRecord(fs, state);
  if (record?.unfinished) {
    throw new MkrootError('Cannot remove anything: the last publish did not end', {
      hint: 'Finish it first: mkroot publish',
    });
  }
  const pinsKnown = fs.lstat(toBytePath(join(site.directory, SITE_NAMES.inventory))) !== undefined;
  const composer = pinsKnown ? openComposer(fs, site, state) : undefined;
  const pins = pinnedGenerations(composer?.values.nodes ?? []);
  const gone = goneNodes(fs, state, record, composer?.values.nodes);
  const known = new KnownUses(fs, state, record, now, keepDays, gone);
  const generations = finishedNamesIn(fs, `${state}/images`).flatMap((name) => {
    const current = currentGeneration(fs, state, name)?.id;
    const all = listGenerations(fs, state, name);
    return all.map(({ id, directory }, index): StoredThing => {
      const pinnedBy = pins.get(`${name} ${id}`);
      const newest = index >= all.length - keep;
      return {
        kind: 'generation',
        name,
        id,
        directory,
        use:
          (id === current ? 'current' : undefined) ??
          known.use(directory, `generation=${id}`) ??
          (pinnedBy === undefined ? undefined : `pinned for ${pinnedBy}`) ??
          (newest ? `one of the ${keep} newest` : undefined) ??
          known.age(generationTime(id)),
      };
    });
  });
  const unshared = goneSharedLayers(fs, state, record, composer);
  const layers = layerDirectories(fs, state).flatMap(({ name, directory }) => {
    const isGone = (directory === hostDirectory(state, name) && gone.has(name)) || unshared.has(directory);
    const current = isGone ? undefined : currentLayer(fs, directory)?.id;
    return finishedNamesIn(fs, layerVersions(directory)).map((id): StoredThing => {
      const version = `${layerVersions(directory)}/${id}`;
      const made = fs.lstat(version)?.mtime;
      const use =
        (id === current ? 'current' : undefined) ??
        known.use(version, `${version}/layer`) ??
        known.age(made === undefined ? undefined : made * 1000);
      return { kind: 'layer', name, id, directory: version, use };
    });
  });
  const identities = [...gone].flatMap((name): StoredThing[] => {
    const directory = hostDirectory(state, name);
    const identity = `${directory}/${IDENTITY}`;
    const made = fs.lstat(identity)?.mtime;
    if (made === undefined) return [];
    // Whoever needs a layer of the node may need it whole: with the keys that are in it.
    const layer = layers.find((one) => one.use !== undefined && one.directory.startsWith(`${directory}/`));
    const use = layer === undefined ? known.age(made * 1000) : `of layer ${layer.id}: ${layer.use}`;
    return [{ kind: 'identity', name, id: IDENTITY, directory: identity, use }];
  });
  return { things: [...generations, ...layers, ...identities], pinsKnown, goneLayers: unshared };
}

/** Where the identity of a node lies below its directory. */
const IDENTITY = 'identity';

/**
 * Nodes that have a directory, and are neither published nor in the inventory any more. Without an inventory, or before anything was
 * published, none is known to be gone.
 */
function goneNodes(
  fs: ReadFileSystem,
  state: BytePath,
  record: PublishedRecord | undefined,
  inventory: readonly Node[] | undefined,
): ReadonlySet<string> {
  if (record?.site === undefined || inventory === undefined) return new Set();
  const known = new Set(inventory.map(({ name }) => name));
  return new Set(
    finishedNamesIn(fs, hostsDirectory(state)).filter(
      (name) => !known.has(name) && record.nodes.get(name) === undefined,
    ),
  );
}

/**
 * Directories of shared layers of which no boot file names a version, and which no node or group of the inventory has any more: the group is
 * gone, or nobody in it boots the other image. Like nodes, none is known to be gone without an inventory, or before anything was published.
 */
function goneSharedLayers(
  fs: ReadFileSystem,
  state: BytePath,
  record: PublishedRecord | undefined,
  composer: LayerComposer | undefined,
): ReadonlySet<BytePath> {
  if (record?.site === undefined || composer === undefined) return new Set();
  const { nodes } = composer.values;
  const booted = new Map(nodes.map((node) => [`${node.group} ${node.image}`, node]));
  const names = [
    ...composer.site.inventory.groups.keys(),
    ...[...booted.values()].map(({ group, image }) => composer.layerName(group, image)),
  ];
  const needed = new Set(names.map((name) => sharedLayerDirectory(state, name)));
  const named = [...referencesOf(record.site, state)];
  const all = sharedLayersDirectory(state);
  return new Set(
    finishedNamesIn(fs, all)
      .map((name) => `${all}/${name}`)
      .filter((directory) => fs.lstat(directory)?.kind === 'directory' && !needed.has(directory))
      .filter((directory) => !named.some((path) => path.startsWith(`${layerVersions(directory)}/`))),
  );
}

/** Removes what nobody is known to need. Interrupted, it leaves nothing that looks whole and is not. */
export async function collectGarbage(
  ports: Ports,
  request: GarbageRequest,
  writer: LayerWriter,
): Promise<GarbagePlan> {
  const { fs } = ports;
  const { state } = request;
  // Before the lock, which would make the directory.
  requireState(fs, state);
  return withLayerLock(ports, state, writer, async () => {
    const plan = planGarbage(fs, ports.clock.now(), request);
    removeLeftovers(fs, state);
    finishRemoval(fs, state);
    const unused = plan.things.filter(({ use }) => use === undefined);
    const links = unused
      .filter(({ kind }) => kind === 'generation')
      .flatMap(({ name, id }) =>
        filesBelow(fs, publishedTree(state), `${tftpDirectory}/${bootDirectory(name, id)}`),
      );
    removeFromOwnedTree(fs, publishedTree(state), links);
    const task = ports.progress.task(`Removing ${unused.length}`);
    for (const { kind, name, id, directory } of unused) {
      if (writer.signal?.aborted) break;
      task.update(`${name} ${id}`);
      // Before the identity, by which the next collection knows that there is something left to do.
      if (kind === 'identity') removeTraces(fs, state, name);
      const slash = directory.lastIndexOf('/');
      const gone = `${directory.slice(0, slash)}/${GONE}${id}`;
      fs.rename(directory, gone);
      if (kind === 'generation') fs.remove(`${imagePaths(state, name).initrds}/${id}`);
      fs.remove(gone);
      if (kind === 'identity') removeIfEmpty(fs, hostDirectory(state, name));
    }
    // Those whose last version an earlier collection took that was killed, too.
    for (const directory of plan.goneLayers) {
      if (removeEmptyVersions(fs, directory)) removeIfEmpty(fs, directory);
    }
    forget(fs, state);
    task.done();
    return plan;
  });
}

/** What is left of a node that is gone besides its identity, after its layers. What it kept (persistent paths, its top) is not ours. */
function removeTraces(fs: FileSystem, state: BytePath, node: string): void {
  fs.remove(`${state}/booted/${node}`);
  removeEmptyVersions(fs, hostDirectory(state, node));
}

/** Says whether no version of a layer is left, and removes what pointed to one of them then. */
function removeEmptyVersions(fs: FileSystem, directory: BytePath): boolean {
  const versions = layerVersions(directory);
  if (finishedNamesIn(fs, versions).length > 0) return false;
  fs.remove(`${directory}/current`);
  fs.remove(versions);
  return true;
}

function removeIfEmpty(fs: FileSystem, directory: BytePath): void {
  if (fs.readdir(directory).length === 0) fs.remove(directory);
}

/** Things that are being removed start with this; builds and writers of layers remove what starts with `.new-`, too. */
const GONE = '.new-gone-';

/** What is known of who needs something. */
class KnownUses {
  readonly #named: ReadonlySet<BytePath>;
  readonly #reports: readonly { readonly node: string; readonly text: string }[];

  constructor(
    fs: ReadFileSystem,
    state: BytePath,
    private readonly record: PublishedRecord | undefined,
    private readonly now: Date,
    private readonly keepDays: number,
    gone: ReadonlySet<string>,
  ) {
    this.#named = referencesOf(record?.site, state);
    const booted = `${state}/booted`;
    this.#reports = finishedNamesIn(fs, booted)
      // The exports of a node that is gone went with it: what it said once is no longer true for ever.
      .filter((node) => !gone.has(node) || this.age((fs.lstat(`${booted}/${node}`)?.mtime ?? 0) * 1000))
      .map((node) => ({
        node,
        text: `${Buffer.from(fs.readFile(`${booted}/${node}`)).toString('latin1')}\n`,
      }));
  }

  /** @param reported how a report of a node names it, to the end of a word, unless by the path of something in it. */
  use(directory: BytePath, reported: string): string | undefined {
    if (this.#named.has(directory)) return 'named by boot files';
    const report = this.#reports.find(({ text }) =>
      text.split(/[\s,:]/).some((word) => word === reported || word.startsWith(`${directory}/`)),
    );
    if (report !== undefined) return `booted by ${report.node}`;
    const retired = this.record?.retired[directory];
    const left = retired === undefined ? undefined : this.age(Date.parse(retired));
    return left === undefined ? undefined : `named by boot files until ${retired!.slice(0, 10)}`;
  }

  /** @param time in milliseconds since the epoch. */
  age(time: number | undefined): string | undefined {
    if (time === undefined || Number.isNaN(time)) return undefined;
    return this.now.getTime() - time < this.keepDays * DAY_MS
      ? `younger than ${this.keepDays} days`
      : undefined;
  }
}

/** By image and generation, the name of a node that is pinned to it. */
function pinnedGenerations(nodes: readonly Node[]): Map<string, string> {
  return new Map(
    nodes.flatMap(({ name, image, generation }): [string, string][] =>
      generation === undefined ? [] : [[`${image} ${generation}`, name]],
    ),
  );
}

/** What is being made or removed starts with a dot. */
function finishedNamesIn(fs: ReadFileSystem, directory: BytePath): BytePath[] {
  return namesIn(fs, directory).filter((name) => !name.startsWith('.'));
}

/** What a collection that was killed left. */
function finishRemoval(fs: FileSystem, state: BytePath): void {
  for (const { directory } of layerDirectories(fs, state)) fs.remove(`${directory}/${GONE}${IDENTITY}`);
  for (const image of finishedNamesIn(fs, `${state}/images`)) {
    const { generations, initrds } = imagePaths(state, image);
    if (fs.lstat(generations) === undefined) continue;
    for (const name of fs.readdir(generations)) {
      if (!name.startsWith(GONE)) continue;
      fs.remove(`${initrds}/${name.slice(GONE.length)}`);
      fs.remove(`${generations}/${name}`);
    }
  }
}

/** Every file and link below a directory of a tree, by its path below the tree. */
function filesBelow(fs: ReadFileSystem, tree: BytePath, directory: BytePath): BytePath[] {
  return finishedNamesIn(fs, `${tree}/${directory}`).flatMap((name) => {
    const path = `${directory}/${name}`;
    return fs.lstat(`${tree}/${path}`)?.kind === 'directory' ? filesBelow(fs, tree, path) : [path];
  });
}

/** What is gone needs no remembering. */
function forget(fs: FileSystem, state: BytePath): void {
  const record = readRecord(fs, state);
  if (record === undefined) return;
  const retired = Object.entries(record.retired).filter(([path]) => fs.lstat(path) !== undefined);
  if (retired.length < Object.keys(record.retired).length) {
    writeRecord(fs, state, { ...record, retired: Object.fromEntries(retired) });
  }
}
