import { ExitCode, MkrootError } from '../errors.js';
import { checkRecipe } from './check-recipe.js';
import { type DebianArchitecture, defaultKernelPackage } from './debian-architecture.js';
import { parseYaml } from './parse-yaml.js';
import { type Position, type Problem, positionText } from './position.js';
import { type Recipe, recipeSchema } from './recipe.js';
import { schemaProblems } from './schema-problems.js';

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
  const yaml = parseYaml(text, file);
  const decoded = recipeSchema.safeParse(yaml.value);
  const problems: Problem[] = [
    ...yaml.problems,
    // In a document that is not YAML, what else seems to be wrong only hides the cause.
    ...(yaml.wellFormed
      ? [
          ...(decoded.success ? [] : schemaProblems(decoded.error.issues, yaml)),
          ...checkRecipe(yaml, (path) => context.exists(path)),
        ]
      : []),
  ];
  if (problems.length > 0 || !decoded.success) throw badRecipe(file, problems);
  const { architecture = hostArchitecture, kernel, ...recipe } = decoded.data;
  return {
    recipe: {
      ...recipe,
      architecture,
      kernel: { package: kernel.package ?? defaultKernelPackage(architecture) },
    },
    positions: yaml.positions,
  };
}

function badRecipe(file: string, problems: readonly Problem[]): MkrootError {
  const sorted = [...problems].sort(
    ({ position: a }, { position: b }) => a.line - b.line || a.column - b.column,
  );
  return new MkrootError(
    `Cannot use recipe "${file}": ${problems.length === 1 ? 'it has a problem' : `it has ${problems.length} problems`}`,
    {
      exitCode: ExitCode.InvalidInput,
      details: sorted.map(({ position, message }) => `  ${positionText(position)}: ${message}`),
      hint: 'Every field is explained in docs/recipe-reference.md.',
    },
  );
}
