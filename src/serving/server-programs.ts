import type { BytePath } from '../ports/byte-path.js';

/** A server program of the head node, run in the foreground; see `Service` in src/stages/serve/start-service.ts. */
export interface ServerProgram {
  readonly name: string;
  readonly argv: readonly string[];
  readonly readyLine?: RegExp;
  readonly readyFile?: BytePath;
  readonly hint?: readonly [line: RegExp, hint: string];
}

/** Which program answers NFS. */
export type NfsServer = 'kernel' | 'ganesha' | 'none';

const PORT_TAKEN = /already in use|cannot bind/i;

/** dnsmasq(8) as DHCP and TFTP server with a published configuration. */
export function dnsmasqProgram(options: {
  readonly configuration: string;
  /** Keeps leases of machines without a reservation over a restart. */
  readonly leaseFile: string;
  /** The files that TFTP serves are not readable for others, so it keeps the rights of root. */
  readonly asRoot: boolean;
}): ServerProgram {
  return {
    name: 'dnsmasq',
    argv: [
      'dnsmasq',
      '--keep-in-foreground',
      `--conf-file=${options.configuration}`,
      `--dhcp-leasefile=${options.leaseFile}`,
      '--pid-file=/run/dnsmasq.pid',
      '--log-facility=-',
      '--log-dhcp',
      ...(options.asRoot ? ['--user=root'] : []),
    ],
    readyLine: /started, version/,
    hint: [
      PORT_TAKEN,
      'Another program answers DHCP (UDP port 67) or TFTP (69) at this address. To see which one: ss -lnup',
    ],
  };
}

/** rpcbind(8): NFS version 3 is found through it. */
export const rpcbindProgram: ServerProgram = {
  name: 'rpcbind',
  argv: ['rpcbind', '-f', '-w'],
  readyFile: '/run/rpcbind.sock',
};

/** nfs-ganesha with a published configuration. Its process id is in /run/ganesha.pid, inside. */
export function ganeshaProgram(configuration: string): ServerProgram {
  return {
    name: 'nfs-ganesha',
    argv: ['ganesha.nfsd', '-F', '-f', configuration, '-L', 'STDOUT', '-p', GANESHA_PID],
    readyLine: /NFS SERVER INITIALIZED/,
    hint: [
      PORT_TAKEN,
      'Another program has the ports of NFS (2049) or MOUNT (20048). To see which one: ss -lntp',
    ],
  };
}

/** Where nfs-ganesha writes its process id. */
const GANESHA_PID = '/run/ganesha.pid';

/** rpc.mountd(8): who may mount what, from the table that exportfs(8) has written. */
export const mountdProgram: ServerProgram = {
  name: 'rpc.mountd',
  argv: ['rpc.mountd', '--foreground', '--port', '20048'],
  readyLine: /Version [\d.]+ starting/,
};

/**
 * What makes a running server in its place (see {@link preparePlace}) read its changed configuration.
 * @param exports published for the kernel's server. A publish replaces that file, and a mount keeps the one that it was made of.
 */
export function reloadCommand(server: 'kernel' | 'ganesha', exports: string): readonly string[] {
  return server === 'kernel'
    ? [
        ...['sh', '-e', '-c'],
        'umount /etc/exports; mount --bind "$1" /etc/exports; exportfs -ra',
        ...['sh', exports],
      ]
    : ['sh', '-c', `kill -HUP "$(cat ${GANESHA_PID})"`];
}

/**
 * Input of sh(1) that makes a place for servers inside namespaces of their own: what they write to /run and /var/lib/nfs
 * vanishes with them.
 * @param nfs for the kernel's server, the published exports take the place of /etc/exports.
 * @param options.ownRpcbind false if the machine's own rpcbind runs: then its socket is brought along.
 */
export function preparePlace(
  nfs: NfsServer,
  options: { readonly exports: string; readonly ownRpcbind: boolean },
): string {
  const { exports, ownRpcbind } = options;
  return `set -e
mkdir -p /var/lib/nfs
mount -t tmpfs -o mode=0755 mkroot-serve /var/lib/nfs
mkdir -p /var/lib/nfs/ganesha /var/lib/nfs/v4recovery /var/lib/nfs/run
: >/var/lib/nfs/etab
: >/var/lib/nfs/rmtab
mount --rbind /run /var/lib/nfs/run
mount -t tmpfs -o mode=0755 mkroot-serve /run
mkdir /run/rpcbind /run/ganesha
${ownRpcbind ? '' : `: >/run/rpcbind.sock\nmount --bind /var/lib/nfs/run/rpcbind.sock /run/rpcbind.sock`}
${
  nfs === 'kernel'
    ? `[ -e /proc/fs/nfsd/threads ] || mount -t nfsd nfsd /proc/fs/nfsd
mount --bind ${quoted(exports)} /etc/exports
[ ! -d /etc/exports.d ] || mount -t tmpfs mkroot-serve /etc/exports.d
exportfs -ra`
    : ''
}
`;
}

/**
 * The argv that runs the threads of the kernel's NFS server until its standard input ends. They are no processes of any
 * namespace, so nothing ends them but this: it must not die with mkroot, but after it.
 */
export function nfsdKeeper(address: string, threads: number): readonly string[] {
  return [
    'sh',
    '-c',
    'trap "" INT TERM HUP; rpc.nfsd --host "$1" "$2" || exit; echo "nfsd runs"; read -r _; rpc.nfsd 0; exportfs -f',
    'sh',
    address,
    String(threads),
  ];
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
