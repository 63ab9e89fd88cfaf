import { installs } from '../../recipe/package-systems.js';
import type { Recipe } from '../../recipe/recipe.js';
import { installedPackages } from '../../rootfs/dpkg-status.js';
import { bootstrapDebian } from './bootstrap-debian.js';
import { installPackages } from './install-packages.js';
import type { RootBackend } from './root-backend.js';

/** Debian: mmdebstrap or debootstrap makes the first tree, the root's own apt installs the rest. */
export function aptBackend(recipe: Recipe): RootBackend | undefined {
  if (!('suite' in recipe) || !installs('apt', recipe.distribution)) return undefined;
  return {
    stages: ({ environment, hostArchitecture, runner, program }) => {
      const isThere = runner.which('mmdebstrap') !== undefined;
      const bootstrap =
        program === 'debootstrap' || (program === undefined && !isThere) ? 'debootstrap' : 'mmdebstrap';
      return [
        bootstrapDebian(recipe, bootstrap, environment, hostArchitecture),
        installPackages(recipe, environment),
      ];
    },
    installed: (_ports, sysroot) => installedPackages(sysroot),
  };
}
