import { ExitCode, MkrootError } from '../errors.js';

/** Version of the layout of manifest.json; a reader refuses another one. */
export const MANIFEST_FORMAT = 1;

/** Anything that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** How one stage of a build came to its result. */
export interface ManifestStage {
  readonly name: string;
  /** sha256 in hex over everything that the stage's result depends on. */
  readonly key: string;
  /** When the result was made (ISO 8601, UTC); earlier than the generation if it came from the cache. */
  readonly finishedAt: string;
  /** How long making it took, in milliseconds of wall time. */
  readonly durationMs: number;
  /** True if this build took the result from the cache. */
  readonly cached: boolean;
}

/** A package as dpkg or rpm knows it. */
export interface ManifestPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** A kernel of the root. */
export interface ManifestKernel {
  /** As `uname -r` prints it, and as its directory below /lib/modules is called. */
  readonly release: string;
  /** Absolute path of the bootable image inside the root. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** What a generation is made of and how it was made: `manifest.json` beside its root. */
export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  /** Name of the image, as in the recipe. */
  readonly name: string;
  /** Name of the generation's directory. */
  readonly generation: string;
  /** Key of the last stage: two generations with the same key have the same contents. */
  readonly key: string;
  /** When it was published (ISO 8601, UTC). */
  readonly createdAt: string;
  /** Version of mkroot that made it. */
  readonly mkroot: string;
  /** Machine architecture by its Debian name. */
  readonly architecture: string;
  /** The decoded recipe, defaults filled in, with paths as they stand in it. */
  readonly recipe: JsonValue;
  /** Absolute path of the recipe file. */
  readonly recipePath: string;
  /** Where the values below `initrd` stand in the recipe file, by their path (`initrd.nic[0]`): line, counted from 1. */
  readonly recipeLines?: Readonly<Record<string, number>>;
  readonly stages: readonly ManifestStage[];
  /** Sorted by name, then architecture. */
  readonly packages: readonly ManifestPackage[];
  /** Newest first; the first one is the generation's `vmlinuz`. */
  readonly kernels: readonly ManifestKernel[];
  /** Name and version of each tool that took part. */
  readonly tools: Readonly<Record<string, string>>;
  readonly sizes: {
    /** Sum of the sizes of all regular files of the root, each inode once, in bytes. */
    readonly rootBytes: number;
    /** Number of files, directories, links and other entries of the root. */
    readonly rootEntries: number;
  };
  /** sha256 in hex of each further file of the generation, by its name beside the manifest. */
  readonly digests: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest.
 * @param path is named in errors.
 * @throws MkrootError with exit code InvalidInput if it is not one, or of another format.
 */
export function parseManifest(text: string, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAManifest(path, 'it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || !('format' in value)) {
    throw notAManifest(path, 'it has no format number');
  }
  if (value.format !== MANIFEST_FORMAT) {
    throw notAManifest(path, `its format is ${String(value.format)}, this mkroot reads ${MANIFEST_FORMAT}`);
  }
  const missing = FIELDS.find((field) => !(field in value));
  if (missing !== undefined) throw notAManifest(path, `it has no "${missing}"`);
  return value as Manifest;
}

const FIELDS = [
  'name',
  'generation',
  'key',
  'createdAt',
  'mkroot',
  'architecture',
  'recipe',
  'recipePath',
  'stages',
  'packages',
  'kernels',
  'tools',
  'sizes',
  'digests',
] as const satisfies readonly (keyof Manifest)[];

function notAManifest(path: string, what: string, cause?: unknown): MkrootError {
  return new MkrootError(`Cannot read the manifest "${path}": ${what}`, {
    exitCode: ExitCode.InvalidInput,
    hint: 'Build the image again: mkroot build NAME',
    ...(cause === undefined ? {} : { cause }),
  });
}
