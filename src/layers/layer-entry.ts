import type { BytePath } from '../ports/byte-path.js';

/** Bytes of a file in a layer: made by mkroot, or those of a file of the host. */
export type LayerContent = { readonly data: Uint8Array } | { readonly source: BytePath };

interface EntryBase {
  /** Absolute path inside the root; '/' is the layer itself. */
  readonly path: BytePath;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What it was made from, for messages: a file of an overlay, or which command. */
  readonly origin: string;
}

/** A directory of a layer. */
export interface LayerDirectory extends EntryBase {
  readonly kind: 'directory';
  /** Owner or mode were asked for; otherwise those of the directory below win, see {@link settleLayer}. */
  readonly declared: boolean;
  /** Nothing of the layers below shows in it. */
  readonly clears: boolean;
}

/** A regular file of a layer. */
export interface LayerFile extends EntryBase {
  readonly kind: 'file';
  readonly declared: boolean;
  readonly content: LayerContent;
  /** Its template could not be rendered: what it says is not known. Such a layer is linted, never written. */
  readonly broken?: true;
}

/** A symbolic link of a layer; its mode says nothing. */
export interface LayerLink extends EntryBase {
  readonly kind: 'symlink';
  readonly target: BytePath;
}

/**
 * Says that nothing of the layers below shows at its path. Written as a character device 0:0, which overlayfs understands
 * over NFS too; opaque directories need trusted xattrs, which do not cross it.
 */
export interface LayerWhiteout extends EntryBase {
  readonly kind: 'whiteout';
}

/** What a layer may not have: a device, pipe or socket. Kept so that the linter can name it. */
export interface LayerSpecial extends EntryBase {
  readonly kind: 'special';
  readonly what: 'character' | 'block' | 'fifo' | 'socket';
}

/** One name of a layer. */
export type LayerEntry = LayerDirectory | LayerFile | LayerLink | LayerWhiteout | LayerSpecial;

/** The directory of a path inside a root. */
export function parentPath(path: BytePath): BytePath {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** A name in a directory, both inside a root. */
export function childPath(directory: BytePath, name: BytePath): BytePath {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

/** '/', '/etc', '/etc/ssh' for '/etc/ssh/sshd_config': every directory above a path, the topmost first. */
export function pathsAbove(path: BytePath): BytePath[] {
  if (path === '/') return [];
  const above = ['/'];
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) above.push(path.slice(0, at));
  return above;
}
