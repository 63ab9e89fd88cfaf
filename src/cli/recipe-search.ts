import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExitCode, MkrootError } from '../errors.js';
import { toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { architectureOfHost } from '../recipe/debian-architecture.js';
import type { RecipeSearch } from '../recipe/load-recipe.js';

/**
 * Where the commands look for recipes: in the site, as lint and publish do, then in ./recipes of the current directory, then among
 * the ones that come with mkroot.
 * @param site directory of the site; the current one unless the user says otherwise.
 * @throws MkrootError NotFound if there is no such directory: a recipe of the same name from elsewhere makes another image.
 */
export function recipeSearch(fs: ReadFileSystem, site: string): RecipeSearch {
  const workingDirectory = process.cwd();
  const directory = resolve(site);
  if (fs.lstat(toBytePath(directory)) === undefined) {
    throw new MkrootError(`Cannot find the site "${site}": there is no such directory`, {
      exitCode: ExitCode.NotFound,
      hint: 'Name the directory that has nodes.yaml and recipes/ by --site or MKROOT_SITE.',
    });
  }
  return {
    workingDirectory,
    directories: [
      ...new Set([
        join(directory, 'recipes'),
        join(workingDirectory, 'recipes'),
        fileURLToPath(new URL('../../recipes', import.meta.url)),
      ]),
    ],
    hostArchitecture: architectureOfHost(process.arch),
  };
}
