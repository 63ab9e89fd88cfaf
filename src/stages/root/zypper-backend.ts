import type { StageContext } from '../../engine/stage.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ProcessRunner } from '../../ports/process-runner.js';
import { rpmArchitecture } from '../../recipe/debian-architecture.js';
import { installs } from '../../recipe/package-systems.js';
import type { Recipe, RpmRecipe } from '../../recipe/recipe.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { RootTree } from '../../sandbox/root-tree.js';
import { bootstrapRpm } from './bootstrap-rpm.js';
import type { BuildEnvironment } from './build-environment.js';
import { type RecipePackages, recipePackages } from './recipe-packages.js';
import type { RootBackend } from './root-backend.js';
import { listRpmPackages } from './rpm-database.js';
import { rpmMacros } from './rpm-macros.js';
import { type FailedScriptlet, failedScriptlet, SCRIPTLET_ENVIRONMENT } from './rpm-scriptlets.js';
import { withHint } from './tool-hint.js';

/** Where rpm of openSUSE has its database since Leap 15.1; /var/lib/rpm is a link to it. */
const DATABASE: BytePath = '/usr/lib/sysimage/rpm';

/** openSUSE: one run of zypper with --root. */
export function zypperBackend(recipe: Recipe): RootBackend | undefined {
  if (!('rpm' in recipe) || !installs('zypper', recipe.distribution)) return undefined;
  return {
    stages: (request) => [
      bootstrapRpm(
        recipe,
        {
          program: 'zypper',
          database: DATABASE,
          require: () => requireZypper(request.runner),
          install: (tree, context) => install(recipe, tree, context, request.environment),
        },
        request,
      ),
    ],
    installed: listRpmPackages,
  };
}

function requireZypper(runner: ProcessRunner): void {
  const absent = ['zypper', 'rpm'].find((program) => runner.which(program) === undefined);
  if (absent === undefined) return;
  throw new MkrootError(
    `Cannot run "${absent}": it is not installed, and zypper installs openSUSE's packages`,
    {
      exitCode: ExitCode.MissingTool,
      hint: 'Install it: apt install zypper rpm (Debian), dnf install zypper (Fedora).',
    },
  );
}

/** Where zypper finds and puts things; all are directories of the host. */
export interface ZypperPaths {
  readonly root: BytePath;
  readonly configuration: BytePath;
  readonly cache: BytePath;
}

/** The text of zypp.conf: nothing of the host's configuration counts. */
export function zyppConfiguration({ rpm, architecture }: RpmRecipe): string {
  return [
    '[main]',
    `arch = ${rpmArchitecture(architecture)}`,
    `solver.onlyRequires = ${!rpm.weakDependencies}`,
    `rpm.install.excludedocs = ${rpm.documentation ? 'no' : 'yes'}`,
    '',
  ].join('\n');
}

/** The recipe's repositories as a .repo file. Their keys are imported before: zypper would ask whether to trust them. */
export function zypperRepositories({ rpm }: RpmRecipe): string {
  return rpm.repositories
    .map(({ name, baseurl, metalink, mirrorlist, priority }) =>
      [
        `[${name}]`,
        `name=${name}`,
        ...(baseurl === undefined ? [] : [`baseurl=${baseurl.join('\n        ')}`]),
        ...(metalink === undefined ? [] : [`metalink=${metalink}`]),
        ...(mirrorlist === undefined ? [] : [`mirrorlist=${mirrorlist}`]),
        'enabled=1',
        'autorefresh=1',
        'type=rpm-md',
        'repo_gpgcheck=0',
        'pkg_gpgcheck=1',
        'keeppackages=1',
        ...(priority === undefined ? [] : [`priority=${priority}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** The runs of zypper, one after the other: fetch indexes, install everything at once. */
export function zypperArgvs(
  { rpm }: RpmRecipe,
  { names, files }: RecipePackages,
  { root, configuration, cache }: ZypperPaths,
): [string, ...string[]][] {
  const common: [string, ...string[]] = [
    'zypper',
    '--non-interactive',
    `--config=${configuration}/zypper.conf`,
    `--root=${root}`,
    `--reposd-dir=${configuration}/repos`,
    `--cache-dir=${cache}/metadata`,
    `--pkg-cache-dir=${cache}/packages`,
    `--releasever=${rpm.release}`,
  ];
  return [
    [...common, 'refresh'],
    [
      ...common,
      'install',
      '--auto-agree-with-licenses',
      '--download-in-advance',
      // A file that the recipe names is known by its digest; `make binrpm-pkg` signs nothing.
      ...(files.length === 0 ? [] : ['--allow-unsigned-rpm']),
      rpm.weakDependencies ? '--recommends' : '--no-recommends',
      '--',
      ...names,
      ...files,
      ...rpm.groups.map((group) => `pattern:${group}`),
      ...rpm.excludes.map((name) => `!${name}`),
    ],
  ];
}

/** zypper(8): success with something to add: a reboot or a restart would be due, a scriptlet has failed. */
const WITH_NOTE = '"$@" || { status=$?; case $status in 102 | 103 | 107) ;; *) exit $status ;; esac; }';

async function install(
  recipe: RpmRecipe,
  tree: RootTree,
  { ports, task, logFile, signal }: StageContext,
  environment: BuildEnvironment,
): Promise<readonly FailedScriptlet[]> {
  const { fs } = ports;
  const cache = environment.cache('rpms');
  const paths: ZypperPaths = { root: tree.path, configuration: `${cache}/configuration`, cache };
  const { configuration } = paths;
  fs.remove(configuration);
  fs.mkdir(`${configuration}/repos`);
  fs.mkdir(`${cache}/packages`);
  fs.writeFile(`${configuration}/zypper.conf`, '');
  fs.writeFile(`${configuration}/zypp.conf`, zyppConfiguration(recipe));
  fs.writeFile(`${configuration}/repos/mkroot.repo`, zypperRepositories(recipe));
  fs.writeFile(`${configuration}/.rpmmacros`, rpmMacros(DATABASE));
  const env = {
    HOME: displayPath(configuration),
    ZYPP_CONF: displayPath(`${configuration}/zypp.conf`),
    ...SCRIPTLET_ENVIRONMENT,
  };
  const failed: FailedScriptlet[] = [];
  const run = async (name: string, argv: [string, ...string[]]) => {
    const lines: string[] = [];
    const onLine = (line: string) => {
      lines.push(line);
      const scriptlet = failedScriptlet(line);
      if (scriptlet !== undefined) failed.push(scriptlet);
      const activity = zypperActivity(line);
      if (activity !== undefined) task.update(activity);
    };
    const options = { name, env, logFile, onLine, ...(signal === undefined ? {} : { signal }) };
    try {
      await tree.runOnHost(argv, options);
    } catch (error) {
      throw withHint(error, zypperHint(lines));
    }
  };
  for (const key of new Set(recipe.rpm.repositories.flatMap(({ keys }) => keys))) {
    const file = /^https:/.test(key) ? key : environment.resolve(key);
    await run('rpm --import', ['rpm', `--root=${tree.path}`, `--dbpath=${DATABASE}`, '--import', file]);
  }
  for (const argv of zypperArgvs(recipe, recipePackages(recipe, environment), paths)) {
    await run(`zypper ${argv.includes('install') ? 'install' : 'refresh'}`, [
      'sh',
      '-c',
      WITH_NOTE,
      'sh',
      ...argv,
    ]);
  }
  removeTraces(new RootWriter(fs, tree.hostPath), cache);
  return failed;
}

/** Logs, an id that would be the same on every node, and a copy of the cache's path that zypper makes inside the root. */
function removeTraces(writer: RootWriter, cache: BytePath): void {
  for (const path of ['/var/log/zypp', '/var/log/zypper.log', '/var/cache/zypp', '/var/lib/zypp'])
    writer.remove(path);
  writer.remove('/run/zypp.pid');
  writer.remove(cache);
  const above = (path: BytePath) => path.slice(0, path.lastIndexOf('/'));
  for (let path = above(cache); path !== '' && !OF_PACKAGES.has(path); path = above(path)) {
    if (writer.sysroot.list(path).length > 0) return;
    writer.remove(path);
  }
}

/** Directories above any state directory that packages own, empty or not. */
const OF_PACKAGES: ReadonlySet<BytePath> = new Set(
  [
    'home',
    'media',
    'mnt',
    'opt',
    'root',
    'srv',
    'tmp',
    'var',
    'var/cache',
    'var/lib',
    'var/opt',
    'var/tmp',
  ].map((path) => `/${path}`),
);

/** What zypper is doing, from a line of its output; undefined for lines that say nothing new. */
export function zypperActivity(line: string): string | undefined {
  const step = /^\((\d+\/\d+)\) (Installing): (\S+)/.exec(line);
  if (step !== null) return `installing ${step[3]} (${step[1]})`;
  const download = /^(?:Retrieving package|Retrieving:?) (\S+) \((\d+\/\d+)\)/.exec(line);
  return download === null ? undefined : `downloading ${download[1]} (${download[2]})`;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /signature verification failed|public key is not available|package is not signed|import failed/i,
    'Check which key the repository signs its packages with, and name its file under rpm.repositories[].keys.',
  ],
  [
    /download \(curl\) error|file .* not found on medium|digest verification failed|timeout exceeded|valid metadata not found/i,
    'The repository is broken, changing or out of reach: try again, or name another address under rpm.repositories[].baseurl.',
  ],
  [
    /nothing provides|conflicts with|^Problem: /im,
    'Leave one of the packages out (packages, rpm.excludes), or add the repository that has what is missing.',
  ],
  [
    /no provider of|not found in package names|not found\./i,
    'Check names and versions against what the repositories have.',
  ],
];

/** What the user can do about a failure of zypper, from its words; undefined when nothing in them is known. */
export function zypperHint(lines: readonly string[]): string | undefined {
  return HINTS.find(([words]) => lines.some((line) => words.test(line)))?.[1];
}
