import { pathText, type ValuePath } from '../decode/position.js';
import { PACKAGE_SYSTEMS, type PackageSystem, packageSystemOf } from './package-systems.js';

/** Something in a recipe that does not fit its distribution. */
export interface DistributionProblem {
  readonly path: ValuePath;
  readonly message: string;
}

/**
 * What each distribution needs and what it cannot have: fields of another package system, names that its tools do not
 * take. Works on the raw document; a distribution that is none is the schema's business.
 */
export function distributionProblems(document: unknown): DistributionProblem[] {
  if (!isMapping(document)) return [];
  const { distribution } = document;
  const system = packageSystemOf(distribution);
  if (system === undefined) return [];
  return [
    ...missing(document, system.required, String(distribution)),
    ...foreign(document, system, String(distribution)),
    ...badPackages(document, system),
    ...badKernelFiles(document, system),
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

/** Fields that only other systems have, and parts of its own that mean nothing to it. */
function foreign(
  recipe: Record<string, unknown>,
  { fields, without }: PackageSystem,
  distribution: string,
): DistributionProblem[] {
  const others = new Set(Object.values<PackageSystem>(PACKAGE_SYSTEMS).flatMap((system) => system.fields));
  return [...[...others].filter((field) => !fields.includes(field)), ...without]
    .flatMap((field) => places(recipe, field.split('.')))
    .map((path) => ({
      path,
      message: `${pathText(path)} is nothing that distribution "${distribution}" has`,
    }));
}

/** Where a field stands; every entry of a list is looked into. */
function places(value: unknown, [first, ...rest]: readonly string[], above: ValuePath = []): ValuePath[] {
  if (first === undefined) return [above];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => places(item, [first, ...rest], [...above, index]));
  }
  return isMapping(value) && Object.hasOwn(value, first) ? places(value[first], rest, [...above, first]) : [];
}

function badPackages(
  recipe: Record<string, unknown>,
  { packageName: { what, accepts } }: PackageSystem,
): DistributionProblem[] {
  const { packages } = recipe;
  const named: [ValuePath, unknown][] = [
    ...(Array.isArray(packages) ? packages : []).map((name, index): [ValuePath, unknown] => [
      ['packages', index],
      name,
    ]),
    ...kernels(recipe).map(([path, kernel]): [ValuePath, unknown] => [
      [...path, 'package'],
      kernel['package'],
    ]),
  ];
  return named.flatMap(([path, name]) => {
    if (typeof name !== 'string' || name === '' || accepts(name)) return [];
    return [{ path, message: `${pathText(path)} ${JSON.stringify(name)} is not ${what}` }];
  });
}

function badKernelFiles(
  recipe: Record<string, unknown>,
  { packageFile }: PackageSystem,
): DistributionProblem[] {
  return kernels(recipe).flatMap(([above, { file }]) => {
    if (typeof file !== 'string' || file.endsWith(packageFile)) return [];
    const path = [...above, 'file'];
    return [
      { path, message: `${pathText(path)} ${JSON.stringify(file)} is no package file (${packageFile})` },
    ];
  });
}

/** The recipe's kernels, which may be one or a list, and where each stands. */
export function kernels(document: unknown): [ValuePath, Record<string, unknown>][] {
  const kernel = isMapping(document) ? document['kernel'] : undefined;
  const all: [ValuePath, unknown][] = Array.isArray(kernel)
    ? kernel.map((one: unknown, index): [ValuePath, unknown] => [['kernel', index], one])
    : [[['kernel'], kernel]];
  return all.flatMap(([path, one]): [ValuePath, Record<string, unknown>][] =>
    isMapping(one) ? [[path, one]] : [],
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
