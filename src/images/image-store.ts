import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import { type Manifest, parseManifest } from './manifest.js';

/** A published, immutable generation of an image. */
export interface Generation {
  /** Sortable by time: `20261120T041500Z-1a2b3c4d`. */
  readonly id: string;
  readonly directory: BytePath;
  /** The root tree. Shares inodes with other generations and with the cache: never write into it. */
  readonly root: BytePath;
  /** The kernel's bootable image. */
  readonly kernel: BytePath;
  readonly manifestPath: BytePath;
}

/** Where everything of one image lies below the state directory. */
export interface ImagePaths {
  readonly directory: BytePath;
  readonly generations: BytePath;
  /** Symbolic link to the generation that nodes get. */
  readonly current: BytePath;
  /** One directory per generation: `initrd.img`, `initrd.img.json`, and a directory for each further kernel. */
  readonly initrds: BytePath;
}

/** Pure names; nothing has to exist. */
export function imagePaths(state: BytePath, name: string): ImagePaths {
  const directory = `${state}/images/${name}`;
  return {
    directory,
    generations: `${directory}/generations`,
    current: `${directory}/current`,
    initrds: `${directory}/initrds`,
  };
}

/** Pure names of one generation; nothing has to exist. */
export function generationPaths(state: BytePath, name: string, id: string): Generation {
  const directory = `${imagePaths(state, name).generations}/${id}`;
  return {
    id,
    directory,
    root: `${directory}/root`,
    kernel: `${directory}/vmlinuz`,
    manifestPath: `${directory}/manifest.json`,
  };
}

/**
 * Where the initramfs of a generation belongs: STATE/images/NAME/initrds/ID/initrd.img for its newest kernel, and
 * STATE/images/NAME/initrds/ID/RELEASE/initrd.img for a further one.
 * @param further release of a kernel that is not the newest.
 */
export function initrdPath(state: BytePath, name: string, id: string, further?: string): BytePath {
  const directory = `${imagePaths(state, name).initrds}/${id}`;
  return `${further === undefined ? directory : `${directory}/${further}`}/initrd.img`;
}

/** The generation that `current` points to, or undefined if the image was never built. */
export function currentGeneration(fs: ReadFileSystem, state: BytePath, name: string): Generation | undefined {
  const { current } = imagePaths(state, name);
  if (fs.lstat(current)?.kind !== 'symlink') return undefined;
  const target = fs.readlink(current);
  const id = target.slice(target.lastIndexOf('/') + 1);
  const generation = generationPaths(state, name, id);
  return fs.lstat(generation.manifestPath) === undefined ? undefined : generation;
}

/**
 * The current generation of an image.
 * @throws MkrootError with exit code NotFound if it was never built.
 */
export function openImage(fs: ReadFileSystem, state: BytePath, name: string): Generation {
  const generation = currentGeneration(fs, state, name);
  if (generation === undefined) {
    throw new MkrootError(`Cannot open the image "${name}": there is none in ${displayPath(state)}`, {
      exitCode: ExitCode.NotFound,
      hint: `Build it with: mkroot build ${name}${state === '/var/lib/mkroot' ? '' : ` --state ${displayPath(state)}`}`,
    });
  }
  return generation;
}

/**
 * The image that was built last, for commands that are given none: `mkroot build compute`, then `mkroot initrd --nic tg3`.
 * Undefined if nothing was ever built.
 */
export function lastBuiltImage(fs: ReadFileSystem, state: BytePath): string | undefined {
  const images = `${state}/images`;
  if (fs.lstat(images)?.kind !== 'directory') return undefined;
  return fs
    .readdir(images)
    .map((name) => ({ name, id: currentGeneration(fs, state, name)?.id ?? '' }))
    .filter(({ id }) => id !== '')
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    .at(-1)?.name;
}

/** Every published generation of an image, oldest first. */
export function listGenerations(fs: ReadFileSystem, state: BytePath, name: string): Generation[] {
  const { generations } = imagePaths(state, name);
  if (fs.lstat(generations)?.kind !== 'directory') return [];
  return fs
    .readdir(generations)
    .filter((id) => !id.startsWith('.'))
    .map((id) => generationPaths(state, name, id))
    .filter(({ manifestPath }) => fs.lstat(manifestPath) !== undefined);
}

/** When a generation was made, in milliseconds since the epoch, by its name, which begins with it; NaN for another name. */
export function generationTime(id: string): number {
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** The manifest of a generation. */
export function readManifest(fs: ReadFileSystem, generation: Generation): Manifest {
  const text = Buffer.from(fs.readFile(generation.manifestPath)).toString('utf8');
  return parseManifest(text, displayPath(generation.manifestPath));
}

/** Makes `current` point to a generation in one step: a new link beside it is renamed over it. */
export function makeCurrent(fs: FileSystem, state: BytePath, name: string, id: string): void {
  const { current } = imagePaths(state, name);
  const next = `${current}.new`;
  fs.remove(next);
  fs.symlink(`generations/${id}`, next);
  fs.rename(next, current);
}
