import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildElf, buildGlibcLoader, buildProgram } from './elf-fixture.js';
import { moduleFixture } from './module-fixture.js';

/** The kernel of small roots. */
export const SMALL_RELEASE = '6.1.0-test';

/** Modules of small roots, by path below the modules directory, with their `.modinfo`. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  'kernel/drivers/net/ethernet/broadcom/tg3.ko': [
    'depends=libphy',
    'alias=pci:v000014E4d00001657sv*sd*bc*sc*i*',
  ],
  'kernel/drivers/net/ethernet/realtek/r8169.ko': ['depends=libphy'],
  'kernel/drivers/net/phy/libphy.ko': ['depends='],
  'kernel/fs/nfs/nfs.ko': ['depends='],
  'kernel/fs/overlayfs/overlay.ko': ['depends='],
  'kernel/net/packet/af_packet.ko': ['depends='],
};

/** Path of a module of a small root, by the end of its name. */
export function smallModule(root: string, name: string): string {
  const path = Object.keys(MODULES).find((one) => one.endsWith(`/${name}.ko`));
  if (path === undefined) throw new Error(`Small roots have no module ${name}`);
  return join(root, 'usr/lib/modules', SMALL_RELEASE, path);
}

/**
 * Writes a root of a dozen made-up files, a few kilobytes, that `mkroot initrd --nic tg3` and `--program /usr/bin/hello` accept: a
 * busybox, a program with its loader and library, a kernel with its modules and modules.dep. To be broken by tests.
 */
export function makeSmallRoot(root: string): string {
  const modules = `usr/lib/modules/${SMALL_RELEASE}`;
  const dep = Object.entries(MODULES).map(([path, [depends = '']]) =>
    depends === 'depends=libphy' ? `${path}: kernel/drivers/net/phy/libphy.ko` : `${path}:`,
  );
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'etc/hostname': 'node\n',
    'usr/bin/busybox': buildElf({ type: 2, static: true, trailer: Buffer.from('\0udhcpc\0') }),
    'usr/bin/sh': buildProgram({ type: 2 }),
    'usr/bin/hello': buildProgram({ type: 2 }),
    'usr/lib64/ld-linux-x86-64.so.2': buildGlibcLoader(['/lib64', '/usr/lib']),
    'usr/lib/libc.so.6': buildElf({ soname: 'libc.so.6' }),
    [`${modules}/modules.dep`]: `${dep.join('\n')}\n`,
    ...Object.fromEntries(
      Object.entries(MODULES).map(([path, modinfo]) => [`${modules}/${path}`, moduleFixture({ modinfo })]),
    ),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o755 });
  }
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  return root;
}
