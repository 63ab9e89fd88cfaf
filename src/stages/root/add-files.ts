import { basename } from 'node:path/posix';
import { toJson } from '../../engine/canonical-json.js';
import type { Stage } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Recipe, RecipeFile } from '../../recipe/recipe.js';
import { type AccountIds, accountIds } from '../../rootfs/account-ids.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Puts the recipe's overlays (in order), then its single files into the root. */
export function addFiles(recipe: Recipe, environment: BuildEnvironment): Stage {
  const overlays = recipe.overlays.map((path) => environment.resolve(path));
  const sources = recipe.files.flatMap(({ source }) =>
    source === undefined ? [] : [environment.resolve(source)],
  );
  return {
    name: 'add-files',
    title: `Adding files (${recipe.files.length}) and overlays (${recipe.overlays.length})`,
    version: 1,
    options: { files: toJson(recipe.files), overlays: recipe.overlays },
    files: [...overlays, ...sources],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        const { fs } = context.ports;
        const writer = new RootWriter(fs, tree.hostPath);
        const accounts = accountIds(writer.sysroot);
        for (const overlay of overlays) copyTree(fs, writer, overlay, '', { uid: 0, gid: 0 });
        for (const file of recipe.files) addFile(fs, writer, file, accounts, environment);
      }),
  };
}

function addFile(
  fs: FileSystem,
  writer: RootWriter,
  file: RecipeFile,
  accounts: AccountIds,
  environment: BuildEnvironment,
): void {
  const destination = toBytePath(file.destination);
  const owner: Owner = {
    uid: idOf(file.owner, 'user', (name) => accounts.users.get(name)?.uid),
    gid: idOf(file.group, 'group', (name) => accounts.groups.get(name)),
  };
  if (file.source === undefined) {
    writer.file(destination, file.content ?? '', { ...owner, mode: file.mode ?? 0o644 });
    return;
  }
  const source = followLinks(fs, environment.resolve(file.source));
  const stat = fs.lstat(source);
  if (stat?.kind === 'directory') {
    copyTree(fs, writer, source, destination.replace(/\/+$/, ''), owner);
    return;
  }
  const target = destination.endsWith('/') ? `${destination}${basename(source)}` : destination;
  writer.copy(source, target, { ...owner, mode: file.mode ?? stat?.mode ?? 0o644 });
}

/** Copies everything below a host directory; links stay links, modes stay, all belongs to `owner`. */
function copyTree(fs: FileSystem, writer: RootWriter, from: BytePath, to: BytePath, owner: Owner): void {
  for (const name of fs.readdir(from)) {
    const source = `${from}/${name}`;
    const target = `${to}/${name}`;
    const stat = fs.lstat(source);
    if (stat === undefined) continue;
    if (stat.kind === 'directory') {
      // A directory that the root has keeps its owner and mode: an overlay checked out with umask 077 must not lock /etc.
      const exists = writer.sysroot.resolve(target)?.stat.kind === 'directory';
      writer.directory(target, exists ? undefined : { ...owner, mode: stat.mode });
      copyTree(fs, writer, source, target, owner);
    } else if (stat.kind === 'symlink') {
      writer.symlink(fs.readlink(source), target);
    } else if (stat.kind === 'file') {
      writer.copy(source, target, { ...owner, mode: stat.mode });
    } else {
      throw new MkrootError(`Cannot add "${displayPath(source)}": it is a ${stat.kind}`, {
        hint: 'Only files, directories and links can be added.',
      });
    }
  }
}

/** Names in a recipe may be links on the host, as with any tool that copies what it is told to. */
function followLinks(fs: FileSystem, path: BytePath): BytePath {
  let at = path;
  for (let links = 0; links < 40; links += 1) {
    if (fs.lstat(at)?.kind !== 'symlink') return at;
    const target = fs.readlink(at);
    at = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/'))}/${target}`;
  }
  throw new MkrootError(`Cannot add "${displayPath(path)}": too many symbolic links`);
}

function idOf(name: string, kind: 'user' | 'group', find: (name: string) => number | undefined): number {
  const id = /^\d+$/.test(name) ? Number(name) : find(name);
  if (id === undefined) {
    throw new MkrootError(`Cannot find the ${kind} "${name}" in the root`, {
      exitCode: ExitCode.NotFound,
      hint: 'Create it under "users", install the package that brings it, or give its number.',
    });
  }
  return id;
}
