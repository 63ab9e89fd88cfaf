import type { StageContext } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { RpmRecipe } from '../../recipe/recipe.js';
import type { InstalledPackage } from '../../rootfs/dpkg-status.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import { parseRpmPackages, RPM_QUERY_FORMAT, rpmDatabase } from '../../rootfs/rpm-packages.js';
import type { Sysroot } from '../../rootfs/sysroot.js';
import type { RootTree } from '../../sandbox/root-tree.js';

/** The first release of EL whose rpm looks below /usr. */
const FIRST_BELOW_USR = 10;

/** Where rpm of that distribution and release has its database, unless its macros say otherwise. */
export function usualRpmDatabase({ distribution, rpm }: RpmRecipe): BytePath {
  const belowUsr = distribution === 'fedora' || Number.parseInt(rpm.release, 10) >= FIRST_BELOW_USR;
  return belowUsr ? '/usr/lib/sysimage/rpm' : '/var/lib/rpm';
}

/** The root while it is being made. */
type Tree = Pick<RootTree, 'hostPath' | 'run' | 'runOnHost'>;

/**
 * Puts the database where the root's own rpm looks for it, if the root has an rpm, and makes sure that it can read it. An
 * older one may know another format only: then it gets the packages' headers and writes a database of its own.
 * @param at where it lies now.
 * @throws MkrootError ToolFailed if the root's rpm still knows other packages than were installed.
 */
export async function settleRpmDatabase(
  tree: Tree,
  at: BytePath,
  { ports, scratch, logFile }: Pick<StageContext, 'ports' | 'scratch' | 'logFile'>,
): Promise<void> {
  const writer = new RootWriter(ports.fs, tree.hostPath);
  const { sysroot } = writer;
  writer.remove(`${at}/.rpm.lock`);
  if (!['/usr/bin/rpm', '/bin/rpm'].some((path) => sysroot.isFile(path))) return;
  const rpm = async (...args: readonly string[]) => {
    const { stdout } = await tree.run(['rpm', ...args], { logFile, network: false });
    return Buffer.from(stdout).toString('utf8').trim();
  };
  const known = async () =>
    parseRpmPackages(await rpm('--query', '--all', '--queryformat', RPM_QUERY_FORMAT)).length;
  const place = await rpm('--eval', '%{_dbpath}');
  moveDatabase(writer, at, place);
  const installed = (await listRpmPackages(ports, sysroot, `${scratch}/rpmdb`)).length;
  if ((await known()) === installed) return;
  await importHeaders(tree, writer, place);
  const understood = await known();
  if (understood === installed) return;
  throw new MkrootError(
    `Cannot hand over the rpm database: the root's own rpm knows ${understood} packages, not ${installed}`,
    { exitCode: ExitCode.ToolFailed, details: [`Whole log: ${logFile}`] },
  );
}

function moveDatabase(writer: RootWriter, from: BytePath, to: BytePath): void {
  const { sysroot } = writer;
  if (sysroot.resolve(to)?.path === sysroot.resolve(from)?.path) return; // the same, or a link to it
  writer.empty(to);
  for (const name of sysroot.list(from)) {
    const { hostPath } = sysroot.resolve(`${from}/${name}`)!;
    writer.copy(hostPath, `${to}/${name}`, { mode: 0o644, uid: 0, gid: 0 });
  }
  writer.remove(from);
}

/** The host's rpm writes the headers of all packages, the root's reads them into a database of its own. */
async function importHeaders(tree: Tree, writer: RootWriter, place: BytePath): Promise<void> {
  const { hostPath } = writer.sysroot.resolve(place)!;
  const headers = await tree.runOnHost(['rpmdb', `--dbpath=${hostPath}`, '--exportdb']);
  writer.empty(place);
  await tree.run(['rpmdb', '--importdb'], { network: false, input: headers.stdout });
}

/**
 * The packages of a root, from its rpm database; none if it has no such thing. The host's rpm reads a copy, because opening a
 * database writes beside it, and it may lie in a tree that must not change.
 * @param scratch is made for the copy and removed.
 */
export async function listRpmPackages(
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  sysroot: Sysroot,
  scratch: BytePath,
): Promise<InstalledPackage[]> {
  const database = rpmDatabase(sysroot);
  if (database === undefined) return [];
  fs.mkdir(scratch);
  try {
    const from = sysroot.resolve(database)!.hostPath;
    await runner.run({ argv: ['cp', '--archive', '--', `${from}/.`, scratch] });
    const { stdout } = await runner.run({
      argv: ['rpm', `--dbpath=${scratch}`, '--query', '--all', '--queryformat', RPM_QUERY_FORMAT],
    });
    return parseRpmPackages(Buffer.from(stdout).toString('utf8'));
  } finally {
    fs.remove(scratch);
  }
}
