import type { BytePath } from '../ports/byte-path.js';
import type { Priority } from './dlopen-notes.js';

/** Why a file is part of a closure. `of` is always a path inside the root, without links. */
export type ClosureCause =
  /** The caller asked for it; `label` is the caller's own word for why. */
  | { readonly kind: 'requested'; readonly label: string }
  /** The dynamic loader of a program (PT_INTERP). */
  | { readonly kind: 'interpreter'; readonly of: BytePath }
  /** DT_NEEDED of a program or library. */
  | { readonly kind: 'needed'; readonly of: BytePath; readonly soname: BytePath }
  /** `.note.dlopen` of a program or library. */
  | {
      readonly kind: 'dlopen';
      readonly of: BytePath;
      readonly soname: BytePath;
      readonly feature: string;
      readonly priority: Priority;
    }
  /** glibc opens libgcc_s when a thread is cancelled or ends (pthread_cancel(3), pthread_exit(3)). */
  | { readonly kind: 'threads'; readonly of: BytePath; readonly symbol: string }
  /** Interpreter in a script's first line. */
  | { readonly kind: 'shebang'; readonly of: BytePath }
  /** A data rule (see data-rules.ts); `why` says what the file is for. */
  | { readonly kind: 'data'; readonly of: BytePath; readonly why: string }
  /** The loader's own search path (musl's /etc/ld-musl-ARCH.path). */
  | { readonly kind: 'loader-configuration'; readonly of: BytePath }
  /** Stands in a default directory because the library lies in one that only ld.so.conf names. */
  | { readonly kind: 'placement'; readonly of: BytePath; readonly directory: BytePath };

/** A cause in a few words, such as `DT_NEEDED libtirpc.so.3 of /usr/sbin/mount.nfs`. */
export function describeCause(cause: ClosureCause): string {
  switch (cause.kind) {
    case 'requested':
      return cause.label;
    case 'interpreter':
      return `dynamic loader of ${cause.of}`;
    case 'needed':
      return `DT_NEEDED ${cause.soname} of ${cause.of}`;
    case 'dlopen':
      return `dlopen note ${cause.soname} (${cause.priority}${cause.feature && `, ${cause.feature}`}) of ${cause.of}`;
    case 'threads':
      return `glibc loads it for threads, ${cause.of} calls ${cause.symbol}`;
    case 'shebang':
      return `interpreter of the script ${cause.of}`;
    case 'data':
      return `data rule of ${cause.of}: ${cause.why}`;
    case 'loader-configuration':
      return `search path of the loader of ${cause.of}`;
    case 'placement':
      return `${cause.of} lies in ${cause.directory}, which only ld.so.conf names`;
  }
}
