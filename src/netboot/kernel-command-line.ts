import { MkrootError } from '../errors.js';
import { hostNamePattern, ipv4Pattern, wholeNumber } from './checked-value.js';

/** Where a layer is: a directory that an NFS server exports. */
export interface NfsLocation {
  /**
   * IPv4 address or host name; several with '+' between them if each has the same files. Absent means the server of the base, or
   * the one that DHCP names.
   */
  readonly server?: string;
  /** Absolute; %h, %i and %m stand for the node's name, address and MAC. */
  readonly path: string;
  /** Further mount options, comma-separated. */
  readonly options?: string;
}

/** Where a base is that is one file: on an NFS server, or on HTTP servers, from which it is fetched into memory. */
export interface ImageLocation extends NfsLocation {
  /** By HTTP at this port; NFS without it. */
  readonly httpPort?: number;
  /** What it has to be: sha256 in hex and bytes. */
  readonly image: { readonly sha256: string; readonly size: number };
}

/** A static address, for nodes that boot without DHCP (kernel documentation, nfsroot: `ip=`). */
export interface StaticAddress {
  readonly address: string;
  readonly netmask: string;
  readonly gateway?: string;
  readonly hostname?: string;
  readonly device?: string;
  readonly dns?: readonly string[];
}

/**
 * Where a node writes: a tmpfs of some size (a number with k, m, g or %) and number of inodes, the local disk with a label, or an
 * ext4 in a file on an NFS server.
 */
export type WritableTopPlace =
  | { readonly size?: string; readonly inodes?: string }
  | { readonly label: string }
  | { readonly image: NfsLocation };

/** The local disk that is partitioned at the first boot: see mkroot.disk= in docs/boot-protocol.md. */
export interface LocalDiskPlace {
  readonly device: string;
  readonly swap?: string | undefined;
  readonly scratch?: string | undefined;
  readonly consent?: string | undefined;
}

/** What a node's boot is told on the kernel's command line; docs/boot-protocol.md has every key's meaning. */
export interface BootParameters {
  /** What is booted, for people and `mkroot status`; /init takes no decision from it. */
  readonly image?: string;
  readonly generation?: string;
  readonly base?: NfsLocation | ImageLocation;
  /** From the lowest to the topmost. */
  readonly cluster?: readonly NfsLocation[];
  readonly host?: NfsLocation;
  /** Base and cluster layers are those that the host layer's pointers name: the command line leaves them out. */
  readonly pointers?: boolean;
  /** Directory under which the bare names in a host layer's hopeless.root and hopeless.overlay lie. */
  readonly roots?: NfsLocation;
  readonly nfsVersion?: '3' | '4.1' | '4.2';
  /** Mount options of all layers. */
  readonly nfsOptions?: string;
  /** The writable top; a tmpfs without it. */
  readonly top?: WritableTopPlace;
  readonly disk?: LocalDiskPlace;
  readonly hostname?: string;
  /** ADDRESS[:PORT] of whoever is told how the boot goes. */
  readonly report?: string;
  /** 'dhcp' is what happens without it. */
  readonly ip?: 'dhcp' | StaticAddress;
  /** Bytes of the largest packet, whatever DHCP says. */
  readonly mtu?: number;
  /** Number of the VLAN to boot over, 1 to 4094, on the device that {@link bootMac} names. */
  readonly vlan?: number;
  /** MAC address of the device to boot from; pxelinux adds it itself with IPAPPEND 2. */
  readonly bootMac?: string;
  /** Consoles, the last one becoming /dev/console. */
  readonly consoles?: readonly string[];
  /** Seconds until a node whose boot failed reboots; 0 never. */
  readonly panic?: number;
  readonly shell?: boolean;
  readonly debug?: boolean;
  /** Name of the stage before which a shell opens. */
  readonly breakBefore?: string;
  readonly quiet?: boolean;
  /** Anything else, one word each. */
  readonly extra?: readonly string[];
}

/** The kernel's limit on x86 is 2048 bytes with the ending NUL; other architectures have the same or more. */
const maximumLength = 2047;

function refuse(what: string, value: string, why: string): never {
  throw new MkrootError(`Cannot put ${what} "${value}" on the kernel command line: ${why}`);
}

function checked(what: string, value: string, allowed: RegExp, why: string): string {
  return allowed.test(value) ? value : refuse(what, value, why);
}

const optionsPattern = /^[A-Za-z0-9,=._:%-]+$/;

const hostname = (value: string) =>
  checked(
    'host name',
    value,
    hostNamePattern,
    'a host name is letters, digits, hyphens and dots, at most 64',
  );
const serverList = (value: string) => value.split('+').map(hostname).join('+');
const ipv4 = (what: string, value: string) => checked(what, value, ipv4Pattern, 'it is no IPv4 address');
const mountOptions = (value: string) =>
  checked('mount options', value, optionsPattern, 'only letters, digits and , = . _ : % - can be in them');

/** `[server:]/path[,options]`, as mkroot.base= takes it. Throws on what /init would refuse. */
export function renderNfsLocation(location: NfsLocation): string {
  const path = checked(
    'path',
    location.path,
    /^\/[A-Za-z0-9._/%+=@~-]*$/,
    'it has to be absolute and of letters, digits and . _ / % + = @ ~ -',
  );
  const server = location.server === undefined ? '' : `${serverList(location.server)}:`;
  const options = location.options === undefined ? '' : `,${mountOptions(location.options)}`;
  return `${server}${path}${options}`;
}

function renderReport(report: string): string {
  const [address = '', port, ...rest] = report.split(':');
  if (rest.length > 0 || !/^\d{1,5}$/.test(port ?? '1') || Number(port ?? 1) > 65_535) {
    refuse('report address', report, 'it is not of the form ADDRESS[:PORT]');
  }
  return port === undefined ? ipv4('report address', address) : `${ipv4('report address', address)}:${port}`;
}

/** `http://server[:port]/path,sha256=...,size=...`, or the same file by NFS, of which nothing is checked. */
function renderBase(location: NfsLocation | ImageLocation): string {
  if (!('image' in location) || location.httpPort === undefined) return renderNfsLocation(location);
  const { server, httpPort, path, image } = location;
  if (server === undefined) refuse('base', path, 'HTTP needs a server');
  const { sha256, size } = image;
  checked('sha256', sha256, /^[0-9a-f]{64}$/, 'it has to be 64 hexadecimal digits');
  const port = httpPort === 80 ? '' : `:${httpPort}`;
  return `http://${serverList(server)}${port}${renderNfsLocation({ path })},sha256=${sha256},size=${size}`;
}

const label = (value: string) =>
  checked('label', value, /^[A-Za-z0-9._-]{1,16}$/, 'it is no label of an ext4');

function renderDisk({ device, swap, scratch, consent }: LocalDiskPlace): string {
  return [
    checked('disk', device, /^[a-z0-9]+$/, 'it is not what the kernel calls a disk'),
    ...(swap === undefined
      ? []
      : [`swap=${checked('size of swap', swap, /^\d+[kmgKMG]$/, 'it is no number with k, m or g')}`]),
    ...(scratch === undefined ? [] : [`scratch=${label(scratch)}`]),
    ...(consent === undefined
      ? []
      : [
          `consent=${checked('consent', consent, /^(if-empty|yes-wipe-[a-z0-9]+)$/, 'it is neither if-empty nor yes-wipe-DEVICE')}`,
        ]),
  ].join(',');
}

function renderTop(top: WritableTopPlace): string {
  if ('image' in top) return `image:${renderNfsLocation(top.image)}`;
  if ('label' in top) {
    return `disk:${label(top.label)}`;
  }
  const options = [
    ...(top.size === undefined
      ? []
      : [`size=${checked('size', top.size, /^\d+[kmgKMG%]?$/, 'it is no number with k, m, g or %')}`]),
    ...(top.inodes === undefined
      ? []
      : [
          `nr_inodes=${checked('number of inodes', top.inodes, /^\d+[kmgKMG]?$/, 'it is no number with k, m or g')}`,
        ]),
  ];
  return `tmpfs${options.length === 0 ? '' : `:${options.join(',')}`}`;
}

/** The MTU is in dracut's place for it, which is also that of the first name server. */
function renderIp({ ip = 'dhcp', mtu }: Pick<BootParameters, 'ip' | 'mtu'>): string {
  const size = mtu === undefined ? '' : String(wholeNumber('a kernel command line', 'the MTU', mtu, 65_535));
  if (ip === 'dhcp') return size === '' ? 'dhcp' : `::::::dhcp:${size}`;
  if (size !== '' && (ip.dns ?? []).length > 0) {
    refuse('MTU', size, 'ip= has one place for it and for the first name server');
  }
  const [dns0 = '', dns1 = ''] = (ip.dns ?? []).map((address) => ipv4('DNS server', address));
  const fields = [
    ipv4('address', ip.address),
    '',
    ip.gateway === undefined ? '' : ipv4('gateway', ip.gateway),
    ipv4('netmask', ip.netmask),
    ip.hostname === undefined ? '' : hostname(ip.hostname),
    ip.device === undefined
      ? ''
      : checked('interface', ip.device, /^[A-Za-z0-9._-]{1,15}$/, 'it is no interface name'),
    'none',
    dns0 || size,
    dns1,
  ];
  return fields.join(':').replace(/:+$/, '');
}

/**
 * The kernel command line for a node, always in the same order. Throws {@link MkrootError} on a value that holds blanks,
 * line ends or anything else that kernel, boot loader or /init would read as something else, and on more than 2047 bytes.
 * @param added words that a boot loader puts on the same line by itself; the kernel cuts what is too long without a word.
 */
export function renderKernelCommandLine(parameters: BootParameters, added = ''): string {
  const words: string[] = [];
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) words.push(`${key}=${value}`);
  };
  for (const console of parameters.consoles ?? []) {
    add('console', checked('console', console, /^[A-Za-z0-9,]+$/, 'it is no console such as ttyS0,115200'));
  }
  for (const key of ['image', 'generation'] as const) {
    const value = parameters[key];
    if (value !== undefined) {
      add(
        `mkroot.${key}`,
        checked(key, value, /^[A-Za-z0-9._+-]+$/, 'it has to be letters, digits and . _ + -'),
      );
    }
  }
  if (!parameters.pointers) {
    add('mkroot.base', parameters.base && renderBase(parameters.base));
    for (const layer of parameters.cluster ?? []) add('mkroot.cluster', renderNfsLocation(layer));
  }
  add('mkroot.host', parameters.host && renderNfsLocation(parameters.host));
  add('mkroot.roots', parameters.roots && renderNfsLocation(parameters.roots));
  add('mkroot.nfsvers', parameters.nfsVersion);
  add('mkroot.nfsopts', parameters.nfsOptions && mountOptions(parameters.nfsOptions));
  add('mkroot.disk', parameters.disk && renderDisk(parameters.disk));
  add('mkroot.rw', parameters.top && renderTop(parameters.top));
  add('mkroot.hostname', parameters.hostname && hostname(parameters.hostname));
  add('mkroot.report', parameters.report && renderReport(parameters.report));
  if (parameters.ip !== undefined || parameters.mtu !== undefined) add('ip', renderIp(parameters));
  if (parameters.vlan !== undefined) {
    add('vlan', `vlan${wholeNumber('a kernel command line', 'the VLAN', parameters.vlan, 4094)}`);
  }
  add(
    'BOOTIF',
    parameters.bootMac === undefined ? undefined : `01-${macBytes(parameters.bootMac).join('-')}`,
  );
  add('panic', parameters.panic === undefined ? undefined : String(parameters.panic));
  add(
    'rd.break',
    parameters.breakBefore && checked('stage', parameters.breakBefore, /^[a-z0-9-]+$/, 'it is no stage'),
  );
  if (parameters.shell) words.push('rd.shell');
  if (parameters.debug) words.push('rd.debug');
  if (parameters.quiet) words.push('quiet');
  for (const word of parameters.extra ?? []) {
    words.push(checked('argument', word, /^[!#-~]+$/, 'an argument is one word without blanks or quotes'));
  }
  const line = words.join(' ');
  const room = maximumLength - (added === '' ? 0 : added.length + 1);
  if (line.length > room) {
    throw new MkrootError(
      `Cannot write the kernel command line "${line.slice(0, 60)}...": it has ${line.length} bytes, ${room} fit${added === '' ? '' : ' beside what boot loaders add'}`,
      {
        hint: 'Let the host layer name the other layers (transport: { pointers: true } in nodes.yaml), or leave arguments out.',
      },
    );
  }
  return line;
}

/** The six bytes of a MAC address as lower-case hexadecimal pairs; colons and hyphens are accepted. */
export function macBytes(mac: string): readonly string[] {
  const bytes = mac.toLowerCase().split(/[:-]/);
  if (bytes.length !== 6 || bytes.some((byte) => !/^[0-9a-f]{2}$/.test(byte))) {
    throw new MkrootError(`Cannot use the MAC address "${mac}": it is not of the form aa:bb:cc:dd:ee:ff`);
  }
  return bytes;
}
