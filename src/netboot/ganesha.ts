import { MkrootError } from '../errors.js';

/** A directory that nfs-ganesha serves. */
export interface GaneshaExport {
  /** Absolute. */
  readonly path: string;
  /** Path under which clients mount it, in every version; the directory's own by default. */
  readonly mountedAs?: string;
  readonly access?: 'RO' | 'RW';
  /** Addresses or networks that may mount it; everybody who reaches the port without it. */
  readonly clients?: readonly string[];
}

/** Settings of a user-space NFS server; see ganesha-core-config(8) and ganesha-export-config(8). */
export interface GaneshaConfiguration {
  readonly exports: readonly GaneshaExport[];
  /** Address to listen on. */
  readonly bindAddress: string;
  /** Default 2049. */
  readonly nfsPort?: number;
  /** Default 20048. */
  readonly mountPort?: number;
  /** Directory for the state of NFSv4 clients. */
  readonly recoveryRoot: string;
}

function quoted(text: string): string {
  if (/["\\\r\n;{}]/.test(text)) {
    throw new MkrootError(
      `Cannot write "${text}" to a ganesha configuration: it holds a quote, brace, backslash or line end`,
    );
  }
  return `"${text}"`;
}

/** ganesha.conf: FSAL VFS, NFS v3 and v4 over TCP. Version 3 needs a running rpcbind. */
export function renderGanesha(configuration: GaneshaConfiguration): string {
  const { exports, bindAddress, nfsPort = 2049, mountPort = 20048, recoveryRoot } = configuration;
  const blocks = exports.map((entry, index) => renderExport(entry, index + 1));
  return `# Written by mkroot.
NFS_CORE_PARAM {
  Protocols = 3, 4;
  NFS_Port = ${nfsPort};
  MNT_Port = ${mountPort};
  Bind_addr = ${bindAddress};
  mount_path_pseudo = true;
  # Clients mount with nolock; quotas are nobody's business here.
  Enable_NLM = false;
  Enable_RQUOTA = false;
}
NFSv4 {
  Minor_Versions = 1, 2;
  RecoveryRoot = ${quoted(recoveryRoot)};
  # Read-only exports hold no state worth a minute of grace after a restart.
  Graceless = true;
}
${blocks.join('')}`;
}

function renderExport(
  { path, mountedAs = path, access = 'RO', clients = [] }: GaneshaExport,
  id: number,
): string {
  if (!path.startsWith('/')) {
    throw new MkrootError(`Cannot export "${path}": the path has to be absolute`);
  }
  // With a list of clients nobody else gets anything.
  const permission =
    clients.length === 0
      ? `  Access_Type = ${access};\n`
      : `  Access_Type = NONE;\n  CLIENT {\n    Clients = ${clients.join(', ')};\n    Access_Type = ${access};\n  }\n`;
  return `EXPORT {
  Export_Id = ${id};
  Path = ${quoted(path)};
  Pseudo = ${quoted(mountedAs)};
${permission}  # The node's root has to read files that belong to root alone.
  Squash = No_Root_Squash;
  SecType = sys;
  Transports = TCP;
  Protocols = 3, 4;
  FSAL { Name = VFS; }
}
`;
}
