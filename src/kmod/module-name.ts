import type { BytePath } from '../ports/byte-path.js';

/** How a module or firmware file is packed; the kernel's build offers these (MODULE_COMPRESS_* in Kconfig). */
export type Compression = 'none' | 'gzip' | 'xz' | 'zstd';

const SUFFIXES: readonly (readonly [string, Compression])[] = [
  ['.gz', 'gzip'],
  ['.xz', 'xz'],
  ['.zst', 'zstd'],
];

/** Compression by a file's name. */
export function compressionOf(path: BytePath): Compression {
  return SUFFIXES.find(([suffix]) => path.endsWith(suffix))?.[1] ?? 'none';
}

/** The name that a file has once it is unpacked: `tg3.ko` for `tg3.ko.xz`. */
export function unpackedName(path: BytePath): BytePath {
  const suffix = SUFFIXES.find(([ending]) => path.endsWith(ending))?.[0];
  return suffix === undefined ? path : path.slice(0, -suffix.length);
}

/** True for `.ko`, `.ko.gz`, `.ko.xz` and `.ko.zst`. */
export function isModulePath(path: BytePath): boolean {
  return unpackedName(path).endsWith('.ko');
}

/** A module's name as the kernel spells it: '-' and '_' are the same, and '_' is written. */
export function normalizeName(name: string): string {
  return name.includes('-') ? name.replaceAll('-', '_') : name;
}

/** The module's name: the file's name up to the first '.', with '_' for '-'. */
export function moduleName(path: BytePath): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const dot = base.indexOf('.');
  return normalizeName(dot < 0 ? base : base.slice(0, dot));
}

/** An alias or a lookup with '_' for '-', except inside brackets, where '-' is a range; as kmod's `alias_normalize`. */
export function normalizeAlias(alias: string): string {
  return alias.includes('-') ? alias.replace(/\[[^\]]*\]|-/g, (part) => (part === '-' ? '_' : part)) : alias;
}
