import type { StageContext } from '../engine/stage.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { Ports } from '../ports/ports.js';
import type { RpmRecipe } from '../recipe/recipe.js';
import type { InstalledPackage } from '../rootfs/dpkg-status.js';
import { RootWriter } from '../rootfs/root-writer.js';
import { parseRpmPackages, RPM_QUERY_FORMAT, rpmDatabase } from '../rootfs/rpm-packages.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import type { RootTree } from '../sandbox/root-tree.js';

/** The first release of EL whose rpm looks below /usr. */
const FIRST_BELOW_USR = 10;

/** Where rpm of that distribution and release has its database, unless its macros say otherwise. */
export function usualRpmDatabase({ distribution, rpm }: RpmRecipe): BytePath {
  const belowUsr = distribution === 'fedora' || Number.parseInt(rpm.release, 10) >= FIRST_BELOW_USR;
  return belowUsr ? '/usr/lib/sysimage/rpm' : '/var/lib/rpm';
}

/**
 * Puts the database where the root's own rpm looks for it, if the root has an rpm, and makes sure that it can read it. An
 * older one may know another format only: then it gets the packages' headers and writes a database of its own.
 * @param at where it lies now.
 * @throws MkrootError ToolFailed if the root's rpm still knows other packages than were installed.
 */
export async function settleRpmDatabase(
  tree: Pick<RootTree, 'hostPath' | 'run' | 'runOnHost'>,
  at: BytePath,
  { ports, scratch, logFile }: Pick<StageContext, 'ports' | 'scratch' | 'logFile'>,
): Promise<void> {
  const { fs } = ports;
  const writer = new RootWriter(fs, tree.hostPath);
  const { sysroot } = writer;
  writer.remove(`${at}/.rpm.lock`);
  if (!['/usr/bin/rpm', '/bin/rpm'].some((path) => sysroot.isFile(path))) return;
  const inRoot = { logFile, network: false };
  const text = ({ stdout }: { readonly stdout: Uint8Array }) => Buffer.from(stdout).toString('utf8').trim();
  const wanted = text(await tree.run(['rpm', '--eval', '%{_dbpath}'], inRoot));
  if (
    wanted.startsWith('/') &&
    wanted !== at &&
    sysroot.resolve(wanted)?.path !== sysroot.resolve(at)?.path
  ) {
    if (sysroot.resolve(wanted) !== undefined) writer.empty(wanted);
    for (const name of sysroot.list(at)) {
      writer.copy(sysroot.resolve(`${at}/${name}`)!.hostPath, `${wanted}/${name}`, {
        mode: 0o644,
        uid: 0,
        gid: 0,
      });
    }
    writer.remove(at);
  }
  const place = wanted.startsWith('/') ? wanted : at;
  const query = ['--query', '--all', '--queryformat', RPM_QUERY_FORMAT] as const;
  const known = async () => parseRpmPackages(text(await tree.run(['rpm', ...query], inRoot)));
  const installed = await listRpmPackages(ports, sysroot, `${scratch}/rpmdb`);
  if ((await known()).length === installed.length) return;
  const hostDatabase = sysroot.resolve(place)!.hostPath;
  const headers = await tree.runOnHost(['rpmdb', `--dbpath=${hostDatabase}`, '--exportdb'], { logFile });
  writer.empty(place);
  await tree.run(['rpmdb', '--importdb'], { ...inRoot, input: headers.stdout });
  const understood = (await known()).length;
  if (understood === installed.length) return;
  throw new MkrootError(
    `Cannot hand over the rpm database: the root's own rpm knows ${understood} packages, not ${installed.length}`,
    { exitCode: ExitCode.ToolFailed, details: [`Whole log: ${logFile}`] },
  );
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
