import type { StageContext } from '../../engine/stage.js';
import { displayPath } from '../../ports/byte-path.js';
import { shellQuote } from '../../ports/process-runner.js';
import { installs } from '../../recipe/package-systems.js';
import type { Recipe, RpmRecipe } from '../../recipe/recipe.js';
import type { RootTree } from '../../sandbox/root-tree.js';
import { bootstrapRpm } from './bootstrap-rpm.js';
import type { BuildEnvironment } from './build-environment.js';
import {
  type DnfPaths,
  type DnfProgram,
  dnfArgvs,
  dnfConfiguration,
  findDnf,
  repositoryFile,
  requireDnf,
} from './dnf.js';
import { dnfActivity, dnfHint } from './dnf-output.js';
import { recipePackages } from './recipe-packages.js';
import type { RootBackend } from './root-backend.js';
import { listRpmPackages, usualRpmDatabase } from './rpm-database.js';
import { rpmMacros } from './rpm-macros.js';
import { type FailedScriptlet, failedScriptlet, SCRIPTLET_ENVIRONMENT } from './rpm-scriptlets.js';
import { withHint } from './tool-hint.js';

/** Fedora, EL and what is like them: one run of dnf (or yum) with --installroot. */
export function dnfBackend(recipe: Recipe): RootBackend | undefined {
  if (!('rpm' in recipe) || !installs('dnf', recipe.distribution)) return undefined;
  return {
    stages: (request) => {
      const { runner, environment } = request;
      const program = findDnf(runner);
      return [
        bootstrapRpm(
          recipe,
          {
            program: program ?? 'dnf',
            database: usualRpmDatabase(recipe),
            require: () => requireDnf(runner, program),
            install: (tree, context) => install(recipe, program ?? 'dnf', tree, context, environment),
          },
          request,
        ),
      ];
    },
    installed: listRpmPackages,
  };
}

async function install(
  recipe: RpmRecipe,
  program: DnfProgram,
  tree: RootTree,
  context: StageContext,
  environment: BuildEnvironment,
): Promise<readonly FailedScriptlet[]> {
  const { ports, task, logFile, signal } = context;
  const { fs } = ports;
  const cache = environment.cache('rpms');
  const paths: DnfPaths = {
    installRoot: tree.path,
    // Beside the cache, where it can be looked at after a failure.
    configuration: `${cache}/configuration`,
    cache: `${cache}/packages`,
  };
  fs.remove(paths.configuration);
  for (const directory of ['repos', 'vars']) fs.mkdir(`${paths.configuration}/${directory}`);
  fs.mkdir(paths.cache);
  fs.writeFile(`${paths.configuration}/dnf.conf`, dnfConfiguration(recipe));
  const repositories = repositoryFile(recipe, (path) => environment.resolve(path));
  fs.writeFile(`${paths.configuration}/repos/mkroot.repo`, repositories);
  fs.writeFile(`${paths.configuration}/.rpmmacros`, rpmMacros(usualRpmDatabase(recipe)));
  const env = { HOME: displayPath(paths.configuration), ...SCRIPTLET_ENVIRONMENT };
  const { names, files } = recipePackages(recipe, environment);
  const failed: FailedScriptlet[] = [];
  for (const argv of dnfArgvs(recipe, [...names, ...files], program, paths)) {
    const lines: string[] = [];
    try {
      await tree.runOnHost(argv, {
        name: `${program} ${argv.includes('module') ? 'module enable' : 'install'}`,
        env,
        logFile,
        byHand: () => byHand(argv, env.HOME),
        ...(signal === undefined ? {} : { signal }),
        onLine: (line) => {
          lines.push(line);
          const scriptlet = failedScriptlet(line);
          if (scriptlet !== undefined) failed.push(scriptlet);
          const activity = dnfActivity(line);
          if (activity !== undefined) task.update(activity);
        },
      });
    } catch (error) {
      throw withHint(error, dnfHint(lines));
    }
  }
  return failed;
}

/** The same into another directory: the one of the build is gone then. */
function byHand(argv: readonly string[], home: string): string {
  const options = argv.filter((word) => !word.startsWith('--installroot='));
  return `HOME=${shellQuote([home])} ${shellQuote(options)} --installroot="$(mktemp -d)"`;
}
