import { toJson } from '../engine/canonical-json.js';
import type { Stage, StageContext } from '../engine/stage.js';
import { ExitCode, MkrootError } from '../errors.js';
import { displayPath } from '../ports/byte-path.js';
import { shellQuote } from '../ports/process-runner.js';
import type { DebianArchitecture } from '../recipe/debian-architecture.js';
import type { RpmRecipe } from '../recipe/recipe.js';
import { RootWriter } from '../rootfs/root-writer.js';
import { RootTree } from '../sandbox/root-tree.js';
import type { BuildEnvironment } from './build-environment.js';
import {
  type DnfPaths,
  type DnfProgram,
  dnfArgvs,
  dnfConfiguration,
  repositoryFile,
  requireDnf,
  rpmMacros,
} from './dnf.js';
import { dnfActivity, dnfHint, type FailedScriptlet, failedScriptlet } from './dnf-output.js';
import { fitToDisklessNode } from './fit-rpm-root.js';
import { requireRunnable } from './require-runnable.js';
import { wholeTree } from './root-layers.js';
import { settleRpmDatabase, usualRpmDatabase } from './rpm-database.js';

/**
 * The recipe's packages, groups and kernel, with all that they need, from nothing: one run of dnf with --installroot. So
 * that nothing of the host takes part, its configuration, repositories and rpm macros are those of the recipe alone.
 * @param program undefined if the host has none; then running the stage says what to install.
 */
export function bootstrapRpm(
  recipe: RpmRecipe,
  program: DnfProgram | undefined,
  environment: BuildEnvironment,
  hostArchitecture: DebianArchitecture,
): Stage {
  const { distribution, architecture, packages, kernel, rpm } = recipe;
  return {
    name: 'bootstrap-rpm',
    title: `Installing ${distribution} ${rpm.release} (${architecture}, ${program ?? 'dnf'})`,
    version: 1,
    options: {
      program: program ?? 'dnf',
      distribution,
      architecture,
      rpm: toJson(rpm),
      // Sorted: the order in which packages stand in a recipe changes nothing.
      packages: [...new Set([...packages, kernel.package])].sort(),
    },
    files: rpm.repositories
      .flatMap(({ keys }) => keys)
      .filter((key) => !/^https:/.test(key))
      .map((key) => environment.resolve(key)),
    tools: [program ?? 'dnf', 'rpm'],
    run: async (context) => {
      const { ports, result, scratch } = context;
      const dnf = requireDnf(ports.runner, program);
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
        await install(recipe, dnf, tree, context, environment);
        await settleRpmDatabase(tree, usualRpmDatabase(recipe), context);
        fitToDisklessNode(writer, rpm);
      } finally {
        await tree.close();
      }
    },
  };
}

/** Packages own these too, but scriptlets want what is mounted there before the first package is unpacked. */
function makeMountPoints(writer: RootWriter): void {
  const modes = { '/proc': 0o555, '/sys': 0o555, '/dev': 0o755, '/run': 0o755, '/tmp': 0o1777 };
  for (const [path, mode] of Object.entries(modes)) writer.directory(path, { mode, uid: 0, gid: 0 });
}

async function install(
  recipe: RpmRecipe,
  program: DnfProgram,
  tree: RootTree,
  context: StageContext,
  environment: BuildEnvironment,
): Promise<void> {
  const { ports, task, logFile, signal } = context;
  const { fs } = ports;
  const paths: DnfPaths = {
    installRoot: tree.path,
    // Beside the cache, where it can be looked at after a failure.
    configuration: `${environment.rpmCache}/configuration`,
    cache: `${environment.rpmCache}/packages`,
  };
  fs.remove(paths.configuration);
  for (const directory of ['repos', 'vars']) fs.mkdir(`${paths.configuration}/${directory}`);
  fs.mkdir(paths.cache);
  fs.writeFile(`${paths.configuration}/dnf.conf`, dnfConfiguration(recipe));
  const repositories = repositoryFile(recipe, (path) => environment.resolve(path));
  fs.writeFile(`${paths.configuration}/repos/mkroot.repo`, repositories);
  fs.writeFile(`${paths.configuration}/.rpmmacros`, rpmMacros(usualRpmDatabase(recipe)));
  const env = { HOME: displayPath(paths.configuration), ...SCRIPTLET_ENVIRONMENT };
  const failed: FailedScriptlet[] = [];
  for (const argv of dnfArgvs(recipe, program, paths)) {
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
      throw withHint(error, lines);
    }
  }
  requireScriptlets(failed, recipe.rpm.failingScriptlets, logFile);
}

/** The same into another directory: the one of the build is gone then. */
function byHand(argv: readonly string[], home: string): string {
  const options = argv.filter((word) => !word.startsWith('--installroot='));
  return `HOME=${shellQuote([home])} ${shellQuote(options)} --installroot="$(mktemp -d)"`;
}

/** What scriptlets see. kernel-install(8) would make an initramfs with dracut, which takes long and is never booted. */
const SCRIPTLET_ENVIRONMENT = {
  LC_ALL: 'C.UTF-8',
  SYSTEMD_OFFLINE: '1',
  KERNEL_INSTALL_BYPASS: '1',
} as const;

function withHint(error: unknown, lines: readonly string[]): unknown {
  const hint = dnfHint(lines);
  if (!(error instanceof MkrootError) || error.exitCode !== ExitCode.ToolFailed || hint === undefined)
    return error;
  return new MkrootError(error.message, {
    exitCode: error.exitCode,
    details: error.details,
    cause: error,
    hint,
  });
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
