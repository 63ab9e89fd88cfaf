import { join } from 'node:path';
import { suggestion } from '../../decode/nearest-name.js';
import { requireState } from '../../engine/state-directory.js';
import { ExitCode, MkrootError } from '../../errors.js';
import {
  currentGeneration,
  type Generation,
  generationTime,
  initrdPath,
  listGenerations,
  readManifest,
} from '../../images/image-store.js';
import { loadInventory, SITE_NAMES, type Site } from '../../inventory/load-inventory.js';
import { resolveNodes } from '../../inventory/resolve-node.js';
import { foldNodeSet } from '../../netboot/node-set.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { textTable } from '../../ports/text-table.js';
import { readRecord } from './published-record.js';

/** Which images are wanted. */
export interface ImagesRequest {
  readonly state: BytePath;
  /** Its pins are shown. Without nodes.yaml none is known. */
  readonly site: Site;
  /** All by default. */
  readonly image?: string;
}

/** A generation of an image. */
export interface ListedGeneration {
  readonly image: string;
  /** What `rollback --to` and `node set --generation` take. */
  readonly generation: string;
  /** Whether it is the one that the next publish takes for nodes that are not pinned. */
  readonly current: boolean;
  /** ISO 8601, UTC; undefined if the name does not tell. */
  readonly made: string | undefined;
  /** Releases, the newest first; undefined if its manifest cannot be read. */
  readonly kernels: readonly string[] | undefined;
  /** Whether its newest kernel has an initrd: without one nothing boots it. */
  readonly initrd: boolean;
  /** Names of the nodes whose boot files name it. */
  readonly published: readonly string[];
  /** Names of the nodes that nodes.yaml pins to it; undefined without nodes.yaml. */
  readonly pinned: readonly string[] | undefined;
}

/**
 * Every generation there is, by image and from the oldest to the newest. Reads manifests, the record and nodes.yaml, and no root.
 * @throws MkrootError NotFound if there is no state directory, or no image of the name.
 */
export function listImages(fs: ReadFileSystem, { state, site, image }: ImagesRequest): ListedGeneration[] {
  requireState(fs, state);
  const names = imageNames(fs, state);
  if (image !== undefined && !names.includes(image)) {
    throw new MkrootError(
      `Cannot find the image "${image}": there is none in ${displayPath(state)}${suggestion(image, names)}`,
      { exitCode: ExitCode.NotFound, hint: 'To see all: mkroot images' },
    );
  }
  const published = nodesBy(
    (readRecord(fs, state)?.nodes.all() ?? []).map(({ name, boot }) => [boot.image, name]),
  );
  const pinned =
    fs.lstat(toBytePath(join(site.directory, SITE_NAMES.inventory))) === undefined
      ? undefined
      : nodesBy(
          resolveNodes(loadInventory(fs, site)).map((node) => [{ ...node, name: node.image }, node.name]),
        );
  return (image === undefined ? names : [image]).flatMap((name) => {
    const current = currentGeneration(fs, state, name)?.id;
    return listGenerations(fs, state, name)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((generation): ListedGeneration => {
        const { id } = generation;
        const made = generationTime(id);
        return {
          image: name,
          generation: id,
          current: id === current,
          made: Number.isNaN(made) ? undefined : new Date(made).toISOString(),
          kernels: kernelsOf(fs, generation),
          initrd: fs.lstat(initrdPath(state, name, id)) !== undefined,
          published: published.get(`${name} ${id}`) ?? [],
          pinned: pinned && (pinned.get(`${name} ${id}`) ?? []),
        };
      });
  });
}

/** Generations as lines: a table, or a word if there are none. */
export function imagesText(generations: readonly ListedGeneration[]): string[] {
  if (generations.length === 0) return ['No image was built here: mkroot build NAME'];
  const rows = generations.map(({ image, generation, current, made, kernels, initrd, published, pinned }) => [
    image,
    `${generation}${current ? ' (current)' : ''}`,
    made === undefined ? '?' : `${made.slice(0, 10)} ${made.slice(11, 16)}`,
    `${kernels?.join(' ') ?? '?'}${initrd ? '' : ' (no initrd)'}`,
    foldNodeSet(published) || '-',
    foldNodeSet(pinned ?? []) || '-',
  ]);
  return textTable([
    ['IMAGE', 'GENERATION', 'MADE (UTC)', 'KERNELS', 'PUBLISHED FOR', 'PINNED FOR'],
    ...rows,
  ]);
}

function imageNames(fs: ReadFileSystem, state: BytePath): string[] {
  const images = `${state}/images`;
  if (fs.lstat(images)?.kind !== 'directory') return [];
  return fs
    .readdir(images)
    .filter((name) => !name.startsWith('.'))
    .sort();
}

/** Names of nodes by image and generation. */
function nodesBy(
  nodes: readonly (readonly [{ readonly name: string; readonly generation?: string }, string])[],
): Map<string, string[]> {
  const by = new Map<string, string[]>();
  for (const [{ name, generation }, node] of nodes) {
    if (generation === undefined) continue;
    const key = `${name} ${generation}`;
    const names = by.get(key);
    if (names === undefined) by.set(key, [node]);
    else names.push(node);
  }
  return by;
}

/** A generation whose manifest is damaged is listed all the same: it takes space, and others are good. */
function kernelsOf(fs: ReadFileSystem, generation: Generation): string[] | undefined {
  try {
    return readManifest(fs, generation).kernels.map(({ release }) => release);
  } catch (error) {
    if (error instanceof MkrootError) return undefined;
    throw error;
  }
}
