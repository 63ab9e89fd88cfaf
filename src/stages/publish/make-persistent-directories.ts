import { MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import { displayPath } from '../../ports/byte-path.js';
import { describeKind, type FileSystem } from '../../ports/file-system.js';
import type { Ports } from '../../ports/ports.js';
import { NamespaceSession } from '../../sandbox/namespace-session.js';
import { mountLayers } from '../../sandbox/root-tree.js';

/** A directory of one node that outlives its reboots, and that is not there yet. */
export interface WantedDirectory {
  readonly node: string;
  /** Where the node sees it. */
  readonly path: BytePath;
  /** Where it is kept. */
  readonly directory: BytePath;
  /** What the node's root is merged from, the lowest first: gives owner, mode and first contents. */
  readonly layers: readonly BytePath[];
}

/** Names of what is not finished start with this. */
const UNFINISHED = '.new-persistent-';

/**
 * Makes directories with what the node's layers have at their paths, empty where they have nothing. Each is filled under
 * another name and gets its own when it is on the disk, so it is there whole or not at all, and one that is there is never
 * touched again: it is the node's. Takes the rights of root.
 * @throws MkrootError if a path is no directory in the layers or leads over a link.
 */
export async function makePersistentDirectories(
  { fs, runner, progress }: Ports,
  state: BytePath,
  wanted: readonly WantedDirectory[],
  signal?: AbortSignal,
): Promise<void> {
  const missing = wanted.filter(({ directory }) => fs.lstat(directory) === undefined);
  if (missing.length === 0) return;
  const task = progress.task(`Persistent directories (${missing.length})`);
  removeUnfinished(fs, state);
  const scratch = fs.makeTemporaryDirectory(`${state}/${UNFINISHED}`);
  const session = await NamespaceSession.open(runner, fs);
  const filled: { readonly beside: BytePath; readonly directory: BytePath }[] = [];
  const run = (argv: readonly [string, ...string[]]) =>
    session.run(argv, signal === undefined ? {} : { signal });
  try {
    for (const { node, path, directory, layers } of missing) {
      task.update(`${node} ${displayPath(path)}`);
      const merged = await mountLayers(session, fs, layers, `${scratch}/root`);
      const parent = directory.slice(0, directory.lastIndexOf('/'));
      fs.mkdir(parent);
      removeUnfinished(fs, parent);
      const beside = fs.makeTemporaryDirectory(`${parent}/${UNFINISHED}`);
      filled.push({ beside, directory });
      if (hasDirectory(fs, session.hostPath(merged), path, node)) {
        const copy = ['cp', '--archive', '--reflink=auto', '--no-target-directory', '--'] as const;
        await run([...copy, `${merged}${path}`, `${beside}/@`]);
      } else {
        fs.mkdir(`${beside}/@`);
        fs.chmod(`${beside}/@`, 0o755); // whatever the umask
      }
      if (layers.length > 1) await run(['umount', merged]);
    }
    // A directory that has its name is taken for whole by every later run, also after a power cut.
    await runner.run({ argv: ['sync', '--file-system', displayPath(state)] });
    for (const { beside, directory } of filled) fs.rename(`${beside}/@`, directory);
    task.done();
  } catch (error) {
    task.fail();
    throw error;
  } finally {
    await session.close();
    for (const { beside } of filled) fs.remove(beside);
    fs.remove(scratch);
  }
}

/** Whether the layers have a directory there; false if they have nothing. */
function hasDirectory(fs: FileSystem, root: BytePath, path: BytePath, node: string): boolean {
  const parts = path.split('/').slice(1);
  for (const index of parts.keys()) {
    const at = `/${parts.slice(0, index + 1).join('/')}`;
    const kind = fs.lstat(`${root}${at}`)?.kind;
    if (kind === undefined) return false;
    if (kind === 'directory') continue;
    throw new MkrootError(
      `Cannot make the persistent directory "${displayPath(path)}" of "${node}": ${displayPath(at)} is a ${describeKind(kind)} in its root`,
      { hint: kind === 'symlink' ? 'Name the path that the link leads to.' : 'Choose another path.' },
    );
  }
  return true;
}

/**
 * Removes what a run that was killed left, also beside directories that are no longer wanted.
 * @param hosts where what belongs to one node is kept, each with persistent/PATH/@ in it. What nodes have written is not looked at.
 */
export function removeUnfinishedDirectories(
  fs: FileSystem,
  state: BytePath,
  hosts: readonly BytePath[],
): void {
  removeUnfinished(fs, state);
  const sweep = (directory: BytePath) => {
    if (fs.lstat(directory)?.kind !== 'directory') return;
    removeUnfinished(fs, directory);
    for (const name of fs.readdir(directory)) if (name !== '@') sweep(`${directory}/${name}`);
  };
  for (const host of hosts) sweep(`${host}/persistent`);
}

/** What a run that was killed left. */
function removeUnfinished(fs: FileSystem, directory: BytePath): void {
  for (const name of fs.readdir(directory)) {
    if (name.startsWith(UNFINISHED)) fs.remove(`${directory}/${name}`);
  }
}
