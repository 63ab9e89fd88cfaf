import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { Sysroot } from '../rootfs/sysroot.js';
import { ElfBytes } from './elf-bytes.js';
import { hasElfMagic, readElfHeader } from './elf-header.js';
import { type Machine, machineOf } from './machine.js';

/** Programs that nearly every root has; their machine is the root's. */
const USUAL_PROGRAMS: readonly BytePath[] = [
  ...['/bin/sh', '/usr/bin/dash', '/usr/bin/bash', '/bin/busybox', '/usr/bin/busybox', '/usr/bin/env'],
  ...['/bin/ls', '/sbin/init', '/usr/bin/dpkg', '/usr/lib/systemd/systemd', '/bin/mount', '/sbin/ldconfig'],
];
const DIRECTORIES: readonly BytePath[] = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
/** Files of one directory that are tried when none of the usual programs is there. */
const MAX_TRIES = 200;

/**
 * The machine of an ELF file of the root; undefined if the file is no ELF file, or for a machine that Debian does not know.
 * @throws MkrootError with exit code NotFound if there is no such file.
 */
export function elfMachine(sysroot: Sysroot, path: BytePath): Machine | undefined {
  const resolved = sysroot.resolve(path);
  if (resolved?.stat.kind !== 'file') {
    throw new MkrootError(
      `Cannot tell the machine of "${displayPath(path)}": there is no such file in the root`,
      {
        exitCode: ExitCode.NotFound,
      },
    );
  }
  const { hostPath, path: name, stat } = resolved;
  if (!hasElfMagic(sysroot.fs.readRange(hostPath, 0, 4))) return undefined;
  return machineOf(readElfHeader(new ElfBytes({ fs: sysroot.fs, hostPath, name, size: stat.size })));
}

/**
 * The machine that a root is for, told from its programs.
 * @throws MkrootError if there is no program that tells.
 */
export function rootMachine(sysroot: Sysroot): Machine {
  for (const path of candidates(sysroot)) {
    if (!sysroot.isFile(path)) continue;
    const machine = elfMachine(sysroot, path);
    if (machine !== undefined) return machine;
  }
  throw new MkrootError(
    `Cannot tell the architecture of "${sysroot.displayName}": it has no program that says it`,
    {
      exitCode: ExitCode.NotFound,
      hint: 'Is it the root directory of a system? It should hold bin, usr, etc.',
    },
  );
}

function* candidates(sysroot: Sysroot): Generator<BytePath> {
  yield* USUAL_PROGRAMS;
  for (const directory of DIRECTORIES)
    yield* sysroot
      .list(directory)
      .slice(0, MAX_TRIES)
      .map((name) => `${directory}/${name}`);
}
