import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mkrootJson } from './run-mkroot.js';

/** A kernel of a root and an initrd for it, as `mkroot qemu-test` takes them. */
export interface RootInitrd {
  readonly root: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** Makes an initrd for the kernel of a root in `directory`. */
export async function makeRootInitrd(
  root: string,
  directory: string,
  ...flags: readonly string[]
): Promise<RootInitrd> {
  const kernel = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz-'))!;
  const initrd = join(directory, `${kernel}.img`);
  const release = kernel.replace('vmlinuz-', '');
  await mkrootJson('initrd', '--root', root, '--kernel', release, ...flags, '--output', initrd);
  return { root, kernel: join(root, 'boot', kernel), initrd };
}

/** The options of `mkroot qemu-test` that name them. */
export function subjectFlags({ root, kernel, initrd }: RootInitrd): readonly string[] {
  return ['--root', root, '--kernel', kernel, '--initrd', initrd];
}
