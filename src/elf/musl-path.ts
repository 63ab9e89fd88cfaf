import type { BytePath } from '../ports/byte-path.js';

/** Where musl's loader looks if it has no path file (ldso/dynlink.c). */
export const MUSL_DEFAULT_DIRECTORIES: readonly BytePath[] = ['/lib', '/usr/local/lib', '/usr/lib'];

/** Libraries that are part of musl's libc.so, up to the first dot after `lib`. */
const INSIDE_LIBC: ReadonlySet<string> = new Set(['c', 'pthread', 'rt', 'm', 'dl', 'util', 'xnet']);

/** True if musl's loader takes a library of that name to be itself: `libc.so`, `libpthread.so.0`, `libc.musl-x86_64.so.1`. */
export function isMuslItself(name: BytePath): boolean {
  const stem = /^lib([^.]*)\./.exec(name)?.[1];
  return stem !== undefined && INSIDE_LIBC.has(stem);
}

/** `/etc/ld-musl-x86_64.path` for a loader named `/lib/ld-musl-x86_64.so.1`; undefined if the name is no musl loader's. */
export function muslPathFile(loader: BytePath): BytePath | undefined {
  const architecture = /(?:^|\/)ld-musl-([^/]+)\.so\.1$/.exec(loader)?.[1];
  return architecture === undefined ? undefined : `/etc/ld-musl-${architecture}.path`;
}

/** The directories of a path file: separated by colons or newlines, as they are. */
export function parseMuslPath(text: string): BytePath[] {
  return text.split(/[:\n]/).filter((directory) => directory.startsWith('/'));
}
