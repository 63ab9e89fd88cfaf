import { MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { LAYER_RULES, type LayerFinding } from './layer-rules.js';
import { DirectoryView } from './layer-view.js';
import { findPaths } from './path-pattern.js';
import { LOOKED_AT, SECRET_PATHS, secretIn } from './secrets.js';

/**
 * Secrets of an image, at the paths where secrets live: every node that boots it, and whoever reaches the server, can read them.
 * Accounts without a password hash are none. What only root may read is left out for others, and said.
 * @param name of the image, for messages.
 */
export function lintImage(fs: ReadFileSystem, root: BytePath, name: string): LayerFinding[] {
  const view = new DirectoryView(fs, root);
  const unread: BytePath[] = [];
  const paths = SECRET_PATHS.flatMap(
    (pattern) =>
      unlessDenied(() => findPaths(pattern.replace(/\*\*$/, '*'), view)) ?? noted(unread, pattern, []),
  );
  const finding = (rule: 'image-secret' | 'image-unread', path: BytePath, what: string): LayerFinding => {
    const { severity, remedy } = LAYER_RULES[rule];
    return { rule, severity, path: displayPath(path), origin: `image ${name}`, what, remedy };
  };
  const secrets = [...new Set(paths)].sort().flatMap((path) => {
    const secret = unlessDenied(() => secretAt(fs, view, path)) ?? noted(unread, path, false);
    return secret === false ? [] : [finding('image-secret', path, `it contains ${secret}`)];
  });
  const [first] = unread.sort();
  const others = unread.length > 1 ? `, nor ${unread.length - 1} other paths` : '';
  const what = `it cannot be read${others}`;
  return [...secrets, ...(first === undefined ? [] : [finding('image-unread', first, what)])];
}

/** What kind of secret a file is or has; false for none. */
function secretAt(fs: ReadFileSystem, view: DirectoryView, path: BytePath): string | false {
  if (view.entry(path)?.kind !== 'file') return false;
  const hostPath = view.hostPath(path);
  const size = fs.lstat(hostPath)?.size ?? 0;
  if (isKeyFile(path)) return size > 0 && 'a key';
  return secretIn(fs.readRange(hostPath, 0, Math.min(size, LOOKED_AT))) ?? false;
}

function noted<T>(unread: BytePath[], path: BytePath, otherwise: T): T {
  unread.push(path);
  return otherwise;
}

/** What a look at the image comes to; undefined where the user may not look. */
function unlessDenied<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const cause = error instanceof MkrootError ? error.cause : undefined;
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') return undefined;
    throw error;
  }
}

/** Keys that are random bytes: what is in them tells nothing. */
function isKeyFile(path: BytePath): boolean {
  return /\/(munge|slurm|jwt_hs256)\.key$|\.keytab$/.test(path);
}
