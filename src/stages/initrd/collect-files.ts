import { hostEntries } from '../../archive/host-entries.js';
import type { Reason } from '../../archive/reason.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';

/** A file or directory of the host that goes into the initramfs. */
export interface ExtraFile {
  readonly source: BytePath;
  /** Absolute path inside the initramfs. */
  readonly destination: BytePath;
  readonly reason: Reason;
}

/**
 * Adds files of the host; a directory goes in whole. Permissions are kept, owners become root (the host's ids mean nothing on
 * a node); a file of several names stays one file. A link that is named itself is followed, links below a directory are kept.
 * @throws MkrootError NotFound for a source that is missing, or that is itself a socket or named pipe.
 */
export function collectFiles(tree: ArchiveTree, fs: ReadFileSystem, files: readonly ExtraFile[]): void {
  for (const { source, destination, reason } of files) {
    const path = destination.replace(/^\/+/, '').replace(/\/+$/, '');
    const opened = followLinks(fs, source);
    const entries = [...hostEntries(fs, opened, path, { reason })];
    if (entries.length === 0 && fs.lstat(opened)?.kind !== 'directory')
      throw nothingToAdd(fs, source, opened);
    for (const entry of entries) tree.add(entry);
  }
}

function nothingToAdd(fs: ReadFileSystem, source: BytePath, opened: BytePath): MkrootError {
  const kind = fs.lstat(opened)?.kind;
  return new MkrootError(
    `Cannot add "${displayPath(source)}": ${kind === undefined ? 'there is no such file or directory' : `a ${kind} has no place in an initramfs`}`,
    { exitCode: ExitCode.NotFound, hint: 'Give an existing SRC, as in --file SRC:DST.' },
  );
}

/** The user's own argument may be a link; 40 is the kernel's limit, see path_resolution(7). */
function followLinks(fs: ReadFileSystem, path: BytePath): BytePath {
  let at = path;
  for (let links = 0; links <= 40; links += 1) {
    if (fs.lstat(at)?.kind !== 'symlink') return at;
    const target = fs.readlink(at);
    at = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/') + 1)}${target}`;
  }
  throw new MkrootError(`Cannot add "${displayPath(path)}": more than 40 symbolic links, probably a loop`);
}
