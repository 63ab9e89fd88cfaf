import { z } from 'zod';

/** Distributions whose roots are made of rpm packages. `rhel-like` is any other one with the tools of EL. */
export const RPM_DISTRIBUTIONS = ['rocky', 'almalinux', 'fedora', 'rhel-like', 'opensuse'] as const;

/** One of {@link RPM_DISTRIBUTIONS}. */
export type RpmDistribution = (typeof RPM_DISTRIBUTIONS)[number];

/** A name, exact version (name-1.2-3.el9, name-0:1.2-3.el9.x86_64), file (/usr/bin/x) or group (@core). Never an option. */
const RPM_SPEC = /^[A-Za-z0-9_@/*][\w+.~^:/() *-]*$/;

/** Whether dnf(8) can take it as something to install: a name, an exact version, a file of a package, a group. */
export function isRpmSpec(spec: string): boolean {
  // A package file would be read without being in the key of what is built from it: that is for kernel.file.
  return RPM_SPEC.test(spec) && !spec.endsWith('.rpm');
}

const rpmSpec = z.string().regex(RPM_SPEC, 'is not a package, group or file that dnf can install');

const url = z.string().regex(/^(https?|ftp|file):\S+$/, 'is not a URL that dnf can read');

const hostPath = z.string().min(1);

const repositorySchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][\w.:-]*$/, 'is not a repository name (letters, digits, . _ : -)')
      .describe('Name of the repository, for messages and for the cache.'),
    baseurl: z
      .array(url)
      .min(1)
      .optional()
      .describe(
        'Where the repository is; further addresses are its mirrors. $releasever and $basearch are replaced.',
      ),
    metalink: url.optional().describe('Address of a metalink that lists the mirrors, with checksums.'),
    mirrorlist: url.optional().describe('Address of a plain list of mirrors.'),
    keys: z
      .array(hostPath)
      .min(1)
      .describe(
        'Keys that its packages are signed with (armoured OpenPGP): files, relative to the recipe, or https addresses. Unsigned packages are not installed.',
      ),
    priority: z
      .int()
      .min(1)
      .max(99)
      .optional()
      .describe('Lower wins over higher, whatever the versions; 99 by default.'),
    excludes: z.array(rpmSpec).default([]).describe('Packages that are never taken from this repository.'),
  })
  .refine(
    ({ baseurl, metalink, mirrorlist }) =>
      [baseurl, metalink, mirrorlist].filter((one) => one !== undefined).length === 1,
    { message: 'needs one of "baseurl", "metalink" and "mirrorlist"' },
  );

/** The part of a recipe that only distributions with rpm packages have. */
export const rpmSchema = z.strictObject({
  release: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'is not a release, such as "9"')
    .describe('Release of the distribution, $releasever of dnf. In quotes: "9", "10".'),
  repositories: z
    .array(repositorySchema)
    .min(1)
    .describe("Where packages come from. Nothing is taken from the host's own configuration of dnf."),
  modules: z
    .array(z.string().regex(/^[\w.+-]+:[\w.+-]+(\/[\w.+-]+)?$/, 'is not a module stream, such as nodejs:20'))
    .default([])
    .describe('Module streams to enable before anything is installed (NAME:STREAM).'),
  groups: z
    .array(z.string().min(1))
    .default([])
    .describe('Package groups and environments to install, by id: core, or "Minimal Install".'),
  excludes: z.array(rpmSpec).default([]).describe('Packages that are never installed; names or globs.'),
  weakDependencies: z
    .boolean()
    .default(false)
    .describe('Also install what packages only recommend (dnf: install_weak_deps).'),
  documentation: z
    .boolean()
    .default(false)
    .describe('Also install manual pages and documentation (rpm: nodocs is left out).'),
  failingScriptlets: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Packages whose scriptlets may fail. For any other package a scriptlet that fails is an error, also where rpm goes on.',
    ),
  selinux: z
    .enum(['disabled', 'permissive'])
    .default('disabled')
    .describe(
      'What /etc/selinux/config says. Enforcing is not possible: an overlay over NFS carries no labels.',
    ),
});

/** {@link rpmSchema}, decoded. */
export type RpmPart = z.output<typeof rpmSchema>;

/** One entry of {@link RpmPart.repositories}. */
export type RpmRepository = RpmPart['repositories'][number];
