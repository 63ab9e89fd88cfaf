import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { suggestion } from '../decode/nearest-name.js';
import { positionText } from '../decode/position.js';
import { readText } from '../decode/read-text.js';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, toBytePath } from '../ports/byte-path.js';
import { describeKind, type ReadFileSystem } from '../ports/file-system.js';
import type { DebianArchitecture } from './debian-architecture.js';
import { type DecodedRecipe, decodeRecipe } from './decode-recipe.js';

/** Where recipes are looked for, and what a recipe may leave open. */
export interface RecipeSearch {
  /** Directory that relative file names start from. */
  readonly workingDirectory: string;
  /** Directories of recipes, the most important first. */
  readonly directories: readonly string[];
  readonly hostArchitecture: DebianArchitecture;
}

/** A recipe from a file. */
export interface LoadedRecipe extends DecodedRecipe {
  /** Absolute path of the file. */
  readonly file: string;
  /** Absolute path of the file's directory; paths in the recipe are relative to it. */
  readonly directory: string;
}

/** A recipe that can be asked for by name. */
export interface ListedRecipe {
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** Absolute path of a file beside it that has the same name and counts for nothing: NAME.yml beside NAME.yaml. */
  readonly passedOver?: string;
}

/**
 * Loads a recipe by name (`compute`: recipes/compute.yaml, here first, then mkroot's own) or by file (anything with a
 * slash or ending in .yaml or .yml).
 * @throws MkrootError NotFound with the nearest name and the list; InvalidInput with every problem of the recipe.
 */
export function loadRecipe(fs: ReadFileSystem, nameOrFile: string, search: RecipeSearch): LoadedRecipe {
  const file = isRecipeFile(nameOrFile)
    ? resolve(search.workingDirectory, nameOrFile)
    : listRecipes(fs, search.directories).find(({ name }) => name === nameOrFile)?.file;
  if (file === undefined || !isFile(fs, file)) throw unknownRecipe(fs, nameOrFile, search);
  const directory = dirname(file);
  const decoded = decodeRecipe(readText(fs, 'recipe', file), {
    file: shortName(file, search.workingDirectory),
    hostArchitecture: search.hostArchitecture,
    exists: (path) => fs.lstat(recipePath({ directory }, path)) !== undefined,
  });
  requireNameOfFile(decoded, file);
  return { ...decoded, file, directory };
}

/** Every later command finds the image by the name that it was built by. */
function requireNameOfFile({ recipe, positions }: DecodedRecipe, file: string): void {
  const stem = basename(file).replace(/\.ya?ml$/, '');
  const position = positions.get('name');
  if (recipe.name === stem || position === undefined) return;
  throw new MkrootError(`Cannot use recipe "${position.file}": its name and the name of its file differ`, {
    details: [`  ${positionText(position)}: name "${recipe.name}", file "${basename(file)}"`],
    hint: `Write name: ${stem}, or rename the file to ${recipe.name}.yaml.`,
  });
}

/** Recipes by name, in alphabetical order; one in an earlier directory hides one of the same name in a later. */
export function listRecipes(fs: ReadFileSystem, directories: readonly string[]): ListedRecipe[] {
  const found = new Map<string, ListedRecipe>();
  for (const directory of directories) {
    if (fs.lstat(toBytePath(directory)) === undefined) continue;
    for (const entry of fs.readdir(toBytePath(directory))) {
      const name = /^([\w.-]+)\.ya?ml$/.exec(entry)?.[1];
      if (name === undefined) continue;
      const file = join(directory, entry);
      const known = found.get(name);
      if (known === undefined) found.set(name, { name, file });
      else if (dirname(known.file) === directory) found.set(name, { ...known, passedOver: file });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A host path that a recipe names, made absolute. */
export function recipePath({ directory }: { readonly directory: string }, path: string): BytePath {
  return toBytePath(isAbsolute(path) ? path : join(directory, path));
}

/** Whether a recipe is named by its file, not by its name. */
export function isRecipeFile(nameOrFile: string): boolean {
  return nameOrFile.includes('/') || /\.ya?ml$/.test(nameOrFile);
}

function isFile(fs: ReadFileSystem, file: string): boolean {
  const kind = fs.lstat(toBytePath(file))?.kind;
  return kind === 'file' || kind === 'symlink';
}

/** As the user would type it, where that is shorter. */
function shortName(file: string, workingDirectory: string): string {
  return file.startsWith(`${workingDirectory}/`) ? file.slice(workingDirectory.length + 1) : file;
}

function unknownRecipe(fs: ReadFileSystem, nameOrFile: string, search: RecipeSearch): MkrootError {
  if (isRecipeFile(nameOrFile)) {
    const kind = fs.lstat(toBytePath(resolve(search.workingDirectory, nameOrFile)))?.kind;
    const what = kind === undefined ? 'there is no such file' : `it is a ${describeKind(kind)}`;
    return new MkrootError(`Cannot find recipe "${nameOrFile}": ${what}`, {
      exitCode: ExitCode.NotFound,
      hint: 'Name a recipe file, or a recipe that `mkroot recipe list` shows.',
    });
  }
  const names = listRecipes(fs, search.directories).map(({ name }) => name);
  return new MkrootError(
    `Cannot find recipe "${nameOrFile}": there is none of that name${suggestion(nameOrFile, names)}`,
    {
      exitCode: ExitCode.NotFound,
      details: [
        `Recipes: ${names.length === 0 ? 'none' : names.join(', ')}`,
        `Looked in: ${search.directories.join(', ')}`,
      ],
      hint: 'Name one of these, or the path of a recipe file.',
    },
  );
}
