import { ExitCode, MkrootError } from '../../errors.js';
import type { BytePath } from '../../ports/byte-path.js';
import type { ProcessRunner } from '../../ports/process-runner.js';
import { rpmArchitecture } from '../../recipe/debian-architecture.js';
import type { RpmRecipe } from '../../recipe/recipe.js';

/** Programs that install rpm packages into a directory, the one to prefer first: dnf 5, dnf 4 (or 5), and dnf 4 by the name of yum. */
export const DNF_PROGRAMS = ['dnf5', 'dnf', 'yum'] as const;

/** One of {@link DNF_PROGRAMS}. */
export type DnfProgram = (typeof DNF_PROGRAMS)[number];

/** Where dnf finds and puts things; all are directories of the host. */
export interface DnfPaths {
  readonly installRoot: BytePath;
  /** Holds dnf.conf and, in repos, the repository files. */
  readonly configuration: BytePath;
  /** Downloaded packages and metadata. */
  readonly cache: BytePath;
}

/** The best program that the host has; undefined if there is none. */
export function findDnf(runner: ProcessRunner): DnfProgram | undefined {
  return DNF_PROGRAMS.find((program) => runner.which(program) !== undefined);
}

/** @throws MkrootError MissingTool, with the packages to install, if there is no dnf or no rpm. */
export function requireDnf(runner: ProcessRunner, program: DnfProgram | undefined): DnfProgram {
  const absent = program === undefined ? 'dnf' : 'rpm';
  if (program !== undefined && runner.which('rpm') !== undefined) return program;
  throw new MkrootError(`Cannot run "${absent}": it is not installed, and rpm packages are installed by it`, {
    exitCode: ExitCode.MissingTool,
    hint: 'Install it: apt install dnf rpm (Debian), dnf install dnf (Fedora, EL).',
  });
}

/** The text of dnf.conf(5): nothing of the host's configuration counts. */
export function dnfConfiguration({ rpm, kernels }: RpmRecipe): string {
  return stanza('main', {
    gpgcheck: 1,
    // A file that the recipe names is known by its digest; `make binrpm-pkg` signs nothing.
    localpkg_gpgcheck: kernels.some(({ kind }) => kind === 'file') ? 0 : 1,
    keepcache: 1,
    plugins: 0,
    install_weak_deps: rpm.weakDependencies ? 1 : 0,
    ...(rpm.documentation ? {} : { tsflags: 'nodocs' }),
    ...(rpm.excludes.length === 0 ? {} : { excludepkgs: rpm.excludes.join(' ') }),
  });
}

/**
 * The recipe's repositories as a .repo file.
 * @param resolve makes a host path of the recipe absolute.
 */
export function repositoryFile({ rpm }: RpmRecipe, resolve: (path: string) => BytePath): string {
  return rpm.repositories
    .map(({ name, baseurl, metalink, mirrorlist, keys, priority, excludes }) =>
      stanza(name, {
        name,
        ...(baseurl === undefined ? {} : { baseurl: baseurl.join(' ') }),
        ...(metalink === undefined ? {} : { metalink }),
        ...(mirrorlist === undefined ? {} : { mirrorlist }),
        gpgkey: keys.map((key) => (/^https?:\/\//.test(key) ? key : fileUrl(resolve(key)))).join(' '),
        enabled: 1,
        ...(priority === undefined ? {} : { priority }),
        ...(excludes.length === 0 ? {} : { excludepkgs: excludes.join(' ') }),
      }),
    )
    .join('\n');
}

/**
 * One argv for each transaction: module streams first, then everything else at once.
 * @param packages those of the recipe and of its kernels: names, or files of the host.
 */
export function dnfArgvs(
  recipe: RpmRecipe,
  packages: readonly string[],
  program: DnfProgram,
  paths: DnfPaths,
): [string, ...string[]][] {
  const { rpm, architecture } = recipe;
  const common: [string, ...string[]] = [
    program,
    '--assumeyes',
    // The index is asked for each time; of what it lists, only what is new is fetched.
    '--refresh',
    `--installroot=${paths.installRoot}`,
    `--releasever=${rpm.release}`,
    `--config=${paths.configuration}/dnf.conf`,
    `--setopt=reposdir=${paths.configuration}/repos`,
    `--setopt=varsdir=${paths.configuration}/vars`,
    `--forcearch=${rpmArchitecture(architecture)}`,
    // Paths on the command line are the host's. dnf 4 knows the first name, dnf 5 uses the second one when it runs as root.
    `--setopt=cachedir=${paths.cache}`,
    ...(program === 'dnf5' ? [`--setopt=system_cachedir=${paths.cache}`] : []),
  ];
  const wanted = [...new Set([...packages, ...rpm.groups.map((group) => `@${group}`)])];
  return [
    ...(rpm.modules.length === 0
      ? []
      : [[...common, 'module', 'enable', ...rpm.modules] as [string, ...string[]]]),
    [...common, 'install', ...wanted],
  ];
}

function stanza(section: string, values: Readonly<Record<string, string | number>>): string {
  return [`[${section}]`, ...Object.entries(values).map(([name, value]) => `${name}=${value}`), ''].join(
    '\n',
  );
}

function fileUrl(path: BytePath): string {
  return `file://${encodeURI(Buffer.from(path, 'latin1').toString('utf8'))}`;
}
