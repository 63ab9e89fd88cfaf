import { dirname, isAbsolute, resolve } from 'node:path';
import type { Compression } from '../../archive/compression.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { imageNameOf } from '../../images/image-name.js';
import {
  type Generation,
  initrdPath,
  lastBuiltImage,
  openImage,
  readManifest,
} from '../../images/image-store.js';
import type { Manifest } from '../../images/manifest.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import type { ExtraFile } from '../../stages/initrd/collect-files.js';
import type { Wanted } from '../../stages/initrd/wanted.js';
import { noRecipe, type RecipeInitrd, recipeInitrd } from './recipe-initrd.js';

/** What `mkroot initrd` was told on the command line. */
export interface InitrdOptions {
  readonly recipe?: string | undefined;
  readonly root?: string | undefined;
  readonly kernel?: string | undefined;
  readonly nic?: readonly string[] | undefined;
  readonly driver?: readonly string[] | undefined;
  readonly transport?: readonly string[] | undefined;
  readonly top?: readonly string[] | undefined;
  readonly program?: readonly string[] | undefined;
  readonly file?: readonly string[] | undefined;
  readonly compress?: Compression | undefined;
  readonly output?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly state: string;
}

/** Everything that decides about an initramfs, from the recipe and the options. */
export interface InitrdPlan {
  readonly root: BytePath;
  readonly kernel: string | undefined;
  readonly image: { readonly name: string; readonly generation: string } | undefined;
  /** Seconds since the epoch, for the clock of nodes whose battery is empty; undefined to take the kernel package's time. */
  readonly builtAt: number | undefined;
  readonly nics: readonly Wanted[];
  readonly drivers: readonly Wanted[];
  /** Ways of getting a root besides NFS, which is always there. */
  readonly transports: readonly Wanted[];
  /** Writable tops besides memory. */
  readonly tops: readonly Wanted[];
  readonly programs: readonly Wanted[];
  readonly files: readonly ExtraFile[];
  readonly compression: Compression;
  /** undefined: in the current directory, named after the kernel. */
  readonly output: BytePath | undefined;
  readonly strict: boolean;
  /** Drivers that this kernel lacks are left out with a warning: another kernel of the image has them. */
  readonly lenient: boolean;
}

/**
 * Joins the image's recipe and the options into plans; options add to lists and replace single values. There is one plan for
 * each kernel of an image, the newest first, and a single one if a kernel or an output is named. Without an image and a root,
 * the image that was built last is meant.
 * @throws MkrootError Usage if both are named, or none was ever built, or there is no network driver at all; NotFound if the output's
 *   directory is not there.
 */
export function planInitrds(fs: ReadFileSystem, options: InitrdOptions): [InitrdPlan, ...InitrdPlan[]] {
  const plans = options.root === undefined ? planForImage(fs, options) : planForRoot(fs, options);
  if (plans[0].nics.length === 0) {
    throw new MkrootError('Cannot make an initramfs without a network driver: no --nic was given', {
      exitCode: ExitCode.Usage,
      hint: "Name the nodes' driver or PCI id, as in --nic tg3 or --nic 14e4:1657 (lspci -nn shows it), or put it into the recipe: initrd: {nic: [tg3]}.",
    });
  }
  return plans;
}

function planForRoot(fs: ReadFileSystem, options: InitrdOptions): [InitrdPlan] {
  if (options.recipe !== undefined) {
    throw new MkrootError(
      `Cannot use --root together with the image "${options.recipe}": one of them is enough`,
      {
        exitCode: ExitCode.Usage,
        hint: 'Leave one of them out.',
      },
    );
  }
  return [
    {
      root: toBytePath(resolve(options.root!)).replace(/\/+$/, ''),
      image: undefined,
      builtAt: undefined,
      kernel: options.kernel,
      ...fromOptions(options, noRecipe),
      output: options.output === undefined ? undefined : outputOption(fs, options.output),
      lenient: false,
    },
  ];
}

function planForImage(fs: ReadFileSystem, options: InitrdOptions): [InitrdPlan, ...InitrdPlan[]] {
  const state = toBytePath(resolve(options.state));
  const image = options.recipe === undefined ? lastBuiltImage(fs, state) : imageNameOf(options.recipe);
  if (image === undefined) {
    throw new MkrootError(
      `Cannot make an initramfs: no image was named, and none was built in ${displayPath(state)}`,
      {
        exitCode: ExitCode.Usage,
        hint: 'Build one first: mkroot build compute. For any root directory: mkroot initrd --root DIR --nic tg3.',
      },
    );
  }
  const generation = openImage(fs, state, image);
  const manifest = readManifest(fs, generation);
  const [newest, ...further] = manifest.kernels.map(({ release }) => release);
  const planFor = (release: string | undefined, lenient: boolean): InitrdPlan => ({
    root: generation.root,
    image: { name: manifest.name, generation: generation.id },
    builtAt: Math.floor(Date.parse(manifest.createdAt) / 1000),
    kernel: release,
    ...fromOptions(options, recipeInitrd(manifest)),
    output:
      options.output === undefined
        ? defaultOutput(state, manifest, generation, release)
        : outputOption(fs, options.output),
    lenient,
  });
  if (options.kernel !== undefined) return [planFor(options.kernel, false)];
  if (options.output !== undefined || further.length === 0) return [planFor(newest, false)];
  return [planFor(newest, true), ...further.map((release) => planFor(release, true))];
}

/** A directory that is not there is a mistyped one, and nobody would look for the initramfs in it. */
function outputOption(fs: ReadFileSystem, output: string): BytePath {
  const path = resolve(output);
  const directory = toBytePath(dirname(path));
  if (fs.lstat(directory) !== undefined) return toBytePath(path);
  throw new MkrootError(
    `Cannot write the initrd to "${output}": there is no directory "${displayPath(directory)}"`,
    { exitCode: ExitCode.NotFound, hint: 'Make it first, or name another place by --output.' },
  );
}

/** A kernel that the image does not have is left to the one who opens it, who knows what there is. */
function defaultOutput(
  state: BytePath,
  { name, kernels }: Manifest,
  generation: Generation,
  release: string | undefined,
): BytePath {
  const isFurther = kernels.slice(1).some((kernel) => kernel.release === release);
  return initrdPath(state, name, generation.id, isFurther ? release : undefined);
}

/** Programs of the root that a writable top takes: an ext4 is checked before it is mounted. */
const TOP_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  disk: ['/usr/sbin/e2fsck'],
  image: ['/usr/sbin/e2fsck'],
  partitions: ['/usr/sbin/e2fsck', '/usr/sbin/mkfs.ext4', '/usr/sbin/sfdisk'],
  unionfs: ['/usr/bin/unionfs'],
};

/** Absolute paths in the root; none for a kind of top that takes none. */
export function topPrograms(top: string): readonly string[] {
  return TOP_PROGRAMS[top] ?? [];
}

function fromOptions(options: InitrdOptions, recipe: RecipeInitrd) {
  const tops = [...recipe.tops, ...wanted('--top', options.top)];
  return {
    nics: [...recipe.nics, ...wanted('--nic', options.nic)],
    drivers: [...recipe.drivers, ...wanted('--driver', options.driver)],
    transports: [...recipe.transports, ...wanted('--transport', options.transport)].filter(
      ({ value }) => value !== 'nfs',
    ),
    tops,
    programs: [
      ...recipe.programs,
      ...wanted('--program', options.program),
      ...tops.flatMap(({ value: top, reason }) => topPrograms(top).map((value) => ({ value, reason }))),
    ],
    files: [...recipe.files, ...(options.file ?? []).map(fileOption)],
    compression: options.compress ?? recipe.compression,
    strict: options.strict ?? false,
  };
}

function wanted(option: string, values: readonly string[] = []): Wanted[] {
  return values.map((value) => ({ value, reason: { kind: 'option', option: `${option} ${value}` } }));
}

function fileOption(text: string): ExtraFile {
  const colon = text.lastIndexOf(':');
  const destination = text.slice(colon + 1);
  if (colon <= 0 || !isAbsolute(destination)) {
    throw new MkrootError(`Cannot use --file "${text}": it is not SRC:DST with an absolute DST`, {
      exitCode: ExitCode.Usage,
      hint: 'For example: --file ./motd:/etc/motd',
    });
  }
  return {
    source: toBytePath(resolve(text.slice(0, colon))),
    destination: toBytePath(destination),
    reason: { kind: 'option', option: `--file ${text}` },
  };
}
