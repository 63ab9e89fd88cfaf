import type { Stage, StageContext } from '../../engine/stage.js';
import { shellQuote } from '../../ports/process-runner.js';
import type { DebianArchitecture } from '../../recipe/debian-architecture.js';
import type { DebianRecipe } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import { RootTree } from '../../sandbox/root-tree.js';
import { withApt } from './apt-in-root.js';
import { aptActivity } from './apt-progress.js';
import type { BuildEnvironment } from './build-environment.js';
import { requireRunnable } from './require-runnable.js';
import { wholeTree } from './root-layers.js';

/** The program that makes the first tree. Both make the same one; mmdebstrap is two to three times faster. */
export type BootstrapBackend = 'mmdebstrap' | 'debootstrap';

/**
 * The essential packages and apt, from nothing, with apt's package lists left in place so that the next stage can
 * install without asking the archive again.
 */
export function bootstrapDebian(
  recipe: DebianRecipe,
  backend: BootstrapBackend,
  environment: BuildEnvironment,
  hostArchitecture: DebianArchitecture,
): Stage {
  const { suite, architecture, variant, mirror, components, keyring } = recipe;
  return {
    name: 'bootstrap-debian',
    title: `Bootstrapping ${recipe.distribution} ${suite} (${architecture}, ${backend})`,
    version: 1,
    options: { backend, suite, architecture, variant, mirror: mirror ?? null, components },
    files: keyring === undefined ? [] : [environment.resolve(keyring)],
    tools: backend === 'mmdebstrap' ? ['mmdebstrap', 'apt-get', 'dpkg'] : ['debootstrap'],
    run: async (context) => {
      requireRunnable(context.ports.fs, architecture, hostArchitecture);
      const { ports, result, scratch } = context;
      ports.fs.mkdir(environment.cache('debs'));
      const tree = await RootTree.open(ports, {
        strategy: 'copy',
        below: [],
        layer: wholeTree(result),
        scratch,
      });
      try {
        if (backend === 'mmdebstrap') await withMmdebstrap(recipe, tree, context, environment);
        else await withDebootstrap(recipe, tree, context, environment);
      } finally {
        await tree.close();
      }
    },
  };
}

/** The argv of mmdebstrap(1) for the first tree of a recipe. */
export function mmdebstrapArgv(
  { suite, architecture, variant, mirror, components }: DebianRecipe,
  paths: { readonly target: string; readonly debCache: string; readonly keyring?: string },
): [string, ...string[]] {
  return [
    'mmdebstrap',
    '--verbose',
    '--mode=root',
    '--format=directory',
    `--variant=${variant}`,
    `--architectures=${architecture}`,
    `--components=${components.join(',')}`,
    ...(paths.keyring === undefined ? [] : [`--keyring=${paths.keyring}`]),
    // The lists serve the next stage. The packages in the cache are not mmdebstrap's to delete.
    // Whether programs of the root run here was looked at before; mmdebstrap would want arch-test for that, even for i386.
    '--skip=cleanup/apt,essential/unlink,check/qemu',
    '--dpkgopt=force-unsafe-io',
    `--setup-hook=mkdir -p "$1/var/cache/apt/archives" && mount --bind ${shellQuote([paths.debCache])} "$1/var/cache/apt/archives"`,
    suite,
    paths.target,
    ...(mirror === undefined ? [] : [mirror]),
  ];
}

/** The argv of debootstrap(8) for the first tree of a recipe. */
export function debootstrapArgv(
  { suite, architecture, variant, mirror, components }: DebianRecipe,
  paths: { readonly target: string; readonly debCache: string; readonly keyring?: string },
): [string, ...string[]] {
  return [
    'debootstrap',
    // What mmdebstrap calls important is debootstrap's default, without a name.
    ...(variant === 'important' ? [] : [`--variant=${variant}`]),
    `--arch=${architecture}`,
    `--components=${components.join(',')}`,
    `--cache-dir=${paths.debCache}`,
    ...(paths.keyring === undefined ? [] : [`--keyring=${paths.keyring}`]),
    suite,
    paths.target,
    ...(mirror === undefined ? [] : [mirror]),
  ];
}

async function withMmdebstrap(
  recipe: DebianRecipe,
  tree: RootTree,
  context: StageContext,
  environment: BuildEnvironment,
): Promise<void> {
  await runBootstrap(mmdebstrapArgv(recipe, bootstrapPaths(recipe, tree, environment)), tree, context);
}

async function withDebootstrap(
  recipe: DebianRecipe,
  tree: RootTree,
  context: StageContext,
  environment: BuildEnvironment,
): Promise<void> {
  await runBootstrap(debootstrapArgv(recipe, bootstrapPaths(recipe, tree, environment)), tree, context);
  const writer = new RootWriter(context.ports.fs, tree.hostPath);
  const sources = '/etc/apt/sources.list';
  const list = Buffer.from(writer.sysroot.readFile(sources)).toString('utf8');
  writer.file(sources, recipe.mirror === undefined ? withUpdates(list, recipe.suite) : list, {
    mode: 0o644,
    uid: 0,
    gid: 0,
  });
  await withApt(tree, context, environment, async (apt) => {
    await apt.run('update');
    // mmdebstrap installs the newest version at once; debootstrap only knows the suite itself.
    await apt.run('dist-upgrade');
  });
}

/** Suites without updates and security sections of their own. */
const ROLLING = new Set(['sid', 'unstable', 'testing', 'experimental']);

/**
 * Adds the updates and security suites to debootstrap's single line, as mmdebstrap has them when no mirror is given:
 * the security archive lies beside the main one.
 */
export function withUpdates(list: string, suite: string): string {
  const line = /^deb (?:\[[^\]]*\] )?(\S+?)\/? (\S+) (.+)$/m.exec(list);
  if (line === null || ROLLING.has(suite)) return list;
  const [, uri, , components] = line;
  return [
    `deb ${uri} ${suite} ${components}`,
    `deb ${uri} ${suite}-updates ${components}`,
    `deb ${uri}-security ${suite}-security ${components}`,
    '',
  ].join('\n');
}

function bootstrapPaths(recipe: DebianRecipe, tree: RootTree, environment: BuildEnvironment) {
  return {
    target: tree.path,
    debCache: environment.cache('debs'),
    ...(recipe.keyring === undefined ? {} : { keyring: environment.resolve(recipe.keyring) }),
  };
}

async function runBootstrap(
  argv: [string, ...string[]],
  tree: RootTree,
  { task, logFile, signal }: StageContext,
): Promise<void> {
  await tree.runOnHost(argv, {
    logFile,
    ...(signal === undefined ? {} : { signal }),
    byHand: () => shellQuote(['unshare', '--mount', '--', ...argv]),
    onLine: (line) => {
      const activity = aptActivity(line);
      if (activity !== undefined) task.update(activity);
    },
  });
}
