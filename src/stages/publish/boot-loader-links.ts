import { defaultMemoryTest } from '../../netboot/boot-menu.js';
import { defaultBootFiles } from '../../netboot/dhcp-service.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { IPXE_EFI, LOADER_FILES } from '../boot-test/prepare-lab-files.js';

/** A boot loader's file that the TFTP tree should have, and what to install for it. */
interface LoaderFile {
  readonly name: string;
  readonly places: readonly BytePath[];
  readonly packages: string;
}

/** Everything that the boot files of a tree name. There is no package with an arm64 iPXE for other machines. */
const FILES: readonly LoaderFile[] = [
  ...Object.entries(LOADER_FILES).map(([name, places]) => ({
    name,
    places,
    packages: 'pxelinux and syslinux-common (Debian) or syslinux-tftpboot (EL)',
  })),
  {
    name: defaultBootFiles.efiX64!,
    places: IPXE_EFI,
    packages: 'ipxe (Debian) or ipxe-bootimgs-x86 (EL)',
  },
  {
    name: defaultBootFiles.efiArm64!,
    places: ['/usr/lib/ipxe/snponly-arm64.efi', '/usr/share/ipxe/arm64-efi/snponly.efi'],
    packages: 'ipxe (Debian 13) or ipxe-bootimgs-aarch64 (EL)',
  },
  {
    name: defaultMemoryTest.bios,
    places: ['/boot/memtest86+x64.bin'],
    packages: 'memtest86+ (Debian)',
  },
  {
    name: defaultMemoryTest.efi,
    places: ['/boot/memtest86+x64.efi'],
    packages: 'memtest86+ (Debian)',
  },
];

/** The boot loaders of this machine, by their names in the TFTP tree, and what is missing of those that `needed` names. */
export function findBootLoaders(
  fs: ReadFileSystem,
  needed: ReadonlySet<string>,
): { readonly found: ReadonlyMap<string, BytePath>; readonly missing: readonly string[] } {
  const found = new Map<string, BytePath>();
  const missing: string[] = [];
  for (const { name, places, packages } of FILES) {
    const place = places.find((path) => fs.lstat(path) !== undefined);
    if (place !== undefined) found.set(name, place);
    else if (needed.has(name)) missing.push(`${name}: install ${packages}`);
  }
  return { found, missing };
}
