/** A directory of an NFS server that a node mounts over the union of its layers. */
export interface PersistentMount {
  /** Address of the server. */
  readonly server: string;
  /** Exported directory; /init replaces %h, %i and %m. */
  readonly directory: string;
  /** Where the node sees it. */
  readonly path: string;
  readonly access: 'ro' | 'rw';
  /** Other nodes write to it, too. */
  readonly shared: boolean;
  /** Further mount options, comma-separated; they go before mkroot's own. */
  readonly options?: string;
}

/**
 * /etc/mkroot/persistent, which /init reads: fstab(5), in the order in which it mounts. A directory that no other node writes to
 * needs no locks on the server (nolock); others are mounted by a version of NFS that has them.
 */
export function renderPersistentMounts(mounts: readonly PersistentMount[]): string {
  return [
    '# Written by mkroot. /init mounts this over the layers; docs/persistent.md.',
    ...mounts.map(
      (mount) => `${mount.server}:${mount.directory} ${mount.path} nfs ${mountOptions(mount)} 0 0`,
    ),
    '',
  ].join('\n');
}

function mountOptions({ access, shared, options }: PersistentMount): string {
  const own = options?.split(',') ?? [];
  const saysVersion = own.some((option) => /^(nfs)?vers=/.test(option));
  const locking = shared && access === 'rw' ? (saysVersion ? [] : ['vers=4.1']) : ['nolock'];
  return [access, 'nodev', ...locking, ...own].join(',');
}
