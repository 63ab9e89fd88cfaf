import { join } from 'node:path/posix';
import type { BytePath } from '../ports/byte-path.js';
import { parentPath } from './layer-entry.js';
import type { LayerView, ViewedEntry } from './layer-view.js';

/** Directories of a root that are mounts of their own as soon as the node is up: layers and image show nothing there. */
export const MOUNTED_AT_BOOT: ReadonlySet<BytePath> = new Set(['/dev', '/proc', '/run', '/sys', '/tmp']);

/** What a path comes to when every link is followed. */
export type Followed = ViewedEntry | 'mount' | undefined;

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** Follows links inside a root; 'mount' for what exists only at boot, undefined where nothing is or the links are endless. */
export function followLinks(view: LayerView, start: BytePath): Followed {
  let pending = parts(start);
  let at = '/';
  let entry: ViewedEntry | undefined = view.entry('/');
  for (let links = 0; links <= MAX_LINKS; ) {
    const name = pending.shift();
    if (name === undefined) return entry ?? { kind: 'directory', mode: 0o755, uid: 0, gid: 0 };
    if (name === '..') {
      at = parentPath(at);
      entry = view.entry(at);
      continue;
    }
    const next = join(at, name);
    if (MOUNTED_AT_BOOT.has(next)) return 'mount';
    entry = view.entry(next);
    if (entry === undefined) return undefined;
    if (entry.kind !== 'symlink') {
      at = next;
      continue;
    }
    links += 1;
    if (entry.target?.startsWith('/')) at = '/';
    pending = [...parts(entry.target ?? ''), ...pending];
  }
  return undefined;
}

function parts(path: BytePath): BytePath[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
