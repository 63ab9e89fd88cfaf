import { z } from 'zod';
import { parseIpv4, parseSubnet, subnetOf } from './ipv4.js';
import { normalizeMac } from './mac.js';
import { diskSchema, writableTopSchema } from './storage-schema.js';

/**
 * The one description of nodes.yaml. Inventories are decoded with it; the JSON Schema for editors and
 * docs/inventory-reference.md are generated from it, so every field has its description here and nowhere else.
 */

/** What a server can be for nodes. */
export const SERVER_ROLES = ['dhcp', 'tftp', 'http', 'nfs', 'dns', 'ntp', 'syslog'] as const;

/** One of the roles. */
export type ServerRole = (typeof SERVER_ROLES)[number];

/** Architectures that boot over the network here, by their Debian names. */
export const ARCHITECTURES = ['amd64', 'i386', 'arm64'] as const;

/** One of the architectures. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** Boot loaders that may be asked for. */
export const BOOT_LOADERS = ['pxelinux', 'grub'] as const;

/** One of the boot loaders. */
export type BootLoader = (typeof BOOT_LOADERS)[number];

/** RFC 952 and RFC 1123, 2.1: one label. */
export const HOSTNAME = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

const hostname = z
  .string()
  .regex(HOSTNAME, 'is not a host name (letters, digits and hyphens, at most 63, without a domain)');

const domainName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
    'is not a domain name',
  );

const address = z
  .string()
  .refine((text) => parseIpv4(text) !== undefined, 'is not an IPv4 address, such as 10.1.0.1');

const reportAddress = z.string().refine((text) => {
  const [ip = '', port = '1', ...rest] = text.split(':');
  const inRange = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  return parseIpv4(ip) !== undefined && inRange && rest.length === 0;
}, 'is not an IPv4 address with or without a port, such as 10.1.0.1:7752');

const subnet = z.string().refine((text) => parseSubnet(text) !== undefined, {
  error: ({ input }) => {
    const meant = subnetOf(String(input));
    return meant === undefined
      ? 'is not a subnet, such as 10.1.0.0/16'
      : `is not a subnet: the address has bits behind the prefix; did you mean "${meant}"?`;
  },
});

const mac = z
  .string()
  .refine(
    (text) => normalizeMac(text) !== undefined,
    'is not a MAC address, such as 52:54:00:12:34:56 (hyphens, dots and upper case will do, too)',
  );

const absolutePath = z
  .string()
  .regex(/^\//, 'is not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

const word = z.string().regex(/^[!#-~]+$/, 'is not one word of printable ASCII without quotes');

const mountOptions = z
  .string()
  .regex(/^[A-Za-z0-9,=._:%-]+$/, 'are not mount options (letters, digits and , = . _ : % -)');

/** What /init takes for a path: nothing that mount options or a shell treat specially. */
const plainPath = absolutePath.regex(
  /^[A-Za-z0-9._/%+=@~-]*$/,
  'has characters that no mount can have (letters, digits and . _ / % + = @ ~ -)',
);

const persistentSchema = z.strictObject({
  path: plainPath
    .refine((path) => path !== '/', 'is the root itself')
    .refine(
      (path) => path === '/' || !/\/(\/|$|[.@](\/|$))/.test(path),
      'has an empty part, or one that is "." or "@"',
    )
    .refine(
      (path) => !/^\/(dev|proc|run|sys)(\/|$)/.test(path),
      'is where the kernel and systemd mount their own',
    )
    .describe('Directory of the node that outlives reboots.'),
  server: z
    .string()
    .optional()
    .describe('Server of the inventory that exports it; by default the first one with the role nfs.'),
  export: plainPath
    .optional()
    .describe(
      "Exported directory; %h, %i and %m stand for the node's name, address and MAC. Without it the node gets a directory of its own for this path.",
    ),
  readOnly: z.boolean().default(false).describe('Mounted read-only, as for shared applications.'),
  options: mountOptions.optional().describe('Further mount options, comma-separated.'),
});

const transportSchema = z.strictObject({
  protocol: z
    .enum(['nfs', 'squashfs-nfs', 'squashfs-http', 'erofs-nfs', 'erofs-http'])
    .optional()
    .describe(
      'How the node gets its base: nfs (default), a directory; squashfs-nfs and erofs-nfs, one file that is read where it lies; squashfs-http and erofs-http, one file that is fetched into memory. Its layers come by NFS.',
    ),
  servers: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'Servers that base and layers come from, all with the same state directory: nodes spread over them by their MAC, and pass over one that does not answer. By default the first one with the role nfs (http).',
    ),
  nfsVersion: z
    .enum(['3', '4.1', '4.2'])
    .optional()
    .describe('This version only; without it 3 and 4.1 are tried in turn.'),
  options: mountOptions.optional().describe('Mount options of all layers, comma-separated.'),
  pointers: z
    .boolean()
    .optional()
    .describe(
      'The boot entry names the host layer only; base and shared layer stand in its files hopeless.root and hopeless.overlay. False by default: the boot entry names all of them.',
    ),
});

const bootTarget = z.enum(['image', 'local', 'memtest']);

/** What a node boots, how, and with which layers: may stand in the cluster, in a group and in a node. */
const settingsFields = {
  image: z.string().optional().describe('Image to boot: the name of its recipe.'),
  generation: z
    .string()
    .regex(
      /^(current|\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?)$/,
      'is no generation, such as 20261120T041500Z-1a2b3c4d, nor the word current',
    )
    .optional()
    .describe(
      'Generation of the image to stay on; current (default) follows what was built last. It goes with the image of the same or a farther level: a node with an image of its own does not take the generation of its group.',
    ),
  kernel: z
    .string()
    .regex(
      /^[A-Za-z0-9._+~*?[\]^!-]+$/,
      'is no release of a kernel, such as 6.12.117+deb13-amd64, nor a glob',
    )
    .optional()
    .describe(
      'Kernel of the image to boot, where it has several: its release (`uname -r`), or a glob such as 6.12.*, of which the newest is taken; by default the newest of the image. Like generation, it goes with the image of the same or a farther level.',
    ),
  boot: bootTarget
    .optional()
    .describe('What its boot entry starts: the image (default), the local disk, or a memory test.'),
  menu: z
    .array(bootTarget)
    .optional()
    .describe('Further entries of its boot menu. Replaces that of the group or cluster.'),
  menuTimeout: z
    .int()
    .min(0)
    .max(3600)
    .optional()
    .describe('Seconds that the boot menu waits; by default it is not shown.'),
  network: z
    .string()
    .optional()
    .describe('Network that the address belongs to; by default the one whose subnet it lies in.'),
  overlays: z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/,
          'is not a directory below overlays/',
        ),
    )
    .optional()
    .describe(
      'Directories below overlays/ that are laid over the image, the lowest first. Those of the cluster come first, then those of the group, then the node.',
    ),
  kernelArguments: z
    .array(word)
    .optional()
    .describe(
      'Words for the kernel command line. Added to those of the group and of the cluster; one of the same key (before =) replaces theirs.',
    ),
  drivers: z
    .array(z.string().min(1))
    .optional()
    .describe(
      "Kernel modules that the initramfs needs besides the recipe's, by name or glob; `mkroot publish` makes an initrd that has them, and they are loaded. Added to those of the group and of the cluster.",
    ),
  variables: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z_][A-Za-z0-9_]*$/,
          'is not a name of a variable (letters, digits and _, no digit first)',
        ),
      z.json(),
    )
    .optional()
    .describe('Values for templates, by name. One of the same name replaces that of the group or cluster.'),
  persistent: z
    .array(persistentSchema)
    .optional()
    .describe(
      'Directories that outlive reboots. Added to those of the group and of the cluster; one of the same path replaces theirs.',
    ),
  writableTop: writableTopSchema
    .optional()
    .describe(
      'The layer that takes what a node writes. A field of it replaces that of the group or cluster.',
    ),
  disk: diskSchema
    .optional()
    .describe(
      'A local disk that is partitioned at the first boot and found at later ones. Replaces the whole of that of the group or cluster.',
    ),
  transport: transportSchema
    .optional()
    .describe('How base and layers come to the node. A field of it replaces that of the group or cluster.'),
  architecture: z.enum(ARCHITECTURES).optional().describe('By its Debian name; amd64 by default.'),
  firmware: z
    .enum(['bios', 'uefi'])
    .optional()
    .describe('What the machine boots with; without it boot files for both are written.'),
  serialConsole: z
    .string()
    .regex(
      /^(none|tty(S|AMA|USB)\d{1,2}(,\d{3,7}(n8)?)?)$/,
      'is not a serial line, such as ttyS0,115200, or none',
    )
    .optional()
    .describe('Serial line for boot loader and kernel, such as ttyS0,115200 (the default speed), or none.'),
};

/** Names of the fields that may stand in the cluster, in a group and in a node. */
export const SETTING_NAMES: readonly string[] = Object.keys(settingsFields);

const serverSchema = z.strictObject({
  address: address.describe('IPv4 address under which nodes reach it.'),
  roles: z
    .array(z.enum(SERVER_ROLES))
    .min(1)
    .describe('What it is for nodes. Where several have a role, the first is the first choice.'),
});

const clusterSchema = z.strictObject({
  domain: domainName.optional().describe('DNS domain of the nodes.'),
  dns: z.array(address).optional().describe('Addresses of name servers; by default those with the role dns.'),
  ntp: z
    .array(domainName)
    .optional()
    .describe('Addresses or names of time servers; by default those with the role ntp.'),
  bootLoader: z
    .enum(BOOT_LOADERS)
    .optional()
    .describe(
      'What machines are told to load over the network: pxelinux (BIOS only) or grub (BIOS and UEFI). Without it PXELINUX for BIOS and iPXE for UEFI, and a machine whose firmware is iPXE goes on with that.',
    ),
  servers: z
    .record(hostname, serverSchema)
    .default({})
    .describe('Machines that serve nodes, by host name. They need not be in any network below.'),
  report: z
    .union([z.boolean(), reportAddress])
    .default(true)
    .describe(
      'Whether nodes tell the head node how their boot goes (`mkroot status`): true is the server that they boot from, ADDRESS[:PORT] another one.',
    ),
  ...settingsFields,
});

const networkSchema = z.strictObject({
  subnet: subnet.describe('Addresses of the network, such as 10.1.0.0/16.'),
  range: z
    .string()
    .regex(/^[\d.]+ ?- ?[\d.]+$/, 'is not a range of addresses, such as 10.1.9.1-10.1.9.254')
    .optional()
    .describe('Addresses that DHCP hands out to machines which are not in the inventory: FIRST-LAST.'),
  gateway: address.optional().describe('Router of the network; without it nodes get none.'),
  mtu: z
    .int()
    .min(576)
    .max(65_535)
    .optional()
    .describe(
      'Size of the largest packet in bytes, such as 9000; nodes set it before they mount their root.',
    ),
  vlan: z.int().min(1).max(4094).optional().describe('VLAN id, where nodes have to tag: they boot over it.'),
});

const usedServers = z
  .array(z.string())
  .optional()
  .describe('Servers to prefer over the others of the cluster, by name, for the roles that they have.');

const groupSchema = z.strictObject({
  description: z.string().optional().describe('One sentence for people.'),
  servers: usedServers,
  ...settingsFields,
});

const nodeSettingsFields = { servers: usedServers, ...settingsFields };

const nodeSchema = z.strictObject({
  group: z.string().optional().describe('Group that it belongs to; every node is in one.'),
  ip: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'IPv4 address. For several nodes: the first, from which is counted up; or as many in brackets (10.1.0.[1-128]) or in a list.',
    ),
  mac: z
    .union([mac, z.array(mac)])
    .optional()
    .describe('MAC address of the device that it boots from; for several nodes a list of as many.'),
  ...nodeSettingsFields,
});

const overrideSchema = z.strictObject(nodeSettingsFields);

/** Schema of nodes.yaml. Its input is what stands in the file. */
export const inventorySchema = z
  .strictObject({
    cluster: clusterSchema.prefault({}).describe('What holds for all nodes, and who serves them.'),
    networks: z.record(hostname, networkSchema).describe('Networks that nodes have addresses in, by name.'),
    groups: z.record(hostname, groupSchema).describe('Kinds of nodes, by name.'),
    nodes: z
      .record(z.string(), nodeSchema)
      .default({})
      .describe(
        "Nodes by host name, or many in ClusterShell's syntax: n[001-128], n[1-4,7], n[0-30/2], rack[1-2]n[01-40].",
      ),
    csv: z
      .union([z.string().min(1), z.array(z.string().min(1))])
      .optional()
      .describe(
        'CSV files with a head line (name, and any of mac, ip, group, image, network, variables.NAME), relative to nodes.yaml. A row completes the node of that name, or is a node by itself.',
      ),
    overrides: z
      .record(z.string(), overrideSchema)
      .default({})
      .describe(
        'Values for single nodes out of many, by name or range. They go before those in nodes; a later one before an earlier one.',
      ),
  })
  .describe('Inventory of a cluster');

/** nodes.yaml, decoded, before names are expanded. */
export type InventoryDocument = z.output<typeof inventorySchema>;

/** A network as it stands in nodes.yaml. */
export type NetworkDocument = InventoryDocument['networks'][string];

/** Schema of an entry of `nodes`, and of a row of a CSV file. */
export const nodeEntrySchema = nodeSchema;

/** An entry of `nodes`, before its names are expanded. */
export type NodeDocument = z.output<typeof nodeSchema>;

/** Values that may stand in the cluster, in a group and in a node. */
export type Settings = z.output<typeof overrideSchema>;

/** What a node's boot entry starts. */
export type BootTarget = NonNullable<Settings['boot']>;

/** What a machine boots with. */
export type Firmware = NonNullable<Settings['firmware']>;

/** Values for templates, by name. */
export type Variables = NonNullable<Settings['variables']>;
