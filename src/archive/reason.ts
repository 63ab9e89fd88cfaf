import { type BytePath, displayPath } from '../ports/byte-path.js';

/**
 * Why an entry is in the archive. `of` names what asked for it (an entry's path, a module, a program), so that the reasons
 * of an archive form a tree whose roots are the user's own words: recipe lines and options.
 */
export type Reason =
  /** A line of a recipe; counted from 1. */
  | { readonly kind: 'recipe'; readonly file: string; readonly line: number }
  /** An option as it was typed, such as `--nic tg3`. */
  | { readonly kind: 'option'; readonly option: string }
  /** Every initrd of mkroot has it; `what` says what for. */
  | { readonly kind: 'base'; readonly what: string }
  /** DT_NEEDED of an ELF file; `name` is the name that was asked for. */
  | { readonly kind: 'needed'; readonly of: BytePath; readonly name: string }
  /** PT_INTERP of an ELF file or `#!` of a script. */
  | { readonly kind: 'interpreter'; readonly of: BytePath }
  /** A `.note.dlopen` of an ELF file. */
  | { readonly kind: 'dlopen'; readonly of: BytePath; readonly feature: string }
  /** glibc loads libgcc_s itself when a thread of the program is cancelled. */
  | { readonly kind: 'libgcc'; readonly of: BytePath }
  /** A kernel module that another one needs (modules.dep or `depends=`). */
  | { readonly kind: 'module-dependency'; readonly of: string }
  /** A softdep or weakdep of a kernel module. */
  | { readonly kind: 'softdep'; readonly of: string; readonly when: 'pre' | 'post' | 'weak' }
  /** A PHY or MDIO driver that a network driver asks for at run time. */
  | { readonly kind: 'phy'; readonly of: string }
  /** `firmware=` of a kernel module. */
  | { readonly kind: 'firmware'; readonly of: string }
  /** A file that a program reads, known from mkroot's own table. */
  | { readonly kind: 'data'; readonly of: BytePath }
  /** A part of initramfs-skel. */
  | { readonly kind: 'skeleton'; readonly part: string }
  /** An index that mkroot writes for the subset, such as modules.dep. */
  | { readonly kind: 'index'; readonly of: string }
  /** A directory that an entry needs above it. */
  | { readonly kind: 'parent'; readonly of: BytePath }
  /** A symbolic link that a lookup went through. */
  | { readonly kind: 'link'; readonly of: BytePath };

/** What each kind of reason says besides its kind. */
const FIELDS: Readonly<Record<Reason['kind'], readonly string[]>> = {
  recipe: ['file', 'line'],
  option: ['option'],
  base: ['what'],
  needed: ['of', 'name'],
  interpreter: ['of'],
  dlopen: ['of', 'feature'],
  libgcc: ['of'],
  'module-dependency': ['of'],
  softdep: ['of', 'when'],
  phy: ['of'],
  firmware: ['of'],
  data: ['of'],
  skeleton: ['part'],
  index: ['of'],
  parent: ['of'],
  link: ['of'],
};

/** True for what can be described, for readers of files that somebody else may have written. */
export function isReason(value: unknown): value is Reason {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const fields = Object.hasOwn(FIELDS, String(value.kind)) ? FIELDS[value.kind as Reason['kind']] : undefined;
  const said = value as Readonly<Record<string, unknown>>;
  return fields?.every((field) => ['string', 'number'].includes(typeof said[field])) === true;
}

/** The reason as a phrase that follows "because it is the": one line, for `--explain` and `mkroot why`. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'recipe':
      return `${reason.file}, line ${reason.line}`;
    case 'option':
      return `option ${reason.option}`;
    case 'base':
      return `part of every initrd: ${reason.what}`;
    case 'needed':
      return `DT_NEEDED ${reason.name} of ${displayPath(reason.of)}`;
    case 'interpreter':
      return `interpreter of ${displayPath(reason.of)}`;
    case 'dlopen':
      return `dlopen note of ${displayPath(reason.of)} (${reason.feature})`;
    case 'libgcc':
      return `libgcc_s for the threads of ${displayPath(reason.of)}`;
    case 'module-dependency':
      return `dependency of module ${reason.of}`;
    case 'softdep':
      return reason.when === 'weak'
        ? `weakdep of module ${reason.of}`
        : `softdep (${reason.when}) of module ${reason.of}`;
    case 'phy':
      return `PHY or MDIO driver that module ${reason.of} may ask for`;
    case 'firmware':
      return `firmware of module ${reason.of}`;
    case 'data':
      return `data file of ${displayPath(reason.of)}`;
    case 'skeleton':
      return `initramfs-skel: ${reason.part}`;
    case 'index':
      return `index of ${reason.of}`;
    case 'parent':
      return `directory above ${displayPath(reason.of)}`;
    case 'link':
      return `link on the way to ${displayPath(reason.of)}`;
  }
}
