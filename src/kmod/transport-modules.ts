/** How a node reaches and builds its root. */
export type Transport = 'dhcp' | 'nfs' | 'overlay' | 'squashfs' | 'erofs' | 'ext4' | 'fuse';

/** A module that a transport needs. */
export interface TransportModule {
  readonly name: string;
  /** A kernel may lack it without harm: other versions of the protocol remain, or the kernel has it in another form. */
  readonly optional: boolean;
}

/**
 * What the kernel needs for a transport, including what it only asks for when something is mounted (`request_module`), so
 * that no modules.dep names it:
 *
 * - nfs: `mount -t nfs` brings `nfs`; the protocol's version is a module of its own (`nfsv3`, `nfsv4`, fs/nfs/client.c).
 *   Their dependencies (sunrpc, lockd, grace, nfs_acl, netfs or fscache, dns_resolver) are in modules.dep. Left out
 *   because a root over sec=sys never gets there: `nfs_layout_*` (pNFS; without them the client reads through the
 *   server), `auth_rpcgss` and `rpcsec_gss_krb5` (Kerberos; asked for once by NFSv4, which goes on when the answer is no),
 *   `rpcrdma`.
 * - overlay: `overlay` alone.
 * - ext4: for writable tops, on a disk or in a file.
 * - fuse: for a writable top of unionfs-fuse.
 * - squashfs and erofs: itself, and `loop`, since a file is no block device. HTTP is busybox's business, not the kernel's.
 * - dhcp: `af_packet`, the raw sockets that udhcpc speaks on before it has an address. Debian builds it in or not,
 *   depending on the release.
 */
const MODULES: Readonly<Record<Transport, readonly TransportModule[]>> = {
  dhcp: [{ name: 'af_packet', optional: false }],
  nfs: [
    { name: 'nfs', optional: false },
    { name: 'nfsv3', optional: true },
    { name: 'nfsv4', optional: true },
  ],
  overlay: [{ name: 'overlay', optional: false }],
  ext4: [
    { name: 'loop', optional: false },
    { name: 'ext4', optional: false },
  ],
  fuse: [{ name: 'fuse', optional: false }],
  squashfs: [
    { name: 'loop', optional: false },
    { name: 'squashfs', optional: false },
  ],
  erofs: [
    { name: 'loop', optional: false },
    { name: 'erofs', optional: false },
  ],
};

/** The modules that a transport needs, to be requested like drivers; some may turn out to be built in. */
export function transportModules(transport: Transport): readonly TransportModule[] {
  return MODULES[transport];
}
