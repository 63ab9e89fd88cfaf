import type { ModuleRequest } from '../../src/kmod/driver-request.js';
import { openKernel } from '../../src/kmod/kernel.js';
import { type ModuleClosure, resolveModules } from '../../src/kmod/module-closure.js';
import { Unpacker } from '../../src/kmod/unpacker.js';
import { Sysroot } from '../../src/rootfs/sysroot.js';
import { type MemoryTree, memoryFileSystem } from './memory-file-system.js';
import { moduleFixture } from './module-fixture.js';
import { ScriptedRunner } from './scripted-runner.js';

/** The release of made-up kernels. */
export const RELEASE = '6.1.0-test';

/** Where the made-up kernel's modules lie, on the host. */
export const MODULES = `/root/usr/lib/modules/${RELEASE}`;

/** Modules by path below the modules directory, as their `.modinfo` strings; other files of that directory as text. */
export function kernelTree(
  modules: Readonly<Record<string, readonly string[]>>,
  others: Readonly<Record<string, string | Uint8Array>> = {},
): MemoryTree {
  return Object.fromEntries([
    ['/root/lib', { link: 'usr/lib' }],
    ...Object.entries(modules).map(([path, modinfo]) => [`${MODULES}/${path}`, moduleFixture({ modinfo })]),
    ...Object.entries(others).map(([path, text]) => [`${MODULES}/${path}`, text]),
  ]);
}

/** The closure for some names in a made-up root. */
export async function closureIn(
  tree: MemoryTree,
  requests: readonly (string | Partial<ModuleRequest>)[],
  { strict = false }: { strict?: boolean } = {},
): Promise<ModuleClosure> {
  const fs = memoryFileSystem(tree);
  const asked = requests.map((request) => {
    const partial = typeof request === 'string' ? { what: request } : request;
    const what = partial.what ?? '';
    return { kind: 'driver' as const, label: `--driver ${what}`, ...partial, what };
  });
  return resolveModules(openKernel(new Sysroot(fs, '/root')), asked, {
    unpacker: new Unpacker(fs, new ScriptedRunner()),
    strict,
  });
}

/** Names that are loaded, in order. */
export function loaded(closure: ModuleClosure): string[] {
  return closure.modules.filter(({ load }) => load).map(({ name }) => name);
}

/** Names that are there for the kernel to ask for. */
export function shipped(closure: ModuleClosure): string[] {
  return closure.modules.filter(({ load }) => !load).map(({ name }) => name);
}

/** The start of a bzImage, as far as its release (`uname -r`) is concerned; see Documentation/arch/x86/boot.rst of the kernel. */
export function bzImage(release: string, builder = 'test@localhost'): Buffer {
  const image = Buffer.alloc(0x1000);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x600, 0x20e);
  image.write(`${release} (${builder}) #1 SMP\0`, 0x800, 'latin1');
  return image;
}
