import { createHash } from 'node:crypto';
import { fileEntry } from '../../archive/entry.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { Sysroot } from '../../rootfs/sysroot.js';

/** Where the list lies in the initrd; read by initramfs-skel/lib/mkroot/capabilities.sh. */
export const CAPABILITIES_PATH = 'etc/mkroot/capabilities';

/** What getcap(8) prints of a file: its path, then one or more clauses of cap_from_text(3); before libcap 2.42 with `=` between. */
const LINE =
  /^(?<path>\/.*?)(?: =)?(?<clauses>(?: (?:[a-z_][a-z0-9_]*(?:,[a-z_0-9]+)*|\d+)?[=+-][eip]*(?:[+-][eip]+)*)+)$/;

/**
 * Records the file capabilities of a root: NFS does not carry them, and /init gives them back where the base comes over NFS. A
 * capability belongs to the bytes that had it, so the digest of the file stands beside it.
 * The list has a line per file, in the order of their paths: sha256 in hex, capabilities as setcap(8) takes them, absolute path
 * inside the root; separated by tabs. There is none for a root without capabilities. Returns sentences for the user.
 */
export async function collectCapabilities(
  tree: ArchiveTree,
  { fs, runner }: Pick<Ports, 'fs' | 'runner'>,
  root: Sysroot,
): Promise<readonly string[]> {
  const { stdout } = await runner.run({
    argv: ['getcap', '-r', displayPath(root.root === '' ? '/' : root.root)],
  });
  const lines: string[] = [];
  const warnings: string[] = [];
  for (const printed of Buffer.from(stdout).toString('latin1').split('\n').sort()) {
    if (printed === '') continue;
    const { path: hostPath = '', clauses = '' } = LINE.exec(printed)?.groups ?? {};
    const inside = hostPath.slice(root.root.length);
    if (hostPath === '' || inside.includes('\t') || fs.lstat(hostPath)?.kind !== 'file') {
      warnings.push(
        `capabilities are lost over NFS, since getcap's words are not understood: ${displayPath(printed)}`,
      );
      continue;
    }
    lines.push(`${sha256(fs, hostPath)}\t${clauses.trim()}\t${inside}\n`);
  }
  if (lines.length > 0) {
    tree.add(
      fileEntry(CAPABILITIES_PATH, Buffer.from(lines.join(''), 'latin1'), {
        kind: 'base',
        what: 'file capabilities of the root, which NFS does not carry',
      }),
    );
  }
  return warnings;
}

function sha256(fs: Ports['fs'], path: BytePath): string {
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(path)) hash.update(chunk);
  return hash.digest('hex');
}
