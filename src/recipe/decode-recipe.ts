import type { z } from 'zod';
import { parseYaml } from '../decode/parse-yaml.js';
import type { Position } from '../decode/position.js';
import { type Problem, problemReport } from '../decode/problem.js';
import { schemaProblems } from '../decode/schema-problems.js';
import { checkRecipe } from './check-recipe.js';
import { architectureOfMachine, type DebianArchitecture } from './debian-architecture.js';
import { packageSystemOf } from './package-systems.js';
import { type KernelSource, type Recipe, recipeSchema } from './recipe.js';
import { recipeJsonSchema } from './recipe-json-schema.js';

/** What decoding needs to know from outside the text. */
export interface DecodeContext {
  /** The file's name as the user knows it, for messages. */
  readonly file: string;
  /** Architecture of a recipe that names none. */
  readonly hostArchitecture: DebianArchitecture;
  /** Whether a host path of the recipe, relative to the recipe's directory or absolute, leads to something. */
  exists(path: string): boolean;
}

/** A recipe and where each of its values stands. */
export interface DecodedRecipe {
  readonly recipe: Recipe;
  /** Places by path, such as `packages[3]` or `initrd.nic[0]`: the answer to "which line asked for this?". */
  readonly positions: ReadonlyMap<string, Position>;
}

/**
 * Decodes the text of a recipe.
 * @throws MkrootError (InvalidInput) whose details list every problem as `file:line:column: what`, in the order of the file.
 */
export function decodeRecipe(text: string, context: DecodeContext): DecodedRecipe {
  const { file, hostArchitecture } = context;
  const yaml = parseYaml(text, file, { textFields: ['mode'] });
  const decoded = recipeSchema.safeParse(yaml.value);
  const problems: Problem[] = [
    ...yaml.problems,
    // In a document that is not YAML, what else seems to be wrong only hides the cause.
    ...(yaml.wellFormed
      ? [
          ...(decoded.success
            ? []
            : schemaProblems(decoded.error.issues, {
                yaml,
                schema: recipeJsonSchema,
                whole: 'the recipe',
                meant: debianName,
              })),
          ...checkRecipe(yaml, (path) => context.exists(path)),
        ]
      : []),
  ];
  if (problems.length > 0 || !decoded.success) {
    const hint = 'Every field is explained in docs/recipe-reference.md.';
    throw problemReport({ what: 'recipe', file, hint }, problems);
  }
  return { recipe: withDefaults(decoded.data, hostArchitecture), positions: yaml.positions() };
}

/** Fills in what depends on other fields. Of the two parts that recipes may have, checkRecipe has asked for the right one. */
function withDefaults(decoded: z.output<typeof recipeSchema>, hostArchitecture: DebianArchitecture): Recipe {
  const { architecture = hostArchitecture, kernel, distribution, rpm, ...rest } = decoded;
  const { suite, variant, mirror, components, sources, keyring, ...common } = rest;
  const kernels = kernelSources(kernel, packageSystemOf(distribution)!.kernelPackage(architecture));
  if (distribution === 'debian') {
    return {
      ...common,
      ...{ suite: suite!, variant, mirror, components, sources, keyring },
      distribution,
      architecture,
      kernels,
    };
  }
  return { ...common, distribution, rpm: rpm!, architecture, kernels };
}

/** That image and modules come together has been checked. */
function kernelSources(
  kernel: z.output<typeof recipeSchema>['kernel'],
  byDefault: string,
): readonly KernelSource[] {
  const all = Array.isArray(kernel) ? kernel : [kernel];
  return all.map(({ package: name = byDefault, file, image, modules }): KernelSource => {
    if (file !== undefined) return { kind: 'file', file };
    if (image !== undefined && modules !== undefined) return { kind: 'tree', image, modules };
    return { kind: 'package', package: name };
  });
}

/** `x86_64` and `aarch64` are what other distributions and `uname -m` say. */
function debianName([field]: readonly (string | number)[], value: unknown): string | undefined {
  const name = field === 'architecture' ? architectureOfMachine(String(value)) : undefined;
  return name === undefined ? undefined : `; Debian calls it "${name}"`;
}
