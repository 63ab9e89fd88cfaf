import type { BytePath } from '../ports/byte-path.js';
import { type Compression, compressionOf, moduleName, unpackedName } from './module-name.js';

/** A module of a kernel, not yet read. */
export interface ModuleFile {
  readonly name: string;
  /** Relative to the modules directory, as modules.dep writes it: `kernel/fs/nfs/nfs.ko.xz`. */
  readonly relative: BytePath;
  /** Inside the root. */
  readonly path: BytePath;
  readonly compression: Compression;
}

/** The modules of a kernel by name, one for each: the winner among those of equal name. */
export interface ModuleIndex {
  /** By the module's name with '_' for '-'. */
  find(name: string): ModuleFile | undefined;
  /** Every module's name, in a fixed order. */
  names(): Iterable<string>;
  /** Every module that it needs, direct or not; undefined if only the module itself can tell. */
  dependencies(name: string): readonly string[] | undefined;
}

/** Describes the module at a path relative to the modules directory, or at an absolute one inside the root. */
export function moduleFile(directory: BytePath, relative: BytePath): ModuleFile {
  return {
    name: moduleName(relative),
    relative,
    path: relative.startsWith('/') ? relative : `${directory}/${relative}`,
    compression: compressionOf(relative),
  };
}

/**
 * Where a module goes in an image: unpacked, below /lib/modules. One that depmod was told to find outside the modules
 * directory (`search external` in depmod.d(5)) goes to `external`.
 */
export function targetRelative(relative: BytePath): BytePath {
  const file = unpackedName(relative);
  return file.startsWith('/') ? `external/${file.slice(file.lastIndexOf('/') + 1)}` : file;
}
