import { basename } from 'node:path/posix';
import { toJson } from '../../engine/canonical-json.js';
import type { Stage, StageContext } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { DebianRecipe, RecipeSource } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import { type AptInRoot, withApt } from './apt-in-root.js';
import type { BuildEnvironment } from './build-environment.js';
import { recipePackages } from './recipe-packages.js';
import { changeRoot } from './root-layers.js';

const PLAIN = { mode: 0o644, uid: 0, gid: 0 };

/** Adds the recipe's repositories, packages and kernel to the bootstrapped root, and removes what apt needed for it. */
export function installPackages(recipe: DebianRecipe, environment: BuildEnvironment): Stage {
  const { names, files } = recipePackages(recipe, environment);
  const keys = recipe.sources.flatMap(({ signedBy }) =>
    signedBy === undefined ? [] : [environment.resolve(signedBy)],
  );
  return {
    name: 'install-packages',
    title: `Installing packages (${names.length + files.length}) with what they need`,
    version: 3,
    // Sorted: the order in which packages stand in a recipe changes nothing.
    options: { packages: [...names].sort(), sources: toJson(recipe.sources) },
    files: [...keys, ...files],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        const writer = new RootWriter(context.ports.fs, tree.hostPath);
        addSources(recipe.sources, writer, context, environment);
        await withApt(tree, context, environment, async (apt) => {
          if (recipe.sources.length > 0) await apt.run('update');
          await installFresh(apt, [...names, ...putPackageFiles(writer, files)], context);
        });
        removeTraces(writer);
      }),
  };
}

/** Where package files of the host lie in the root while apt runs; goes with the rest of that directory. */
const PACKAGE_FILES = '/var/cache/apt/mkroot';

/** Puts package files where the root's apt can read them. A path is what tells apt that no name of a package is meant. */
function putPackageFiles(writer: RootWriter, files: readonly BytePath[]): BytePath[] {
  return files.map((file, index) => {
    const path = `${PACKAGE_FILES}/${index + 1}/${basename(file)}`;
    writer.copy(file, path, PLAIN);
    return path;
  });
}

/**
 * Installs with the package lists of the bootstrap. They may be older than the archive, if the bootstrap was cached for
 * long: then the archive has dropped a version that they name, and new lists are fetched.
 */
export async function installFresh(
  apt: AptInRoot,
  packages: readonly string[],
  { task, ports }: Pick<StageContext, 'task' | 'ports'>,
): Promise<void> {
  if (packages.length === 0) return;
  try {
    await apt.run('install', ...packages);
  } catch (error) {
    if (!isOutdated(error)) throw error;
    ports.progress.note('The cached package lists are out of date; fetching new ones');
    task.update('fetching package lists');
    await apt.run('update');
    await apt.run('install', ...packages);
  }
}

function isOutdated(error: unknown): boolean {
  return (
    error instanceof MkrootError &&
    error.exitCode === ExitCode.ToolFailed &&
    error.details.some((line) => /\b404\b|maybe run apt-get update/i.test(line))
  );
}

function addSources(
  sources: readonly RecipeSource[],
  writer: RootWriter,
  { ports }: StageContext,
  environment: BuildEnvironment,
): void {
  sources.forEach((source, index) => {
    const name = `mkroot-${index + 1}`;
    let keyring: string | undefined;
    if (source.signedBy !== undefined) {
      const file = environment.resolve(source.signedBy);
      // apt tells the two formats apart by the file's extension.
      keyring = `/etc/apt/keyrings/${name}.${isArmoured(ports.fs.readRange(file, 0, 40)) ? 'asc' : 'gpg'}`;
      writer.copy(file, keyring, PLAIN);
    }
    writer.file(`/etc/apt/sources.list.d/${name}.sources`, sourceStanza(source, keyring), PLAIN);
  });
}

/** A deb822 stanza; see sources.list(5). */
export function sourceStanza(source: RecipeSource, keyring: string | undefined): string {
  return [
    'Types: deb',
    `URIs: ${source.uris.join(' ')}`,
    `Suites: ${source.suites.join(' ')}`,
    `Components: ${source.components.join(' ')}`,
    ...(keyring === undefined ? [] : [`Signed-By: ${keyring}`]),
    '',
  ].join('\n');
}

function isArmoured(start: Uint8Array): boolean {
  return Buffer.from(start).toString('latin1').includes('-----BEGIN PGP');
}

/** What the tools of the build leave behind and no node needs: lists, caches, logs, and names of the build host. */
function removeTraces(writer: RootWriter): void {
  for (const directory of ['/var/lib/apt/lists', '/var/cache/apt', '/var/log/apt']) writer.empty(directory);
  for (const file of [
    '/etc/apt/apt.conf.d/99mmdebstrap',
    '/etc/dpkg/dpkg.cfg.d/99mmdebstrap',
    '/var/log/alternatives.log',
    '/var/log/bootstrap.log',
    '/var/log/dpkg.log',
    '/var/cache/ldconfig/aux-cache',
    '/var/cache/debconf/tmp.ci',
    '/var/cache/debconf/templates.dat-old',
    '/var/cache/debconf/config.dat-old',
    '/var/lib/dpkg/status-old',
    '/var/lib/dpkg/diversions-old',
    '/var/lib/dpkg/statoverride-old',
    '/var/lib/dbus/machine-id',
  ]) {
    writer.remove(file);
  }
  if (writer.sysroot.resolveLink('/etc/resolv.conf')?.stat.kind === 'file') {
    writer.file('/etc/resolv.conf', '', PLAIN);
  }
  writer.remove('/etc/hostname');
}
