import type { Stage } from '../../engine/stage.js';
import { MkrootError } from '../../errors.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

/** Runs the recipe's commands inside the root, one after the other, without a network. */
export function runCommands(recipe: Recipe, environment: BuildEnvironment): Stage {
  const { commands } = recipe;
  return {
    name: 'run-commands',
    title: `Running commands (${commands.length}) inside the root`,
    version: 1,
    options: { commands },
    files: [],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        for (const [index, command] of commands.entries()) {
          context.task.update(`${index + 1}/${commands.length}: ${command.split('\n')[0] ?? ''}`);
          try {
            await tree.run(['/bin/sh', '-e', '-c', command], {
              name: command,
              logFile: context.logFile,
              network: false,
              ...(context.signal === undefined ? {} : { signal: context.signal }),
            });
          } catch (error) {
            throw withPlace(error, index, commands.length);
          }
        }
      }),
  };
}

function withPlace(error: unknown, index: number, count: number): unknown {
  if (!(error instanceof MkrootError)) return error;
  return new MkrootError(`${error.message} (command ${index + 1} of ${count} of the recipe)`, {
    exitCode: error.exitCode,
    details: error.details,
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
