import { deviceEntry, directoryEntry, hostFileEntry, symlinkEntry } from '../../archive/entry.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';

/** Files of the skeleton that tell the builder something and do not go into the archive. */
const APPLETS = 'applets';
const DIRECTORIES = 'directories';

/** The kernel opens /dev/console for init before anything is mounted; see Documentation/admin-guide/devices.txt. */
const DEVICES = [
  { path: 'dev/console', mode: 0o600, device: { type: 'character', major: 5, minor: 1 } },
  { path: 'dev/null', mode: 0o666, device: { type: 'character', major: 1, minor: 3 } },
] as const;

/** Modes that differ from 0755. */
const DIRECTORY_MODES: Readonly<Record<BytePath, number>> = { tmp: 0o1777 };

/**
 * Adds initramfs-skel: its directories, the first device nodes, /init and its parts, and a link to busybox for each applet
 * that they use. Modes follow from the executable bit alone, so that the umask of whoever checked it out does not matter.
 */
export function collectSkeleton(tree: ArchiveTree, fs: ReadFileSystem, directory: BytePath): void {
  if (fs.lstat(`${directory}/init`)?.kind !== 'file') {
    throw new MkrootError(
      `Cannot find the initramfs skeleton in "${displayPath(directory)}": there is no init`,
      {
        exitCode: ExitCode.NotFound,
        hint: 'Install mkroot again: its package brings initramfs-skel.',
      },
    );
  }
  for (const path of readList(fs, `${directory}/${DIRECTORIES}`)) {
    if (tree.get(path)?.kind === 'symlink') continue;
    tree.add(directoryEntry(path, skeleton(DIRECTORIES), { mode: DIRECTORY_MODES[path] ?? 0o755 }));
  }
  for (const { path, mode, device } of DEVICES) {
    tree.add(
      deviceEntry(path, device, { kind: 'base', what: 'devices that the kernel opens first' }, { mode }),
    );
  }
  collectBelow(tree, fs, directory, '');
  for (const applet of readList(fs, `${directory}/${APPLETS}`)) {
    tree.add(symlinkEntry(`bin/${applet}`, 'busybox', skeleton(APPLETS)));
  }
  // The kernel starts /sbin/modprobe by this very path (CONFIG_MODPROBE_PATH). It is there already where /sbin is /bin.
  if (tree.get(tree.placeOf('sbin/modprobe')) === undefined) {
    tree.add(symlinkEntry('sbin/modprobe', '../bin/busybox', skeleton(APPLETS)));
  }
}

function collectBelow(tree: ArchiveTree, fs: ReadFileSystem, directory: BytePath, below: BytePath): void {
  for (const name of fs.readdir(`${directory}/${below}`)) {
    const path = `${below}${name}`;
    if (path === APPLETS || path === DIRECTORIES) continue;
    const hostPath = `${directory}/${path}`;
    const stat = fs.lstat(hostPath);
    if (stat?.kind === 'directory') {
      collectBelow(tree, fs, directory, `${path}/`);
    } else if (stat?.kind === 'symlink') {
      tree.add(symlinkEntry(path, fs.readlink(hostPath), skeleton('init and its parts')));
    } else if (stat?.kind === 'file') {
      const mode = (stat.mode & 0o111) === 0 ? 0o644 : 0o755;
      tree.add(hostFileEntry(path, { hostPath, size: stat.size }, skeleton('init and its parts'), { mode }));
    }
  }
}

/** One name per line; '#' starts a comment. */
function readList(fs: ReadFileSystem, path: BytePath): BytePath[] {
  return Buffer.from(fs.readFile(path))
    .toString('latin1')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

function skeleton(part: BytePath): Reason {
  return { kind: 'skeleton', part };
}
