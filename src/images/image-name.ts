import { basename } from 'node:path';

/**
 * The name of the image that a recipe makes, from what a command was given: the recipe's name, or its file. A recipe's file is
 * called like the recipe; loading one sees to that.
 */
export function imageNameOf(nameOrFile: string): string {
  return basename(nameOrFile).replace(/\.ya?ml$/, '');
}
