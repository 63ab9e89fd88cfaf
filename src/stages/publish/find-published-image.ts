import { suggestion } from '../../decode/nearest-name.js';
import { ExitCode, MkrootError } from '../../errors.js';
import {
  type Generation,
  initrdPath,
  listGenerations,
  openImage,
  readManifest,
} from '../../images/image-store.js';
import type { Manifest, ManifestKernel } from '../../images/manifest.js';
import {
  findRootImage,
  ROOT_IMAGE_FORMATS,
  type RootImage,
  type RootImageFormat,
} from '../../images/root-image.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { isWildcard, matchesWildcard } from '../../rootfs/wildcard.js';

/** What `mkroot build` and `mkroot initrd` published under one name. */
export interface PublishedImage {
  readonly name: string;
  readonly generation: string;
  readonly root: BytePath;
  readonly kernel: BytePath;
  readonly initrd: BytePath;
  /** The image's own initrd, where {@link initrd} is one with further drivers; that one may have to be made yet. */
  readonly ownInitrd?: BytePath;
  /** Release of the kernel if it is not the newest of the generation, which is served without its release in the path. */
  readonly further?: string;
  /** The root as one file, by file systems; what `mkroot squash` never made is absent. */
  readonly files: Partial<Readonly<Record<RootImageFormat, RootImage>>>;
  /** By its Debian name; absent if the manifest does not tell. */
  readonly architecture?: string;
}

/** Which generation of an image, and which of its kernels. */
export interface ImageChoice {
  /** The current one by default. */
  readonly generation?: string;
  /** A release (`uname -r`) or a glob over releases, of which the newest is taken; by default the newest of all. */
  readonly kernel?: string;
}

/**
 * Finds a generation of an image and one of its kernels with the initrd that belongs to it.
 * @throws MkrootError with exit code NotFound that says which command makes what is missing, or which kernels there are.
 */
export function findPublishedImage(
  fs: ReadFileSystem,
  state: BytePath,
  name: string,
  { generation, kernel }: ImageChoice = {},
): PublishedImage {
  const published =
    generation === undefined ? openImage(fs, state, name) : openGeneration(fs, state, name, generation);
  const { id, root } = published;
  const manifest = manifestOf(fs, published);
  const chosen = kernel === undefined ? undefined : chooseKernel(manifest, { name, id, kernel });
  const further = chosen === manifest?.kernels[0] ? undefined : chosen;
  const initrd = initrdPath(state, name, id, further?.release);
  if (fs.lstat(initrd) === undefined) {
    const which = further === undefined ? '' : ` for kernel ${further.release}`;
    throw new MkrootError(`Cannot boot "${name}": its generation ${id} has no initrd${which}`, {
      exitCode: ExitCode.NotFound,
      hint: `Make it first: mkroot initrd ${name}${further === undefined ? '' : ` --kernel ${further.release}`}`,
    });
  }
  return {
    name,
    generation: id,
    root,
    kernel: further === undefined ? published.kernel : `${root}${further.path}`,
    initrd,
    ...(further === undefined ? {} : { further: further.release }),
    ...(manifest === undefined ? {} : { architecture: manifest.architecture }),
    files: Object.fromEntries(
      ROOT_IMAGE_FORMATS.flatMap((format) => {
        const file = findRootImage(fs, published, format);
        return file === undefined ? [] : [[format, file]];
      }),
    ),
  };
}

/**
 * The newest kernel of a generation that is meant.
 * @throws MkrootError NotFound with those that there are.
 */
export function chooseKernel(
  manifest: Manifest | undefined,
  { name, id, kernel }: { readonly name: string; readonly id: string; readonly kernel: string },
): ManifestKernel {
  const kernels = manifest?.kernels ?? [];
  const chosen = kernels.find(({ release }) => release === kernel || matchesWildcard(kernel, release));
  if (chosen !== undefined) return chosen;
  const releases = kernels.map(({ release }) => release);
  const known = releases.length === 0 ? 'it does not say which it has' : `it has ${releases.join(', ')}`;
  throw new MkrootError(
    `Cannot boot "${name}" with kernel "${kernel}": generation ${id} has no such kernel, ${known}${isWildcard(kernel) ? '' : suggestion(kernel, releases)}`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'A release is what `uname -r` prints; a glob such as 6.12.* will do. Kernels of an image are those of its recipe.',
    },
  );
}

/** A generation that boots is served, even if what is written about it cannot be read any more. */
function manifestOf(fs: ReadFileSystem, generation: Generation): Manifest | undefined {
  try {
    return readManifest(fs, generation);
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
