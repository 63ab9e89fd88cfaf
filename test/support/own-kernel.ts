import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAST_PACKAGES } from './i386-recipe.js';
import { bzImage } from './kernel-fixture.js';

/** Release of the kernel that {@link ownDebPackage} brings: older than any real one. */
export const OWN_RELEASE = '5.0.0-own';

/** A kernel without a single module, as with CONFIG_NFS_FS=y, CONFIG_OVERLAY_FS=y and drivers built in. */
export const OWN_BUILTINS = [
  ...['fs/nfs/nfs', 'fs/nfs/nfsv3', 'fs/overlayfs/overlay', 'net/packet/af_packet'],
  ...['drivers/net/ethernet/intel/e1000/e1000', 'drivers/net/virtio_net'],
].map((path) => `kernel/${path}.ko\n`);

/** Writes the files of that kernel below a directory, laid out as `make bindeb-pkg` and `make modules_install` do. */
export function writeOwnKernel(directory: string, image = `boot/vmlinuz-${OWN_RELEASE}`): void {
  const modules = join(directory, 'lib/modules', OWN_RELEASE);
  mkdirSync(join(modules, 'kernel'), { recursive: true });
  writeFileSync(join(modules, 'modules.builtin'), OWN_BUILTINS.join(''));
  writeFileSync(join(modules, 'modules.order'), '');
  mkdirSync(join(directory, image, '..'), { recursive: true });
  writeFileSync(join(directory, image), bzImage(OWN_RELEASE));
}

/**
 * Makes a .deb file with that kernel.
 * @param depends a package that no recipe of the test names.
 * @returns its path.
 */
export function ownDebPackage(directory: string, depends: string): string {
  const tree = join(directory, 'own-deb');
  writeOwnKernel(tree);
  mkdirSync(join(tree, 'DEBIAN'));
  const control = {
    Package: `linux-image-${OWN_RELEASE}`,
    Version: '1',
    Architecture: 'amd64',
    Maintainer: 'A test <test@example.org>',
    Depends: depends,
    Description: 'kernel of a test',
  };
  const lines = Object.entries(control).map(([field, value]) => `${field}: ${value}\n`);
  writeFileSync(join(tree, 'DEBIAN/control'), lines.join(''));
  const file = join(directory, `linux-image-${OWN_RELEASE}_1_amd64.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, file], { stdio: 'pipe' });
  rmSync(tree, { recursive: true });
  return file;
}

/** A spec file with that kernel, laid out as `make binrpm-pkg` does. */
export function ownRpmSpec(requires: string): string {
  const modules = `/usr/lib/modules/${OWN_RELEASE}`;
  return `Name: kernel-own
Version: ${OWN_RELEASE.replace('-', '_')}
Release: 1
BuildArch: noarch
Summary: kernel of a test
License: MIT
Requires: ${requires}
%description
kernel of a test
%install
mkdir -p %{buildroot}${modules}
echo kernel > %{buildroot}${modules}/vmlinuz
printf '${OWN_BUILTINS.join('').replaceAll('\n', '\\n')}' > %{buildroot}${modules}/modules.builtin
%files
${modules}
`;
}

/** What depmod(8) writes; `make modules_install` on a machine without it leaves the rest. */
const INDEXES = /^modules\.(dep|alias|symbols|softdep|weakdep|devname|builtin\.(bin|alias\.bin))(\.bin)?$/;

/** Drivers that no virtual machine has, and most of the bytes. */
const NOT_NEEDED =
  /\/kernel\/(sound|drivers\/(gpu|media|staging|infiniband|iio|usb|scsi|mtd|isdn|comedi|bluetooth|md|ata|hid|power|video|thunderbolt)|fs\/(ocfs2|btrfs|xfs|gfs2|jfs|f2fs|ceph|smb))$/;

/**
 * Takes the kernel out of a root as if it had been built by hand: DIR/bzImage, and DIR/modules as INSTALL_MOD_PATH, without
 * indexes and with the link into a build tree.
 */
function takeKernel(root: string, directory: string): { readonly release: string } {
  const [release = ''] = readdirSync(join(root, 'usr/lib/modules'));
  const from = join(root, 'usr/lib/modules', release);
  const to = join(directory, 'modules/lib/modules', release);
  cpSync(from, to, {
    recursive: true,
    filter: (path) => !NOT_NEEDED.test(path) && !INDEXES.test(path.slice(path.lastIndexOf('/') + 1)),
  });
  execFileSync('ln', ['-sfn', '/home/builder/linux', join(to, 'build')]);
  cpSync(join(root, 'boot', `vmlinuz-${release}`), join(directory, 'bzImage'));
  return { release };
}

/** A recipe of a system that boots, without name and kernels. */
export const SYSTEM = `distribution: debian
suite: trixie
architecture: amd64
${LEAST_PACKAGES}
initrd: { nic: [virtio_net, e1000] }
`;

/** A recipe with three kernels: of a package, of a tree that boots, and of one that has everything built in. */
export function severalKernels(
  directory: string,
  root: string,
): { readonly recipe: string; readonly release: string } {
  const { release } = takeKernel(root, join(directory, 'build'));
  writeOwnKernel(join(directory, 'own'), 'arch/x86/boot/bzImage');
  const recipe = `${SYSTEM}kernel:
  - package: linux-image-cloud-amd64
  - { image: build/bzImage, modules: build/modules }
  - { image: own/arch/x86/boot/bzImage, modules: own/lib/modules/${OWN_RELEASE} }
`;
  return { recipe, release };
}
