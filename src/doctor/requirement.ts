/** What somebody wants to do with mkroot; `--for` of `mkroot doctor` takes these. */
export const PURPOSES = [
  'build',
  'initrd',
  'publish',
  'netboot',
  'serve',
  'enter',
  'qemu-test',
  'test',
  'bench',
] as const;

/** One of {@link PURPOSES}. */
export type Purpose = (typeof PURPOSES)[number];

/** How the presence of a requirement is found out. Declared as data, so that the table of requirements is one. */
export type Probe =
  /** A program in PATH or at one of further places; `version` are the arguments that make it print its version. */
  | { readonly kind: 'program'; readonly program: string; readonly version?: readonly string[] }
  /** One of these files exists. */
  | { readonly kind: 'file'; readonly anyOf: readonly string[] }
  /** A device that can be opened for reading and writing. */
  | { readonly kind: 'device'; readonly path: string }
  /** A file system that the kernel knows or can load. */
  | { readonly kind: 'filesystem'; readonly name: string }
  /** mount, pid, network, host name and ipc namespaces, made by unshare(1). */
  | { readonly kind: 'namespaces' }
  /** The rights of user 0. */
  | { readonly kind: 'superuser' };

/** Something that a host must or should have. */
export interface Requirement {
  readonly name: string;
  readonly probe: Probe;
  /** What cannot be done without it. */
  readonly requiredFor: readonly Purpose[];
  /** What is better with it. */
  readonly usefulFor: readonly Purpose[];
  /** What it does there, as a clause for a table. */
  readonly why: string;
  /** Debian and derivatives: packages to install; empty when no package brings it. */
  readonly debian: readonly string[];
  /** RHEL, Rocky, Alma and Fedora: packages to install. */
  readonly el: readonly string[];
  /** What to do where no package helps. */
  readonly advice?: string;
}
