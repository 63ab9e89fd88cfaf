import { suggestion } from '../decode/nearest-name.js';
import { ExitCode, MkrootError } from '../errors.js';
import {
  type Generation,
  initrdPath,
  listGenerations,
  openImage,
  readManifest,
} from '../images/image-store.js';
import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/** What `mkroot build` and `mkroot initrd` published under one name. */
export interface PublishedImage {
  readonly name: string;
  readonly generation: string;
  readonly root: BytePath;
  readonly kernel: BytePath;
  readonly initrd: BytePath;
  /** By its Debian name; absent if the manifest does not tell. */
  readonly architecture?: string;
}

/**
 * Finds a generation of an image, by default the current one, and the initrd that belongs to it.
 * @throws MkrootError with exit code NotFound that says which command makes what is missing.
 */
export function findPublishedImage(
  fs: ReadFileSystem,
  state: BytePath,
  name: string,
  generation?: string,
): PublishedImage {
  const published =
    generation === undefined ? openImage(fs, state, name) : openGeneration(fs, state, name, generation);
  const { id, root, kernel } = published;
  const initrd = initrdPath(state, name, id);
  if (fs.lstat(initrd) === undefined) {
    throw new MkrootError(`Cannot boot "${name}": its generation ${id} has no initrd`, {
      exitCode: ExitCode.NotFound,
      hint: `Make it first: mkroot initrd ${name}`,
    });
  }
  const architecture = architectureOf(fs, published);
  return {
    name,
    generation: id,
    root,
    kernel,
    initrd,
    ...(architecture === undefined ? {} : { architecture }),
  };
}

/** A generation that boots is served, even if what is written about it cannot be read any more. */
function architectureOf(fs: ReadFileSystem, generation: Generation): string | undefined {
  try {
    return readManifest(fs, generation).architecture;
  } catch (error) {
    if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) return undefined;
    throw error;
  }
}

/**
 * One generation of an image by its id.
 * @throws MkrootError NotFound with those that are there.
 */
export function openGeneration(fs: ReadFileSystem, state: BytePath, name: string, id: string): Generation {
  const all = listGenerations(fs, state, name);
  const found = all.find((generation) => generation.id === id);
  if (found !== undefined) return found;
  const ids = all.map((generation) => generation.id);
  const known = ids.length === 0 ? 'there is none' : `there are ${ids.slice(-5).join(', ')}`;
  throw new MkrootError(`Cannot find generation "${id}" of "${name}": ${known}${suggestion(id, ids)}`, {
    exitCode: ExitCode.NotFound,
  });
}
