import { ExitCode, MkrootError } from '../errors.js';
import { type ArchiveEntry, entrySize } from './entry.js';
import { isReason, type Reason } from './reason.js';

/** Version of the layout of a sidecar; a reader refuses another one. */
export const SIDECAR_FORMAT = 1;

/** One entry of the archive, without its contents. */
export interface SidecarEntry {
  /** Relative to the archive's root; bytes, one character each. */
  readonly path: string;
  readonly kind: ArchiveEntry['kind'];
  /** Octal digits, as ls and stat print them: "0755". */
  readonly mode: string;
  /** Bytes before compression. */
  readonly size: number;
  /** Text of a symbolic link. */
  readonly target?: string;
  /** Why it is there; the first one is the one that brought it. */
  readonly reasons: readonly Reason[];
}

/** What is in an initramfs and why: `<initrd>.json`, written beside it. */
export interface Sidecar {
  readonly format: typeof SIDECAR_FORMAT;
  /** Version of mkroot that made it. */
  readonly mkroot: string;
  /** Image and generation, if it was made for one. */
  readonly image?: { readonly name: string; readonly generation: string };
  /** Kernel release, as `uname -r` prints it. */
  readonly kernel: string;
  /** Machine architecture of the root by its Debian name. */
  readonly architecture: string;
  readonly compression: {
    readonly format: string;
    /** Program (or library) that compressed, with its version: other versions may give other bytes. */
    readonly tool?: string;
  };
  readonly sizes: {
    /** Bytes of the file. */
    readonly packed: number;
    /** Bytes of the archive before compression. */
    readonly unpacked: number;
  };
  /** sha256 of the file, in hex. */
  readonly sha256: string;
  /** Kernel modules in load order. */
  readonly modules: readonly string[];
  /** Modules that were asked for and are part of the kernel itself. */
  readonly builtins: readonly string[];
  /** Network drivers that were asked for: the modules they came to. */
  readonly nics: readonly string[];
  readonly warnings: readonly string[];
  /** In the archive's order. */
  readonly entries: readonly SidecarEntry[];
}

/** The path of the sidecar of an initramfs. */
export function sidecarPath(initrd: string): string {
  return `${initrd}.json`;
}

/** An archive's entry as the sidecar has it. */
export function sidecarEntry(entry: ArchiveEntry, reasons: readonly Reason[]): SidecarEntry {
  return {
    path: entry.path,
    kind: entry.kind,
    mode: entry.mode.toString(8).padStart(4, '0'),
    size: entrySize(entry),
    ...(entry.kind === 'symlink' ? { target: entry.target } : {}),
    reasons,
  };
}

/**
 * Reads a sidecar.
 * @param path is named in errors.
 * @throws MkrootError with exit code InvalidInput if it is not one, or of another format.
 */
export function parseSidecar(text: string, path: string): Sidecar {
  const refuse = (what: string, cause?: unknown) =>
    new MkrootError(`Cannot read the sidecar "${path}": ${what}`, {
      exitCode: ExitCode.InvalidInput,
      hint: 'Make the initramfs again with `mkroot initrd`; `mkroot inspect` reads one without a sidecar.',
      cause,
    });
  let value: Partial<Sidecar> | null;
  try {
    value = JSON.parse(text) as Partial<Sidecar> | null;
  } catch (cause) {
    throw refuse('it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw refuse('it is no JSON object');
  if (value.format !== SIDECAR_FORMAT) {
    throw refuse(`its format is ${String(value.format)}, this mkroot reads ${SIDECAR_FORMAT}`);
  }
  if (!Array.isArray(value.entries) || !value.entries.every(isEntry))
    throw refuse('it has no list of entries with their reasons');
  const lists = [value.modules, value.builtins, value.nics];
  if (!lists.every(Array.isArray) || typeof value.sha256 !== 'string')
    throw refuse('it does not say which modules and which file it describes');
  return value as Sidecar;
}

function isEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { path, kind, size, reasons } = value as Partial<Record<keyof SidecarEntry, unknown>>;
  return (
    typeof path === 'string' &&
    typeof kind === 'string' &&
    typeof size === 'number' &&
    Array.isArray(reasons) &&
    reasons.every(isReason)
  );
}
