import { basename } from 'node:path/posix';
import { toJson } from '../../engine/canonical-json.js';
import type { Stage, StageContext } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { imageRelease } from '../../kmod/kernel-image.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../../ports/file-system.js';
import type { Recipe } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { RootTree } from '../../sandbox/root-tree.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

/** Where `make modules_install` puts modules below its INSTALL_MOD_PATH, and where they belong in a root. */
const MODULES = '/lib/modules';

/** Links into the build tree, which no node has. */
const BUILD_LINKS: ReadonlySet<string> = new Set(['build', 'source']);

const FILE = { mode: 0o644, uid: 0, gid: 0 };
const DIRECTORY = { mode: 0o755, uid: 0, gid: 0 };

/** A kernel that somebody built: paths of the host. */
export interface BuiltKernel {
  readonly image: BytePath;
  readonly modules: BytePath;
}

/** Copies the recipe's self-built kernels into the root: image to /boot, modules to /lib/modules, indexed if they are not yet. */
export function addKernels(recipe: Recipe, environment: BuildEnvironment): Stage {
  const trees = recipe.kernels.flatMap((one) => (one.kind === 'tree' ? [one] : []));
  const kernels = trees.map(
    ({ image, modules }): BuiltKernel => ({
      image: environment.resolve(image),
      modules: environment.resolve(modules).replace(/\/+$/, ''),
    }),
  );
  return {
    name: 'add-kernels',
    title: `Adding self-built kernels (${kernels.length})`,
    version: 1,
    options: { kernels: toJson(trees), architecture: recipe.architecture },
    files: kernels.flatMap(({ image, modules }) => [image, modules]),
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        for (const kernel of kernels) await addKernel(kernel, recipe, tree, context);
      }),
  };
}

async function addKernel(
  kernel: BuiltKernel,
  { architecture }: Pick<Recipe, 'architecture'>,
  tree: RootTree,
  context: StageContext,
): Promise<void> {
  const { fs } = context.ports;
  const { release, directory } = modulesOf(fs, kernel.modules);
  context.task.update(displayPath(release));
  requireBootable(fs, kernel.image, { release, isPc: architecture === 'amd64' || architecture === 'i386' });
  const writer = new RootWriter(fs, tree.hostPath);
  const target = `${MODULES}/${release}`;
  if (writer.sysroot.resolve(target) !== undefined) {
    throw refusal(kernel.modules, `the root has a kernel ${displayPath(release)} already`, {
      hint: 'Build it with another CONFIG_LOCALVERSION, or leave the package out that brings the other one.',
    });
  }
  writer.copy(kernel.image, `/boot/vmlinuz-${release}`, FILE);
  for (const name of fs.readdir(directory)) {
    if (!BUILD_LINKS.has(name)) copyModules(fs, writer, `${directory}/${name}`, `${target}/${name}`);
  }
  if (!writer.sysroot.isFile(`${target}/modules.dep`)) await indexModules(writer, release, tree, context);
}

/**
 * Finds the one kernel below what `make INSTALL_MOD_PATH=DIR modules_install` filled, or the kernel that the directory is.
 * @throws MkrootError InvalidInput if there is none, or several to choose from.
 */
export function modulesOf(
  fs: ReadFileSystem,
  given: BytePath,
): { readonly release: string; readonly directory: BytePath } {
  const parent = [`${given}${MODULES}`, `${given}/usr${MODULES}`].find((path) => isDirectory(fs, path));
  if (parent === undefined) {
    const looksRight = isDirectory(fs, `${given}/kernel`) || isFile(fs, `${given}/modules.order`);
    if (looksRight) return { release: basename(given), directory: given };
    throw refusal(
      given,
      'it has neither lib/modules nor, as the directory of one kernel, a directory kernel',
      {
        hint: 'Fill it with: make INSTALL_MOD_PATH=DIR modules_install',
      },
    );
  }
  const releases = fs.readdir(parent).filter((name) => isDirectory(fs, `${parent}/${name}`));
  const [release, ...others] = releases;
  if (release === undefined) throw refusal(given, `there is no kernel in ${displayPath(parent)}`, {});
  if (others.length > 0) {
    throw refusal(given, `it has ${releases.length} kernels: ${releases.map(displayPath).join(', ')}`, {
      hint: `Name one of them, such as ${displayPath(`${parent}/${release}`)}`,
    });
  }
  return { release, directory: `${parent}/${release}` };
}

/** An image and modules of two kernels boot as far as the first module; an ELF file does not boot at all. */
function requireBootable(
  fs: ReadFileSystem,
  image: BytePath,
  { release, isPc }: { readonly release: string; readonly isPc: boolean },
): void {
  const kind = fs.lstat(image)?.kind;
  if (kind === 'directory') throw refusal(image, 'it is a directory, not the image of a kernel', {});
  if (!isPc) return;
  const found = imageRelease(fs, image);
  if (found === undefined) {
    throw refusal(image, 'it is no Linux kernel that a boot loader of a PC can start', {
      hint: 'That is arch/x86/boot/bzImage of the build; vmlinux is only what it is made of.',
    });
  }
  if (found === release || found === '') return;
  throw refusal(
    image,
    `it is a kernel ${displayPath(found)}, and the modules are for ${displayPath(release)}`,
    {
      hint: 'Name image and modules of one build.',
    },
  );
}

/** Directories and files; a link would point into the machine that built them. */
function copyModules(fs: FileSystem, writer: RootWriter, from: BytePath, to: BytePath): void {
  const kind = fs.lstat(from)?.kind;
  if (kind === 'file') writer.copy(from, to, FILE);
  if (kind !== 'directory') return;
  writer.directory(to, DIRECTORY);
  for (const name of fs.readdir(from)) copyModules(fs, writer, `${from}/${name}`, `${to}/${name}`);
}

/** Without modules.dep, modprobe on the node finds nothing. The root's own depmod(8) writes what its modprobe reads. */
async function indexModules(
  { sysroot }: RootWriter,
  release: string,
  tree: RootTree,
  { ports, logFile, signal }: StageContext,
): Promise<void> {
  const options = { name: 'depmod', logFile, ...(signal === undefined ? {} : { signal }) };
  if (['/usr/sbin/depmod', '/sbin/depmod', '/usr/bin/depmod'].some((path) => sysroot.isFile(path))) {
    await tree.run(['depmod', '-a', release], { ...options, network: false });
    return;
  }
  if (ports.runner.which('depmod') !== undefined) {
    await tree.runOnHost(['depmod', '-a', '-b', tree.path, release], options);
    return;
  }
  throw new MkrootError(
    `Cannot index the modules of kernel "${displayPath(release)}": neither the root nor this machine has depmod`,
    {
      exitCode: ExitCode.MissingTool,
      hint: 'Add the package kmod to the recipe, where nodes need it anyway.',
    },
  );
}

function isDirectory(fs: ReadFileSystem, path: BytePath): boolean {
  return fs.lstat(path)?.kind === 'directory';
}

function isFile(fs: ReadFileSystem, path: BytePath): boolean {
  return fs.lstat(path)?.kind === 'file';
}

function refusal(path: BytePath, what: string, options: { readonly hint?: string }): MkrootError {
  return new MkrootError(`Cannot add the kernel "${displayPath(path)}": ${what}`, {
    exitCode: ExitCode.InvalidInput,
    ...options,
  });
}
