import type { BytePath } from '../ports/byte-path.js';
import type { Priority } from './dlopen-notes.js';

/** A file that a program opens by a fixed name. */
export interface DataFile {
  readonly path: BytePath;
  /** A missing `required` file is an error, a `recommended` one a warning, a `suggested` one nothing. */
  readonly priority: Priority;
  /** Debian package that brings it. */
  readonly package: string;
  readonly why: string;
}

/** A library that a program opens by name without a dlopen note. */
export interface DataLibrary {
  readonly soname: BytePath;
  readonly priority: Priority;
  readonly why: string;
}

/** What an ELF header cannot tell about a program. All conditions that are given must hold. */
export interface DataRule {
  /** Basenames of programs (as asked for, or behind the link), or DT_SONAMEs of libraries in the process. */
  readonly of: readonly BytePath[];
  /** Holds if any object of the process imports one of these functions. */
  readonly imports?: readonly string[];
  /** Holds if `of` does not define this symbol version. */
  readonly lacksVersion?: string;
  readonly files?: readonly DataFile[];
  readonly libraries?: readonly DataLibrary[];
}

const NETCONFIG: Omit<DataFile, 'priority'> = {
  path: '/etc/netconfig',
  package: 'libtirpc-common',
  why: 'transports of TI-RPC, see netconfig(5)',
};

const HOST_LOOKUPS = [
  'getaddrinfo',
  'getnameinfo',
  'gethostbyname',
  'gethostbyname2',
  'gethostbyname_r',
  'gethostbyaddr',
];
const FILE_LOOKUPS = [
  ...['getpwnam', 'getpwnam_r', 'getpwuid', 'getpwuid_r', 'getgrnam', 'getgrnam_r', 'getgrgid', 'getgrgid_r'],
  ...['getgrouplist', 'initgroups', 'getservbyname', 'getservbyname_r', 'getservbyport', 'getprotobyname'],
  ...['getprotobyname_r', 'getprotobynumber', 'getrpcbyname', 'getrpcbyname_r', 'getspnam', 'getspnam_r'],
];

/** The table. A new line is one more entry; nothing else has to change. */
export const DATA_RULES: readonly DataRule[] = [
  {
    of: ['mount.nfs', 'mount.nfs4', 'umount.nfs', 'umount.nfs4'],
    files: [
      { ...NETCONFIG, priority: 'required' },
      {
        path: '/etc/protocols',
        priority: 'required',
        package: 'netbase',
        why: 'getprotobyname(3) for tcp and udp',
      },
      {
        path: '/etc/services',
        priority: 'required',
        package: 'netbase',
        why: 'getservbyname(3) for nfs and sunrpc',
      },
      { path: '/etc/nfsmount.conf', priority: 'suggested', package: 'nfs-common', why: 'nfsmount.conf(5)' },
    ],
  },
  { of: ['libtirpc.so.3', 'libtirpc.so.1'], files: [{ ...NETCONFIG, priority: 'recommended' }] },
  {
    of: ['libtinfo.so.6', 'libtinfo.so.5', 'libtinfow.so.6', 'libncursesw.so.6'],
    files: [
      '/lib/terminfo/l/linux',
      '/lib/terminfo/v/vt100',
      '/lib/terminfo/v/vt220',
      '/lib/terminfo/d/dumb',
    ].map((path) => ({
      path,
      priority: 'suggested',
      package: 'ncurses-base',
      why: 'terminfo(5) of consoles',
    })),
  },
  // Since 2.34 glibc has files and dns built in; before, they are modules.
  {
    of: ['libc.so.6'],
    lacksVersion: 'GLIBC_2.34',
    imports: [...FILE_LOOKUPS, ...HOST_LOOKUPS],
    files: [
      {
        path: '/etc/nsswitch.conf',
        priority: 'suggested',
        package: 'libc-bin',
        why: 'which databases to ask, nsswitch.conf(5)',
      },
    ],
    libraries: [
      { soname: 'libnss_files.so.2', priority: 'required', why: 'lookups in /etc/passwd, /etc/hosts, …' },
    ],
  },
  {
    of: ['libc.so.6'],
    lacksVersion: 'GLIBC_2.34',
    imports: HOST_LOOKUPS,
    libraries: [{ soname: 'libnss_dns.so.2', priority: 'recommended', why: 'host names by DNS' }],
  },
];
