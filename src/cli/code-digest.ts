import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type BytePath, toBytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';

/**
 * Digest of mkroot's own code as it is installed here: sizes, inodes and times of change of its files, which is quick. Other code
 * may make something else from the same inputs, so what is remembered of results counts for the same code only.
 */
export function codeDigest(fs: ReadFileSystem): string {
  const hash = createHash('sha256');
  const visit = (path: BytePath) => {
    const stat = fs.lstat(path);
    if (stat === undefined) return;
    hash.update(`${path}\0${stat.ino}\0${stat.size}\0${stat.changedMs}\n`);
    if (stat.kind === 'directory') for (const name of fs.readdir(path)) visit(`${path}/${name}`);
  };
  for (const part of ['../../dist', '../../package.json', '../../node_modules/liquidjs/package.json']) {
    visit(toBytePath(fileURLToPath(new URL(part, import.meta.url))));
  }
  return hash.digest('hex');
}
