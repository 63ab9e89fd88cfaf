import { hostFileEntry } from '../../archive/entry.js';
import type { ArchiveTree } from '../../archive/tree.js';
import { ElfFile } from '../../elf/elf-file.js';
import { describeMachine } from '../../elf/machine.js';
import { ExitCode, MkrootError } from '../../errors.js';
import type { Resolved, Sysroot } from '../../rootfs/sysroot.js';

/** Where distributions put a static busybox, the likeliest first. */
const PLACES = [
  '/bin/busybox',
  '/usr/bin/busybox',
  '/bin/busybox.static',
  '/usr/sbin/busybox',
  '/sbin/busybox',
];

/** Without this applet there is no address: Debian's package `busybox` (not busybox-static) lacks it. */
const ESSENTIAL_APPLET = 'udhcpc';

/**
 * Adds a static busybox as /bin/busybox: the root's own, or the host's if it is for the same machine.
 * @param architecture of the root, by its Debian name.
 * @throws MkrootError NotFound with what each candidate lacks.
 */
export function collectBusybox(tree: ArchiveTree, root: Sysroot, host: Sysroot, architecture: string): void {
  const refusals: string[] = [];
  for (const [sysroot, where] of [
    [root, 'the root'],
    [host, 'the host'],
  ] as const) {
    for (const path of PLACES) {
      const candidate = sysroot.resolve(path);
      if (candidate?.stat.kind !== 'file') continue;
      const problem = whatIsWrong(sysroot, candidate, architecture);
      if (problem === undefined) {
        tree.add(
          hostFileEntry(
            'bin/busybox',
            { hostPath: candidate.hostPath, size: candidate.stat.size },
            { kind: 'base', what: `shell and tools of /init, from ${where}` },
            { mode: 0o755 },
          ),
        );
        return;
      }
      refusals.push(`  ${path} of ${where}: ${problem}`);
    }
  }
  throw new MkrootError(
    `Cannot find a static busybox for ${architecture} in "${root.displayName}" or on the host`,
    {
      exitCode: ExitCode.NotFound,
      details: [...new Set(refusals)],
      hint: 'Install it in the root: package busybox-static (Debian), busybox (EL with EPEL).',
    },
  );
}

function whatIsWrong(sysroot: Sysroot, candidate: Resolved, architecture: string): string | undefined {
  try {
    return whyUnusable(sysroot, candidate, architecture);
  } catch (error) {
    // No ELF file at all; another candidate may be sound.
    if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) return error.message;
    throw error;
  }
}

function whyUnusable(
  sysroot: Sysroot,
  { path, hostPath, stat }: Resolved,
  architecture: string,
): string | undefined {
  const elf = new ElfFile({ fs: sysroot.fs, hostPath, name: path, size: stat.size });
  const machine = describeMachine(elf.header);
  if (machine !== architecture) return `it is for ${machine}`;
  if (elf.linkage === 'dynamic') return 'it is linked dynamically';
  const hasApplet = Buffer.from(sysroot.fs.readFile(hostPath)).includes(
    `\0${ESSENTIAL_APPLET}\0`,
    0,
    'latin1',
  );
  return hasApplet ? undefined : `it has no ${ESSENTIAL_APPLET}`;
}
