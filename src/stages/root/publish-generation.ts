import type { FinishedStage } from '../../engine/execute.js';
import { type Generation, generationPaths, imagePaths, makeCurrent } from '../../images/image-store.js';
import { type JsonValue, MANIFEST_FORMAT, type Manifest } from '../../images/manifest.js';
import type { BytePath } from '../../ports/byte-path.js';
import { displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import type { Recipe } from '../../recipe/recipe.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import { flattenLayers } from '../../sandbox/flatten-layers.js';
import { NamespaceSession } from '../../sandbox/namespace-session.js';
import { mountLayers } from '../../sandbox/root-tree.js';
import { collectKernels } from './collect-kernels.js';
import type { RootBackend } from './root-backend.js';
import { rootLayers } from './root-layers.js';

/** What is published, and what its manifest says about it. */
export interface Publication {
  readonly state: BytePath;
  readonly recipe: Recipe;
  /** What knows the packages of the root. */
  readonly backend: Pick<RootBackend, 'installed'>;
  /** Absolute path of the recipe file. */
  readonly recipePath: string;
  /** Where the values of the recipe stand, by their path; see {@link Manifest.recipeLines}. */
  readonly recipeLines: Readonly<Record<string, number>>;
  readonly stages: readonly FinishedStage[];
  readonly tools: Readonly<Record<string, string>>;
  /** Version of mkroot. */
  readonly mkroot: string;
}

/** Generations that are not finished start with this. */
const UNFINISHED = '.new-';

/**
 * Makes a generation out of the finished stages: the root by hard links, the kernel, the manifest; all under a temporary
 * name, then one rename, then `current`. Whatever interrupts it leaves the old generation as it was.
 */
export async function publishGeneration(ports: Ports, publication: Publication): Promise<Generation> {
  const { fs, clock, progress } = ports;
  const { state, recipe, stages } = publication;
  const key = stages.at(-1)!.record.key;
  const now = clock.now();
  const id = freeId(fs, state, recipe.name, generationId(now, key));
  const generation = generationPaths(state, recipe.name, id);
  const place = `${imagePaths(state, recipe.name).generations}/${UNFINISHED}${id}`;
  const task = progress.task('Publishing the generation');
  try {
    fs.remove(place);
    fs.mkdir(place);
    const layers = rootLayers(
      fs,
      stages.map(({ result }) => result),
    );
    const root = `${place}/root`;
    const tree = await assemble(ports, layers, place);
    const sysroot = new Sysroot(fs, root);
    const kernels = collectKernels(sysroot);
    fs.link(`${root}${kernels[0]!.path}`, `${place}/vmlinuz`);
    const manifest: Manifest = {
      format: MANIFEST_FORMAT,
      name: recipe.name,
      generation: id,
      key,
      createdAt: now.toISOString(),
      mkroot: publication.mkroot,
      architecture: recipe.architecture,
      recipe: JSON.parse(JSON.stringify(recipe)) as JsonValue,
      recipePath: publication.recipePath,
      recipeLines: publication.recipeLines,
      stages: stages.map(({ record, cached }) => ({
        name: record.inputs.stage,
        key: record.key,
        finishedAt: record.finishedAt,
        durationMs: record.durationMs,
        cached,
      })),
      packages: await publication.backend.installed(ports, sysroot, `${place}/packages`),
      kernels: kernels.map((kernel) => ({ ...kernel, release: displayPath(kernel.release) })),
      tools: publication.tools,
      sizes: { rootBytes: tree.bytes, rootEntries: tree.entries },
      digests: { vmlinuz: kernels[0]!.sha256 },
    };
    fs.writeFile(`${place}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
    // Layers are written without any sync (see docs/decisions/0002): before it is published, all of it reaches the disk.
    await ports.runner.run({ argv: ['sync', '--file-system', displayPath(place)] });
    fs.rename(place, generation.directory);
    makeCurrent(fs, state, recipe.name, id);
    task.done(id);
    return generation;
  } catch (error) {
    task.fail();
    removeQuietly(fs, place);
    throw error;
  }
}

/** Removes what interrupted builds left of generations. Only for the holder of the lock. */
export function removeUnfinishedGenerations(fs: FileSystem, state: BytePath, name: string): void {
  const { generations, current } = imagePaths(state, name);
  fs.remove(`${current}.new`);
  if (fs.lstat(generations) === undefined) return;
  for (const entry of fs.readdir(generations)) {
    if (entry.startsWith(UNFINISHED)) fs.remove(`${generations}/${entry}`);
  }
}

/** `20261120T041500Z-1a2b3c4d`: the time first, so that names sort by age. */
export function generationId(time: Date, key: string): string {
  return `${time
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '')}-${key.slice(0, 8)}`;
}

/** Two forced builds within one second must not meet. */
function freeId(fs: FileSystem, state: BytePath, name: string, wanted: string): string {
  let id = wanted;
  for (let count = 2; fs.lstat(generationPaths(state, name, id).directory) !== undefined; count += 1) {
    id = `${wanted}-${count}`;
  }
  return id;
}

async function assemble(
  ports: Ports,
  layers: readonly BytePath[],
  place: BytePath,
): Promise<{ readonly bytes: number; readonly entries: number }> {
  const { fs, runner } = ports;
  const session = await NamespaceSession.open(runner, fs);
  try {
    const merged = await mountLayers(session, fs, layers, `${place}/merged`);
    const tree = flattenLayers(fs, session.hostPath(merged), layers, `${place}/root`);
    // Directories last, by a tool that carries ACLs and extended attributes too: links made above have set their times.
    const list = Buffer.from(`${tree.directories.join('\0')}\0`, 'latin1');
    const archive = `${place}/directories.tar`;
    await session.run(
      [
        'tar',
        ...DIRECTORY_ATTRIBUTES,
        '--create',
        `--file=${archive}`,
        `--directory=${merged}`,
        '--no-recursion',
        '--null',
        '--files-from=-',
      ],
      { input: list },
    );
    await session.run([
      'tar',
      ...DIRECTORY_ATTRIBUTES,
      '--same-owner',
      '--same-permissions',
      '--extract',
      `--file=${archive}`,
      `--directory=${place}/root`,
    ]);
    fs.remove(archive);
    return tree;
  } finally {
    await session.close();
    fs.remove(`${place}/merged`);
  }
}

/** Times with their fractions (POSIX format), and everything that can be attached to a directory. */
const DIRECTORY_ATTRIBUTES = [
  '--format=posix',
  '--pax-option=delete=atime,delete=ctime',
  '--numeric-owner',
  '--acls',
  '--xattrs',
  '--xattrs-include=*',
] as const;

function removeQuietly(fs: FileSystem, path: BytePath): void {
  try {
    fs.remove(path);
  } catch {
    // The error that brought us here is the one to report; the next build cleans up.
  }
}
