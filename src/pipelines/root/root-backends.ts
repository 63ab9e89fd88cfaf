import { ExitCode, MkrootError } from '../../errors.js';
import type { PackageSystemName } from '../../recipe/package-systems.js';
import type { Recipe } from '../../recipe/recipe.js';
import { aptBackend } from '../../stages/root/apt-backend.js';
import { dnfBackend } from '../../stages/root/dnf-backend.js';
import type { BackendFor, RootBackend } from '../../stages/root/root-backend.js';
import { zypperBackend } from '../../stages/root/zypper-backend.js';

/** Every package system that recipes may name, and what does its work; see docs/adding-a-backend.md. */
export const BACKENDS: Readonly<Record<PackageSystemName, BackendFor>> = {
  apt: aptBackend,
  dnf: dnfBackend,
  zypper: zypperBackend,
};

/** The backend that makes a recipe's root. */
export function backendOf(
  recipe: Recipe,
  backends: Readonly<Record<string, BackendFor>> = BACKENDS,
): RootBackend {
  for (const backendFor of Object.values(backends)) {
    const backend = backendFor(recipe);
    if (backend !== undefined) return backend;
  }
  throw new MkrootError(`Cannot build "${recipe.name}": no backend makes roots of ${recipe.distribution}`, {
    exitCode: ExitCode.Internal,
  });
}
