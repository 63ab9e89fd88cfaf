import type { Stage } from '../../engine/stage.js';
import type { Ports } from '../../ports/ports.js';
import type { ProcessRunner } from '../../ports/process-runner.js';
import type { DebianArchitecture } from '../../recipe/debian-architecture.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { InstalledPackage } from '../../rootfs/dpkg-status.js';
import type { Sysroot } from '../../rootfs/sysroot.js';
import type { BuildEnvironment } from './build-environment.js';

/** What a backend makes its stages for. */
export interface BackendRequest {
  readonly environment: BuildEnvironment;
  readonly hostArchitecture: DebianArchitecture;
  /** To see which of its programs the host has. */
  readonly runner: ProcessRunner;
  /** The program that the user wants, of several that do the same. */
  readonly program?: string;
}

/** What a package system does for one recipe. Everything else about a build is the same for all of them. */
export interface RootBackend {
  /**
   * The first stages of the build: they leave a root with the recipe's packages and with those of its kernels that are
   * packages. The first one makes a whole tree (see root-layers.ts).
   */
  stages(request: BackendRequest): Stage[];
  /**
   * What is installed in the root, for the manifest; sorted by name, then architecture.
   * @param scratch a directory that may be made, and is removed.
   */
  installed(
    ports: Ports,
    sysroot: Sysroot,
    scratch: string,
  ): Promise<readonly InstalledPackage[]> | readonly InstalledPackage[];
}

/** A backend as the table of src/pipelines/root/root-backends.ts has it: undefined for a recipe of another package system. */
export type BackendFor = (recipe: Recipe) => RootBackend | undefined;
