import { toJson } from '../../engine/canonical-json.js';
import type { Stage, StageContext } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { RpmRecipe } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import { RootTree } from '../../sandbox/root-tree.js';
import type { BuildEnvironment } from './build-environment.js';
import { fitToDisklessNode } from './fit-rpm-root.js';
import { recipePackages } from './recipe-packages.js';
import { requireRunnable } from './require-runnable.js';
import type { BackendRequest } from './root-backend.js';
import { wholeTree } from './root-layers.js';
import { settleRpmDatabase } from './rpm-database.js';
import type { FailedScriptlet } from './rpm-scriptlets.js';

/** A program that installs rpm packages into a directory. */
export interface RpmInstaller {
  /** The program, for titles and keys. */
  readonly program: string;
  /** Where it makes rpm's database, inside the root; the root's own rpm may want it elsewhere. */
  readonly database: BytePath;
  /** @throws MkrootError MissingTool, with what to install, if the host cannot run it. */
  require(): void;
  /** Installs packages, groups and kernels of the recipe. */
  install(tree: RootTree, context: StageContext): Promise<readonly FailedScriptlet[]>;
}

/**
 * The recipe's packages, groups and kernels, with all that they need, from nothing: by a program of the host that is given
 * the directory of the root. So that nothing of the host takes part, configuration, repositories and rpm macros are those of
 * the recipe alone.
 */
export function bootstrapRpm(
  recipe: RpmRecipe,
  installer: RpmInstaller,
  { environment, hostArchitecture }: Pick<BackendRequest, 'environment' | 'hostArchitecture'>,
): Stage {
  const { distribution, architecture, rpm } = recipe;
  const { program } = installer;
  const { names, files } = recipePackages(recipe, environment);
  return {
    name: 'bootstrap-rpm',
    title: `Installing ${distribution} ${rpm.release} (${architecture}, ${program})`,
    version: 1,
    options: {
      program,
      distribution,
      architecture,
      rpm: toJson(rpm),
      // Sorted: the order in which packages stand in a recipe changes nothing.
      packages: [...names].sort(),
    },
    files: [...keyFiles(recipe, environment), ...files],
    tools: [program, 'rpm'],
    run: async (context) => {
      const { ports, result, scratch } = context;
      installer.require();
      requireRunnable(ports.fs, architecture, hostArchitecture);
      const tree = await RootTree.open(ports, {
        strategy: 'copy',
        below: [],
        layer: wholeTree(result),
        scratch,
      });
      try {
        const writer = new RootWriter(ports.fs, tree.hostPath);
        makeMountPoints(writer);
        await tree.mountForPrograms(context);
        requireScriptlets(await installer.install(tree, context), rpm.failingScriptlets, context.logFile);
        await settleRpmDatabase(tree, installer.database, context);
        fitToDisklessNode(writer, rpm);
      } finally {
        await tree.close();
      }
    },
  };
}

function keyFiles({ rpm }: RpmRecipe, environment: BuildEnvironment) {
  return rpm.repositories
    .flatMap(({ keys }) => keys)
    .filter((key) => !/^https:/.test(key))
    .map((key) => environment.resolve(key));
}

/** Packages own these too, but scriptlets want what is mounted there before the first package is unpacked. */
function makeMountPoints(writer: RootWriter): void {
  const modes = { '/proc': 0o555, '/sys': 0o555, '/dev': 0o755, '/run': 0o755, '/tmp': 0o1777 };
  for (const [path, mode] of Object.entries(modes)) writer.directory(path, { mode, uid: 0, gid: 0 });
}

/** @throws MkrootError ToolFailed: what a failed scriptlet was to set up is missing, although dnf says that all is well. */
function requireScriptlets(
  failed: readonly FailedScriptlet[],
  tolerated: readonly string[],
  logFile: string,
): void {
  const bad = failed.filter(
    (one) => !tolerated.some((name) => one.package === name || isVersionOf(one.package, name)),
  );
  const [first] = bad;
  if (first === undefined) return;
  throw new MkrootError(`Cannot install "${first.package}": its scriptlet ${first.scriptlet} failed`, {
    exitCode: ExitCode.ToolFailed,
    details: [
      ...new Set(bad.map(({ package: name, scriptlet }) => `  | ${name}: ${scriptlet}`)),
      `Whole log: ${logFile}`,
    ],
    hint: 'If the node can do without what it sets up, name the package under rpm.failingScriptlets.',
  });
}

function isVersionOf(package_: string, name: string): boolean {
  return package_.startsWith(`${name}-`) && /^\d/.test(package_.slice(name.length + 1));
}
