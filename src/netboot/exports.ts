import { MkrootError } from '../errors.js';

/** A line of /etc/exports: one directory, its clients and their options. */
export interface KernelExport {
  /** Absolute. */
  readonly path: string;
  /** Addresses, networks or host names; there is always at least one, and `*` is refused. */
  readonly clients: readonly string[];
  readonly access?: 'ro' | 'rw';
  /** Root of a client is nobody here, for directories that many clients write to. Default false: a node's root has to read its files. */
  readonly squashRoot?: boolean;
  /**
   * Refuses file handles of files outside the directory. Without it a client that may mount one directory can guess its way into
   * the rest of the same file system, such as other nodes' keys. Default false.
   */
  readonly subtreeCheck?: boolean;
  /** Distinguishes exports whose file system has no UUID of its own (tmpfs, overlay), see exports(5). */
  readonly fsid?: number;
}

/** One line for the kernel's NFS server. The root file system has to be readable as root, hence no_root_squash, hence never for everybody. */
export function renderExport({
  path,
  clients,
  access = 'ro',
  squashRoot = false,
  subtreeCheck = false,
  fsid,
}: KernelExport): string {
  if (!path.startsWith('/') || /[\x00-\x08\x0a-\x1f\x7f]/.test(path)) {
    throw new MkrootError(`Cannot export "${path}": the path has to be absolute and on one line`);
  }
  if (clients.length === 0) throw new MkrootError(`Cannot export "${path}": it has no clients`);
  const options = [
    access,
    // Asynchronous writes lose what a node was told is stored.
    'sync',
    squashRoot ? 'root_squash' : 'no_root_squash',
    subtreeCheck ? 'subtree_check' : 'no_subtree_check',
    ...(fsid === undefined ? [] : [`fsid=${fsid}`]),
  ].join(',');
  const permitted = clients.map((client) => {
    if (!/^[A-Za-z0-9@][A-Za-z0-9./:@-]*$/.test(client)) {
      throw new MkrootError(
        `Cannot export "${path}" to "${client}": it is no address, network or host name`,
        {
          hint: 'An export with no_root_squash is never for everybody.',
        },
      );
    }
    return `${client}(${options})`;
  });
  // exports(5): blanks and other special characters as octal escapes.
  const escaped = path.replaceAll(
    /[\s"#\\]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `${escaped} ${permitted.join(' ')}`;
}

/** /etc/exports, sorted by path. */
export function renderExports(entries: readonly KernelExport[]): string {
  return [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map((entry) => `${renderExport(entry)}\n`)
    .join('');
}
