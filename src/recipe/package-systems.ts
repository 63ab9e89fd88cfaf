import { type DebianArchitecture, defaultKernelPackage } from './debian-architecture.js';
import { DEBIAN_FIELDS } from './recipe.js';
import { isRpmSpec } from './rpm-recipe.js';

/** What recipes have to know about the programs that install packages: the entry of one in {@link PACKAGE_SYSTEMS}. */
export interface PackageSystem {
  /** Values of `distribution` that it installs. */
  readonly distributions: readonly string[];
  /** The field that its recipes cannot do without. */
  readonly required: string;
  /** Fields of a recipe that others do not have. */
  readonly fields: readonly string[];
  /** Fields below {@link fields} that mean nothing to it, such as `rpm.modules`. */
  readonly without: readonly string[];
  readonly packageName: {
    /** As errors say it, with an article. */
    readonly what: string;
    readonly accepts: (name: string) => boolean;
  };
  /** How the names of its package files end. */
  readonly packageFile: string;
  /** The package with the newest kernel. */
  readonly kernelPackage: (architecture: DebianArchitecture) => string;
}

/** Debian Policy 5.6.7; with an optional `=version`, `/suite` or `:arch` as apt-get(8) takes it. */
const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9.+-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$/;

/** zypper(8): a name or glob, with an optional exact version behind `=`; or a file that packages provide. */
const ZYPPER_PACKAGE = /^[A-Za-z0-9_/*][\w+.~^:/()*-]*(=[\w.~^+:-]+)?$/;

/** The package systems by name; each has a backend in src/stages, see docs/adding-a-backend.md. */
export const PACKAGE_SYSTEMS = {
  apt: {
    distributions: ['debian'],
    required: 'suite',
    fields: DEBIAN_FIELDS,
    without: [],
    packageName: { what: 'a Debian package name', accepts: (name) => DEBIAN_PACKAGE.test(name) },
    packageFile: '.deb',
    kernelPackage: defaultKernelPackage,
  },
  dnf: {
    distributions: ['rocky', 'almalinux', 'fedora', 'rhel-like'],
    required: 'rpm',
    fields: ['rpm'],
    without: [],
    packageName: { what: 'a package, group or file that dnf can install', accepts: isRpmSpec },
    packageFile: '.rpm',
    // Fedora and EL call it so on every architecture; it brings kernel-core and all modules.
    kernelPackage: () => 'kernel',
  },
  zypper: {
    distributions: ['opensuse'],
    required: 'rpm',
    fields: ['rpm'],
    without: ['rpm.modules', 'rpm.repositories.excludes'],
    packageName: {
      what: 'a package or file that zypper can install',
      accepts: (name) => ZYPPER_PACKAGE.test(name) && !name.endsWith('.rpm'),
    },
    packageFile: '.rpm',
    kernelPackage: () => 'kernel-default',
  },
} as const satisfies Readonly<Record<string, PackageSystem>>;

/** Name of a package system. */
export type PackageSystemName = keyof typeof PACKAGE_SYSTEMS;

/** Whether that package system installs that distribution. */
export function installs(system: PackageSystemName, distribution: string): boolean {
  return packageSystemOf(distribution) === PACKAGE_SYSTEMS[system];
}

/** The package system of a distribution; undefined for a distribution that nobody knows. */
export function packageSystemOf(distribution: unknown): PackageSystem | undefined {
  return Object.values<PackageSystem>(PACKAGE_SYSTEMS).find(({ distributions }) =>
    distributions.some((name) => name === distribution),
  );
}
