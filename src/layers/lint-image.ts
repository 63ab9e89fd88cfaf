import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { LAYER_RULES, type LayerFinding } from './layer-rules.js';
import { DirectoryView } from './layer-view.js';
import { findPaths } from './path-pattern.js';
import { LOOKED_AT, SECRET_PATHS, secretIn } from './secrets.js';

/**
 * Secrets of an image, at the paths where secrets live: every node that boots it, and whoever reaches the server, can read them.
 * Accounts without a password hash are none.
 * @param name of the image, for messages.
 */
export function lintImage(fs: ReadFileSystem, root: BytePath, name: string): LayerFinding[] {
  const view = new DirectoryView(fs, root);
  const paths = SECRET_PATHS.flatMap((pattern) => findPaths(pattern.replace(/\*\*$/, '*'), view));
  return [...new Set(paths)].sort().flatMap((path) => {
    if (view.entry(path)?.kind !== 'file') return [];
    const hostPath = view.hostPath(path);
    const size = fs.lstat(hostPath)?.size ?? 0;
    const secret = isKeyFile(path)
      ? size > 0 && 'a key'
      : secretIn(fs.readRange(hostPath, 0, Math.min(size, LOOKED_AT)));
    if (secret === undefined || secret === false) return [];
    const { severity, remedy } = LAYER_RULES['image-secret'];
    return [
      {
        rule: 'image-secret' as const,
        severity,
        path: displayPath(path),
        origin: `image ${name}`,
        what: `it contains ${secret}`,
        remedy,
      },
    ];
  });
}

/** Keys that are random bytes: what is in them tells nothing. */
function isKeyFile(path: BytePath): boolean {
  return /\/(munge|slurm|jwt_hs256)\.key$|\.keytab$/.test(path);
}
