import { ExitCode, MkrootError } from '../../errors.js';
import { renderIpxe } from '../../netboot/ipxe.js';
import type { FileSystem } from '../../ports/file-system.js';
import { TFTP } from '../../vm/lab-config.js';
import { LAB } from '../../vm/lab-network.js';
import { IPXE_EFI, type LabFiles } from './prepare-lab-files.js';

/**
 * Adds to the TFTP tree of a lab what machines with UEFI load: iPXE, and a script that goes on with kernel and initrd.
 * @param http the firmware fetches iPXE over HTTP, from the same directory.
 * @throws MkrootError MissingTool that names the package.
 */
export function placeIpxe(
  fs: FileSystem,
  files: LabFiles,
  { commandLine, http }: { readonly commandLine: string; readonly http: boolean },
): LabFiles {
  const ipxe = IPXE_EFI.find((path) => fs.lstat(path) !== undefined);
  if (ipxe === undefined) {
    throw new MkrootError(`Cannot find "${TFTP.ipxe}", the boot loader for UEFI: it is not installed`, {
      exitCode: ExitCode.MissingTool,
      hint: 'Install ipxe (Debian) or ipxe-bootimgs-x86 (EL).',
    });
  }
  fs.symlink(ipxe, `${files.tftpRoot}/${TFTP.ipxe}`);
  const entry = {
    kind: 'image',
    label: 'mkroot',
    title: 'mkroot',
    kernel: TFTP.kernel,
    initrds: [TFTP.initrd, ...(files.driverSegment === undefined ? [] : [TFTP.driverSegment])],
    commandLine,
  } as const;
  fs.writeFile(
    `${files.tftpRoot}/${TFTP.ipxeScript}`,
    renderIpxe({ entries: [entry], defaultLabel: entry.label, timeout: 0 }, `tftp://${LAB.server}/`),
  );
  return {
    ...files,
    bootFiles: {
      ...files.bootFiles,
      efiX64: TFTP.ipxe,
      ...(http ? { efiX64Http: `http://${LAB.server}/${TFTP.ipxe}` } : {}),
      ipxe: TFTP.ipxeScript,
    },
  };
}
