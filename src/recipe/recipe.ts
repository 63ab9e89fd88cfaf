import { z } from 'zod';
import { DEBIAN_ARCHITECTURES, type DebianArchitecture } from './debian-architecture.js';
import { RPM_DISTRIBUTIONS, type RpmDistribution, type RpmPart, rpmSchema } from './rpm-recipe.js';

/**
 * The one description of a recipe. Recipes are decoded with it; the JSON Schema for editors and docs/recipe-reference.md
 * are generated from it, so every field has its description here and nowhere else.
 */

/** What any of the distributions' tools takes as a package; checkRecipe knows the rules of each. */
const packageName = z.string().min(1);

/** useradd(8): what Debian's adduser accepts by default. */
const accountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'is not a user or group name (lower-case letters, digits, - and _)');

const accountId = z.int().min(0).max(4_294_967_294);

const insidePath = z
  .string()
  .regex(/^\//, 'is not an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

const hostPath = z.string().min(1);

const octalMode = z
  .string()
  .regex(/^0?[0-7]{3,4}$/, 'is not a mode in octal digits, such as 0644 or 4755')
  .transform((digits) => Number.parseInt(digits, 8));

const owner = z.union([accountName, accountId]).transform(String);

const sourceSchema = z.strictObject({
  uris: z
    .array(z.string().regex(/^(https?|file|copy|ftp):\S+$/, 'is not a URI that apt can read'))
    .min(1)
    .describe('Where the repository is; apt(8) takes http, https, file and copy.'),
  suites: z.array(z.string().min(1)).min(1).describe('Suites of that repository, such as trixie-backports.'),
  components: z.array(z.string().min(1)).default(['main']).describe('Components of that repository.'),
  signedBy: hostPath
    .optional()
    .describe(
      "Keyring file with the repository's key, relative to the recipe. It is put into the root too. Without it the keyring of the distribution is used.",
    ),
});

const fileSchema = z
  .strictObject({
    source: hostPath
      .optional()
      .describe('File or directory on the host, relative to the recipe. A directory goes in whole.'),
    content: z.string().optional().describe('The text of the file, instead of source.'),
    destination: insidePath.describe(
      'Absolute path inside the root. Missing parents are made with mode 0755.',
    ),
    mode: octalMode
      .optional()
      .describe(
        "Permissions in octal, such as 0600. Default: the source's own, 0644 for content. Not for directories.",
      ),
    owner: owner.prefault('root').describe('User that owns it: a name known inside the root, or a number.'),
    group: owner.prefault('root').describe('Group that owns it: a name known inside the root, or a number.'),
  })
  .refine(({ source, content }) => (source === undefined) !== (content === undefined), {
    message: 'needs either "source" or "content"',
  });

const userSchema = z.strictObject({
  name: accountName.describe('Login name. `root` is allowed: its keys, password and shell are set.'),
  uid: accountId.optional().describe('Numeric user id; the next free one by default.'),
  gid: accountId
    .optional()
    .describe(
      'Numeric id of the primary group; like uid by default. A group that is not there gets the name of the user.',
    ),
  groups: z.array(accountName).default([]).describe('Further groups. One that does not exist is an error.'),
  shell: insidePath.optional().describe('Login shell; /bin/bash by default.'),
  home: insidePath.optional().describe('Home directory; /home/NAME by default. It is created.'),
  sshKeys: z
    .array(
      z
        .string()
        .regex(
          /^((sk-)?(ssh|ecdsa)-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*( .*)?$/,
          'is not an OpenSSH public key line (type, base64 key, comment)',
        ),
    )
    .default([])
    .describe('OpenSSH public keys that may log in, written to ~/.ssh/authorized_keys.'),
  passwordHash: z
    .string()
    .regex(
      /^(\$[a-z0-9]+\$[^:\s]+|[!*])$/i,
      'is not a crypt(5) hash; make one with: mkpasswd or openssl passwd -6',
    )
    .optional()
    .describe('crypt(5) hash of the password. Without it no password is accepted.'),
});

const kernelSchema = z.strictObject({
  package: packageName
    .optional()
    .describe(
      "Package of the repositories that brings the kernel; linux-image-ARCHITECTURE (Debian's newest), kernel (Fedora, EL) or kernel-default (openSUSE) by default.",
    ),
  file: hostPath
    .optional()
    .describe(
      'Or a package file of your own, relative to the recipe: what `make bindeb-pkg` (.deb) or `make binrpm-pkg` (.rpm) makes. It is installed with what it depends on.',
    ),
  image: hostPath
    .optional()
    .describe(
      'Or a kernel that is in no package: its bootable image (arch/x86/boot/bzImage), relative to the recipe. Needs modules.',
    ),
  modules: hostPath
    .optional()
    .describe(
      'The modules of image: the DIR of `make INSTALL_MOD_PATH=DIR modules_install`, or DIR/lib/modules/VERSION where it has several.',
    ),
});

const initrdFileSchema = z.strictObject({
  source: hostPath.describe('File or directory on the host, relative to the recipe.'),
  destination: insidePath.describe('Absolute path inside the initramfs.'),
});

const initrdSchema = z.strictObject({
  nic: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Network drivers to boot from: module name (tg3), PCI id (14e4:1657) or glob (r81*). Added to by --nic.',
    ),
  drivers: z
    .array(z.string().min(1))
    .default([])
    .describe('Further kernel modules, by name or glob. Added to by --driver.'),
  transports: z
    .array(z.enum(['nfs', 'squashfs-nfs', 'squashfs-http', 'erofs-nfs', 'erofs-http']))
    .default([])
    .describe(
      'Ways in which nodes get their root; nfs is always there, the others bring kernel modules. Added to by --transport.',
    ),
  tops: z
    .array(z.enum(['disk', 'image', 'partitions', 'unionfs']))
    .default([])
    .describe(
      'Writable tops of nodes besides memory; brings ext4 and e2fsck of the root, partitions also sfdisk and mkfs.ext4 for disks that are partitioned at the first boot; unionfs brings fuse and unionfs-fuse instead. Drivers of disks go into drivers. Added to by --top.',
    ),
  programs: z
    .array(insidePath)
    .default([])
    .describe('Programs of the root that go in with all their libraries. Added to by --program.'),
  files: z
    .array(initrdFileSchema)
    .default([])
    .describe('Further files and directories of the host. Added to by --file.'),
  compression: z
    .enum(['zstd', 'xz', 'gzip', 'lz4', 'none'])
    .default('zstd')
    .describe('How the initramfs is compressed. Replaced by --compress.'),
});

const layersSchema = z.strictObject({
  cluster: hostPath
    .optional()
    .describe(
      'Overlay directory, relative to the recipe, that `mkroot enter NAME` works in. Nodes get overlays and host layers by their group in nodes.yaml.',
    ),
});

/** Schema of a recipe file. Its input is what stands in the YAML; its output has the defaults filled in. */
export const recipeSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not a recipe name (lower-case letters, digits, . _ -)')
      .describe(
        'Name of the image: its directory below the state directory, and the argument of the commands.',
      ),
    description: z.string().optional().describe('One sentence for people.'),
    distribution: z
      .enum(['debian', ...RPM_DISTRIBUTIONS])
      .describe(
        'Which distribution the root is made of. debian needs `suite`, the others need `rpm`; rhel-like is any other one with the same tools.',
      ),
    suite: z
      .string()
      .regex(/^[a-z][a-z0-9.-]*$/, 'is not a suite name')
      .optional()
      .describe('Release of Debian by its code name: trixie (Debian 13), bookworm (Debian 12).'),
    rpm: rpmSchema
      .optional()
      .describe('Release, repositories and settings of a distribution with rpm packages; see docs/rpm.md.'),
    architecture: z
      .enum(DEBIAN_ARCHITECTURES)
      .optional()
      .describe("Machine architecture by its Debian name; the host's by default."),
    variant: z
      .enum(['minbase', 'buildd', 'important'])
      .default('minbase')
      .describe(
        'What is there before packages are added: minbase (essential packages and apt), buildd (and build-essential), important (a small server). Same meaning in mmdebstrap and debootstrap.',
      ),
    mirror: z
      .string()
      .regex(/^(https?|file|copy|ftp):\S+$/, 'is not a URI that apt can read')
      .optional()
      .describe('Archive to install from. Without it the bootstrap tool uses its default.'),
    components: z
      .array(z.string().min(1))
      .min(1)
      .default(['main'])
      .describe('Components of the archive: main, contrib, non-free, non-free-firmware.'),
    sources: z
      .array(sourceSchema)
      .default([])
      .describe('Further package repositories (deb822 fields, see sources.list(5)).'),
    keyring: hostPath
      .optional()
      .describe(
        "Keyring file that the archive is checked with, relative to the recipe; the host's debian-archive-keyring by default.",
      ),
    packages: z
      .array(packageName)
      .default([])
      .describe(
        'Packages to install, with what they depend on, without recommendations. An exact version: name=1.2-3 for Debian, name-1.2-3 for rpm.',
      ),
    kernel: z
      .union([kernelSchema, z.array(kernelSchema).min(1)])
      .default({})
      .describe(
        'The kernel that nodes boot, or a list of several, of which nodes.yaml says who boots which (the newest by default); see docs/kernels.md.',
      ),
    files: z.array(fileSchema).prefault([]).describe('Files to put into the root, after the packages.'),
    overlays: z
      .array(hostPath)
      .default([])
      .describe(
        'Directories, relative to the recipe, that are copied over the root in this order, owned by root.',
      ),
    commands: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Run inside the root in this order, each by `/bin/sh -e -c`, after files and overlays. Without a network.',
      ),
    users: z.array(userSchema).default([]).describe('Accounts to create, or to set up when they exist.'),
    hostname: z
      .string()
      .regex(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$/, 'is not a host name')
      .optional()
      .describe('Host name of nodes that get none by DHCP; localhost by default.'),
    timezone: z
      .string()
      .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'is not a time zone name, such as Europe/Berlin')
      .optional()
      .describe(
        'Time zone by its tz database name, such as Europe/Berlin; UTC by default. Other than UTC needs the package tzdata.',
      ),
    locale: z
      .string()
      .regex(/^[A-Za-z_]+(\.[A-Za-z0-9-]+)?(@[a-z]+)?$/, 'is not a locale name, such as C.UTF-8')
      .optional()
      .describe('Value of LANG; C.UTF-8 by default. Other than C.UTF-8 needs the package locales.'),
    initrd: initrdSchema.prefault({}).describe('The initramfs that nodes boot with.'),
    layers: layersSchema.default({}).describe('What is laid over the read-only root.'),
  })
  .describe('Recipe of a root image');

type Decoded = z.output<typeof recipeSchema>;

/** Fields that only Debian has. */
export const DEBIAN_FIELDS = ['suite', 'variant', 'mirror', 'components', 'sources', 'keyring'] as const;

type DebianField = (typeof DEBIAN_FIELDS)[number];

/** Where a kernel of an image comes from. Paths are of the host, relative to the recipe. */
export type KernelSource =
  | { readonly kind: 'package'; readonly package: string }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'tree'; readonly image: string; readonly modules: string };

/** What recipes of all distributions have. */
type CommonRecipe = Omit<Decoded, 'distribution' | 'rpm' | 'architecture' | 'kernel' | DebianField> & {
  readonly architecture: DebianArchitecture;
  /** In the order of the recipe; never empty. */
  readonly kernels: readonly KernelSource[];
};

/** A recipe of a Debian root. */
export type DebianRecipe = CommonRecipe &
  Pick<Decoded, DebianField> & { readonly distribution: 'debian'; readonly suite: string };

/** A recipe of a root that is made of rpm packages. */
export type RpmRecipe = CommonRecipe & { readonly distribution: RpmDistribution; readonly rpm: RpmPart };

/** A decoded recipe: everything that has a default is filled in. Paths of the host are still relative to the recipe's directory. */
export type Recipe = DebianRecipe | RpmRecipe;

/** One entry of {@link Recipe.files}. */
export type RecipeFile = Recipe['files'][number];

/** One entry of {@link Recipe.users}. */
export type RecipeUser = Recipe['users'][number];

/** One entry of {@link Recipe.sources}: a deb822 stanza of sources.list(5). */
export type RecipeSource = DebianRecipe['sources'][number];

/** How an initramfs is compressed. */
export type Compression = Recipe['initrd']['compression'];
