import { MkrootError } from '../errors.js';
import { checkedValue, ipv4Address, wholeNumber } from './checked-value.js';

/** A directory that nfs-ganesha serves. */
export interface GaneshaExport {
  /** Absolute. */
  readonly path: string;
  /** Path under which clients mount it, in every version; the directory's own by default. */
  readonly mountedAs?: string;
  readonly access?: 'RO' | 'RW';
  /** Root of a client is nobody here. Default false: a node's root has to read its files. */
  readonly squashRoot?: boolean;
  /** Part of every file handle: 1 to 65535, and the same as long as nodes are up. Its place in the list by default. */
  readonly id?: number;
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

const place = 'a ganesha configuration';

function quoted(text: string): string {
  if (/["\\;{}\x00-\x1f\x7f]/.test(text)) {
    throw new MkrootError(
      `Cannot write "${text}" to a ganesha configuration: it holds a quote, brace, backslash or control character`,
    );
  }
  return `"${text}"`;
}

/** ganesha.conf: FSAL VFS, NFS v3 and v4 over TCP. Version 3 needs a running rpcbind. */
export function renderGanesha(configuration: GaneshaConfiguration): string {
  const { exports, bindAddress, nfsPort = 2049, mountPort = 20048, recoveryRoot } = configuration;
  const blocks = exports.map((entry, index) => renderExport(entry, entry.id ?? index + 1));
  return `# Written by mkroot.
NFS_CORE_PARAM {
  Protocols = 3, 4;
  NFS_Port = ${wholeNumber(place, 'the NFS port', nfsPort, 65535)};
  MNT_Port = ${wholeNumber(place, 'the MOUNT port', mountPort, 65535)};
  Bind_addr = ${ipv4Address(place, 'the address', bindAddress)};
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
  # As names owners would need an ID mapper on both sides; without one, root's files belong to nobody and setuid programs fail.
  Only_Numeric_Owners = true;
}
${blocks.join('')}`;
}

/** The numbers of the exports in a configuration that {@link renderGanesha} made, by path. */
export function exportIdsIn(configuration: string): ReadonlyMap<string, number> {
  const found = configuration.matchAll(/^ {2}Export_Id = (\d{1,5});\n {2}Path = "([^"\n]*)";$/gm);
  return new Map([...found].map(([, id, path = '']) => [path, Number(id)]));
}

function renderExport(
  { path, mountedAs = path, access = 'RO', squashRoot = false, clients = [] }: GaneshaExport,
  id: number,
): string {
  if (!path.startsWith('/')) {
    throw new MkrootError(`Cannot export "${path}": the path has to be absolute`);
  }
  // With a list of clients nobody else gets anything.
  const permission =
    clients.length === 0
      ? `  Access_Type = ${access};\n`
      : `  Access_Type = NONE;\n  CLIENT {\n    Clients = ${clients.map(client).join(', ')};\n    Access_Type = ${access};\n  }\n`;
  return `EXPORT {
  Export_Id = ${id};
  Path = ${quoted(path)};
  Pseudo = ${quoted(mountedAs)};
${permission}  ${squashRoot ? '' : "# The node's root has to read files that belong to root alone.\n  "}Squash = ${squashRoot ? 'Root_Squash' : 'No_Root_Squash'};
  SecType = sys;
  Transports = TCP;
  Protocols = 3, 4;
  FSAL { Name = VFS; }
}
`;
}

function client(text: string): string {
  return checkedValue(
    place,
    'the client',
    text,
    /^[A-Za-z0-9][A-Za-z0-9.:/-]*$/,
    'it is no address, network or host name',
  );
}
