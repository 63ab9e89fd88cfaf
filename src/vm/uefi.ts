import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';

/** A UEFI firmware for QEMU, as two files of flash memory. */
export interface UefiFiles {
  /** Read-only; shared by all machines. */
  readonly code: BytePath;
  /** The machine's own copy, which the firmware writes to. */
  readonly variables: BytePath;
}

/** Where distributions keep OVMF, the UEFI firmware of PCs (Debian; Fedora and EL). */
export const OVMF_FILES: readonly UefiFiles[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  { code: '/usr/share/edk2/ovmf/OVMF_CODE.fd', variables: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
];

/**
 * OVMF with the variables that a new machine has.
 * @throws MkrootError with exit code MissingTool that names the package.
 */
export function findOvmf(fs: ReadFileSystem): UefiFiles {
  const found = OVMF_FILES.find(({ code, variables }) =>
    [code, variables].every((path) => fs.lstat(path) !== undefined),
  );
  if (found !== undefined) return found;
  throw new MkrootError('Cannot boot a machine with UEFI: its firmware OVMF is not installed', {
    exitCode: ExitCode.MissingTool,
    hint: 'Install ovmf (Debian) or edk2-ovmf (EL), or test with BIOS: --firmware bios',
  });
}

/** The firmware of one machine: the variables are copied to a file of its own. */
export function withOwnVariables(fs: FileSystem, { code, variables }: UefiFiles, path: BytePath): UefiFiles {
  fs.writeFile(path, fs.readFile(variables));
  return { code, variables: path };
}
