/** Keys of the kernel command line that /init knows, without `mkroot.`; a test compares them with parameters.sh. */
export const BOOT_KEYS = [
  'base',
  'cluster',
  'disk',
  'generation',
  'host',
  'hostname',
  'image',
  'nfsopts',
  'nfsvers',
  'report',
  'roots',
  'rw',
] as const;

/** Arguments that name a root, which `mkroot.base=` goes before. */
export const IDLE_ARGUMENTS: readonly string[] = ['root', 'nfsroot', 'rootfstype', 'rootflags'];
