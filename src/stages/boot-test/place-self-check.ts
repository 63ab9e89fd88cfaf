import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { Sysroot } from '../../rootfs/sysroot.js';

/** What the self-check holds the node against. */
export interface ExpectedNode {
  readonly hostname: string;
  /** Kernel modules that the root must have and that must load. */
  readonly modules: readonly string[];
  /** The serial port that gets the report, such as /dev/ttyS1. */
  readonly reportPort: string;
  /** Directory with self-check.sh and mkroot-self-check.service, shipped in qemu/self-check. */
  readonly shippedFiles: BytePath;
  /** Shell script of a scenario, which the self-check runs in the end. */
  readonly guestScript?: string;
  /** Further files of the host layer, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** The directory that the node may write to as /kept. */
  readonly kept?: BytePath;
  /** Seconds that the system may take to settle after multi-user; 60 by default. */
  readonly settleSeconds?: number;
}

const UNIT = 'mkroot-self-check.service';

/** What sysvinit runs in the end. */
const RC_LOCAL = 'rc.local';

/** Where the self-check and what it expects lie in a layer. */
export const SELF_CHECK_DIRECTORY = 'etc/mkroot-self-check';

const BARE_INIT = 'bare-init.sh';

/** Path in the node of an init that runs a scenario's script and nothing else. */
export const BARE_INIT_PATH = `/${SELF_CHECK_DIRECTORY}/${BARE_INIT}`;

/**
 * Puts the self-check and its systemd unit (/etc/rc.local where the root has sysvinit) into a layer that exists, and marks it as the topmost one.
 * @param layers names of the layers, topmost first, as the node sees them below /run/mkroot
 * @param below roots whose directories the layer lies over, topmost first: a directory that is made takes owner and mode from there
 * @param further files beside the self-check, by name
 */
export function placeSelfCheck(
  fs: FileSystem,
  top: BytePath,
  below: readonly Sysroot[],
  layers: readonly string[],
  { hostname, modules, reportPort, shippedFiles, guestScript, settleSeconds }: ExpectedNode,
  further: Readonly<Record<string, string | Uint8Array>> = {},
): void {
  const own = Object.entries({
    layer: `${layers[0]}\n`,
    'expected.sh': expectation(hostname, modules, reportPort, layers, settleSeconds),
    'self-check.sh': fs.readFile(`${shippedFiles}/self-check.sh`),
    ...(guestScript === undefined
      ? {}
      : {
          'scenario.sh': guestScript,
          [BARE_INIT]: fs.readFile(`${shippedFiles}/${BARE_INIT}`),
        }),
    ...further,
  }).map(([name, content]) => [`${SELF_CHECK_DIRECTORY}/${name}`, content] as const);
  placeFiles(
    fs,
    top,
    below,
    Object.fromEntries([
      ...own,
      [`etc/systemd/system/${UNIT}`, fs.readFile(`${shippedFiles}/${UNIT}`)] as const,
    ]),
  );
  if (guestScript !== undefined) fs.chmod(`${top}${BARE_INIT_PATH}`, 0o755);
  const wanted = `etc/systemd/system/multi-user.target.wants/${UNIT}`;
  makeParents(fs, below, top, wanted);
  fs.symlink(`../${UNIT}`, `${top}/${wanted}`);
  if (below.some((root) => root.resolve('/etc/inittab')?.stat.kind === 'file')) {
    placeFiles(fs, top, below, { [`etc/${RC_LOCAL}`]: fs.readFile(`${shippedFiles}/${RC_LOCAL}`) });
    fs.chmod(`${top}/etc/${RC_LOCAL}`, 0o755);
  }
}

/** Writes files of root into a layer; directories that are missing take owner and mode from below. */
export function placeFiles(
  fs: FileSystem,
  top: BytePath,
  below: readonly Sysroot[],
  files: Readonly<Record<string, string | Uint8Array>>,
): void {
  for (const [name, content] of Object.entries(files)) {
    makeParents(fs, below, top, name);
    fs.writeFile(`${top}/${name}`, content);
    fs.chown(`${top}/${name}`, 0, 0);
  }
}

/** expected.sh: what self-check.sh reads. Names are checked, not quoted: none of them has a reason to need it. */
function expectation(
  hostname: string,
  modules: readonly string[],
  reportPort: string,
  layers: readonly string[],
  settleSeconds: number | undefined,
): string {
  for (const word of [hostname, ...modules]) {
    if (!/^[\w.-]+$/.test(word)) {
      throw new MkrootError(`Cannot check "${word}" in the node: it is not a plain name`, {
        exitCode: ExitCode.Usage,
        hint: 'Give module names such as tg3; PCI ids and globs are for `mkroot initrd`.',
      });
    }
  }
  return [
    `REPORT='${reportPort}'`,
    `EXPECT_HOSTNAME='${hostname}'`,
    `EXPECT_LAYERS='${layers.join(' ')}'`,
    `EXPECT_MODULES='${modules.join(' ')}'`,
    ...(settleSeconds === undefined ? [] : [`SETTLE=${settleSeconds}`]),
    '',
  ].join('\n');
}

function makeParents(fs: FileSystem, below: readonly Sysroot[], top: BytePath, name: string): void {
  const parts = name.split('/').slice(0, -1);
  for (const index of parts.keys()) {
    const inside = `/${parts.slice(0, index + 1).join('/')}`;
    if (fs.lstat(`${top}${inside}`) !== undefined) continue;
    fs.mkdir(`${top}${inside}`);
    takeOver(fs, below, inside, `${top}${inside}`);
  }
}

/** A merged directory has the owner and mode of the topmost layer, so one that is below too gets those from there. */
export function takeOver(fs: FileSystem, below: readonly Sysroot[], inside: BytePath, path: BytePath): void {
  const found = below.flatMap((root) => root.resolveLink(inside) ?? [])[0];
  if (found !== undefined && found.stat.kind !== 'directory') {
    throw new MkrootError(
      `Cannot put a layer over "${displayPath(found.hostPath)}": it is a ${found.stat.kind}, not a directory`,
    );
  }
  fs.chmod(path, found?.stat.mode ?? 0o755);
  fs.chown(path, found?.stat.uid ?? 0, found?.stat.gid ?? 0);
}
