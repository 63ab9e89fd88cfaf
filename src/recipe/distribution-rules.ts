import { pathText, type ValuePath } from '../decode/position.js';
import { DEBIAN_FIELDS } from './recipe.js';
import { isRpmSpec, RPM_DISTRIBUTIONS } from './rpm-recipe.js';

/** Something in a recipe that does not fit its distribution. */
export interface DistributionProblem {
  readonly path: ValuePath;
  readonly message: string;
}

/** Debian Policy 5.6.7; with an optional `=version`, `/suite` or `:arch` as apt-get(8) takes it. */
const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9.+-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$/;

/**
 * What each distribution needs and what it cannot have: fields of the other package system, names that its tools do not
 * take. Works on the raw document; a distribution that is none is the schema's business.
 */
export function distributionProblems(document: unknown): DistributionProblem[] {
  if (typeof document !== 'object' || document === null) return [];
  const recipe = document as Record<string, unknown>;
  const { distribution } = recipe;
  if (distribution === 'debian') {
    return [
      ...missing(recipe, 'suite', distribution),
      ...foreign(recipe, ['rpm'], distribution),
      ...badPackages(recipe, 'a Debian package name', (name) => DEBIAN_PACKAGE.test(name)),
    ];
  }
  if (!RPM_DISTRIBUTIONS.some((name) => name === distribution)) return [];
  return [
    ...missing(recipe, 'rpm', String(distribution)),
    ...foreign(recipe, DEBIAN_FIELDS, String(distribution)),
    ...badPackages(recipe, 'a package, group or file that dnf can install', isRpmSpec),
  ];
}

function missing(
  recipe: Record<string, unknown>,
  field: string,
  distribution: string,
): DistributionProblem[] {
  if (Object.hasOwn(recipe, field)) return [];
  return [
    { path: ['distribution'], message: `${field} is missing; distribution "${distribution}" needs it` },
  ];
}

function foreign(
  recipe: Record<string, unknown>,
  fields: readonly string[],
  distribution: string,
): DistributionProblem[] {
  return fields
    .filter((field) => Object.hasOwn(recipe, field))
    .map((field) => ({
      path: [field],
      message: `${field} is nothing that distribution "${distribution}" has`,
    }));
}

function badPackages(
  { packages, kernel }: Record<string, unknown>,
  what: string,
  accepts: (name: string) => boolean,
): DistributionProblem[] {
  const named: [ValuePath, unknown][] = [
    ...(Array.isArray(packages) ? packages : []).map((name, index): [ValuePath, unknown] => [
      ['packages', index],
      name,
    ]),
    ...(typeof kernel === 'object' && kernel !== null && 'package' in kernel
      ? [[['kernel', 'package'], kernel.package] as [ValuePath, unknown]]
      : []),
  ];
  return named.flatMap(([path, name]) => {
    if (typeof name !== 'string' || name === '' || accepts(name)) return [];
    return [{ path, message: `${pathText(path)} ${JSON.stringify(name)} is not ${what}` }];
  });
}
