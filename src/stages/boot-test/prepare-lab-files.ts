import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../../errors.js';
import type { BootFiles } from '../../netboot/dhcp-service.js';
import { pxelinuxDefaultPath, renderPxelinux } from '../../netboot/pxelinux.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import { Sysroot } from '../../rootfs/sysroot.js';
import type { LabExport } from '../../vm/lab-config.js';
import { TFTP } from '../../vm/lab-config.js';
import type { ExpectedNode } from './place-self-check.js';
import { writeSelfCheckLayers } from './write-self-check-layers.js';

/** What is to be booted. */
export interface BootSubject {
  /** The root directory that the node gets as its base, over NFS and read-only. */
  readonly root: BytePath;
  readonly kernel: BytePath;
  readonly initrd: BytePath;
  /** Directory with the root as one file. */
  readonly image?: BytePath;
  /** A cpio segment with the emulated NIC's driver, loaded after the initrd; none if the initrd has the driver. */
  readonly driverSegment?: BytePath;
}

/** A file that the lab serves as it is, and proof of which bytes those are. */
export interface ServedFile {
  readonly path: BytePath;
  /** Bytes. */
  readonly size: number;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/** The files of one lab, all below its own temporary directory. */
export interface LabFiles {
  readonly tftpRoot: BytePath;
  readonly exports: readonly LabExport[];
  /** NFS 4 client records. */
  readonly recovery: BytePath;
  readonly kernel: ServedFile;
  readonly initrd: ServedFile;
  readonly driverSegment: ServedFile | undefined;
  /** The last segment that the boot loader fetches, by its name in the TFTP tree. */
  readonly lastInitrd: string;
  /** What the DHCP server tells machines to load. */
  readonly bootFiles: BootFiles;
}

/** Places where distributions keep the files of SYSLINUX (Debian, Fedora and SUSE). */
export const LOADER_FILES: Readonly<Record<string, readonly BytePath[]>> = {
  [TFTP.loader]: ['/usr/lib/PXELINUX/pxelinux.0', '/usr/share/syslinux/pxelinux.0', '/tftpboot/pxelinux.0'],
  'ldlinux.c32': ['/usr/lib/syslinux/modules/bios/ldlinux.c32', '/usr/share/syslinux/ldlinux.c32'],
};

/** Places where distributions keep iPXE for UEFI (Debian, Fedora and EL). */
export const IPXE_EFI: readonly BytePath[] = [
  '/usr/lib/ipxe/snponly.efi',
  '/usr/share/ipxe/ipxe-snponly-x86_64.efi',
];

/**
 * Lays out what a lab serves; without `expected` only what goes over TFTP. Kernel and initrd are served from where they are published: the TFTP tree has links to
 * them, so what boots is the published file itself.
 */
export function prepareLabFiles(
  fs: FileSystem,
  directory: BytePath,
  subject: BootSubject,
  expected: ExpectedNode | undefined,
  commandLine: string,
): LabFiles {
  const tftpRoot = `${directory}/tftp`;
  const recovery = `${directory}/nfs-recovery`;
  for (const made of [`${tftpRoot}/pxelinux.cfg`, recovery]) fs.mkdir(made);
  for (const [name, places] of Object.entries(LOADER_FILES)) {
    fs.symlink(findLoader(fs, name, places), `${tftpRoot}/${name}`);
  }
  const serve = (name: string, path: BytePath): ServedFile => {
    const file = digest(fs, path);
    fs.symlink(file.path, `${tftpRoot}/${name}`);
    return file;
  };
  const kernel = serve(TFTP.kernel, subject.kernel);
  const initrd = serve(TFTP.initrd, subject.initrd);
  const driverSegment =
    subject.driverSegment === undefined ? undefined : serve(TFTP.driverSegment, subject.driverSegment);
  const segments = [TFTP.initrd, ...(driverSegment === undefined ? [] : [TFTP.driverSegment])];

  const exports: LabExport[] =
    expected === undefined
      ? []
      : [
          // nfs-ganesha refuses a path that leads over a link.
          { name: '/base', directory: new Sysroot(fs, '').resolve(subject.root)?.hostPath ?? subject.root },
          ...(subject.image === undefined ? [] : [{ name: '/image', directory: subject.image }]),
          ...writeSelfCheckLayers(fs, directory, subject.root, expected),
        ];
  // No serial directive: the BIOS already repeats on the serial port what the boot loader prints.
  fs.writeFile(
    `${tftpRoot}/${pxelinuxDefaultPath}`,
    renderPxelinux({
      entries: [{ label: 'mkroot', kernel: TFTP.kernel, initrds: segments, commandLine }],
    }),
  );
  return {
    tftpRoot,
    exports,
    recovery,
    kernel,
    initrd,
    driverSegment,
    lastInitrd: segments.at(-1)!,
    bootFiles: { bios: TFTP.loader },
  };
}

function findLoader(fs: FileSystem, name: string, places: readonly BytePath[]): BytePath {
  const found = places.find((path) => fs.lstat(path)?.kind === 'file');
  if (found === undefined) {
    throw new MkrootError(`Cannot find "${name}", the boot loader for PXE: it is not installed`, {
      exitCode: ExitCode.MissingTool,
      hint: 'Install pxelinux and syslinux-common (Debian) or syslinux-tftpboot (EL).',
    });
  }
  return found;
}

function digest(fs: FileSystem, path: BytePath): ServedFile {
  const found = new Sysroot(fs, '').resolve(path);
  if (found?.stat.kind !== 'file') {
    throw new MkrootError(
      `Cannot boot "${displayPath(path)}": ${found === undefined ? 'there is no such file' : `it is a ${found.stat.kind}, not a file`}`,
      { exitCode: ExitCode.NotFound },
    );
  }
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(found.hostPath)) hash.update(chunk);
  return { path: found.hostPath, size: found.stat.size, sha256: hash.digest('hex') };
}
