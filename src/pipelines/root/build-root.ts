import { type ExecuteContext, executePlan, type FinishedStage } from '../../engine/execute.js';
import { FileDigests } from '../../engine/file-digests.js';
import { type PlannedStage, planStages, reasonToRun } from '../../engine/plan.js';
import type { Stage } from '../../engine/stage.js';
import { StageStore } from '../../engine/stage-store.js';
import { StatCache } from '../../engine/stat-cache.js';
import { type LockHolder, takeLock } from '../../engine/state-lock.js';
import { ToolVersions } from '../../engine/tool-versions.js';
import { ExitCode, MkrootError } from '../../errors.js';
import { currentGeneration, type Generation, readManifest } from '../../images/image-store.js';
import type { Manifest } from '../../images/manifest.js';
import { type BytePath, displayPath, toBytePath } from '../../ports/byte-path.js';
import type { Ports } from '../../ports/ports.js';
import type { DebianArchitecture } from '../../recipe/debian-architecture.js';
import { type LoadedRecipe, recipePath } from '../../recipe/load-recipe.js';
import type { Recipe } from '../../recipe/recipe.js';
import { findTreeStrategy } from '../../sandbox/root-tree.js';
import { addFiles } from '../../stages/root/add-files.js';
import { addKernels } from '../../stages/root/add-kernels.js';
import type { BuildEnvironment } from '../../stages/root/build-environment.js';
import { configureSystem } from '../../stages/root/configure-system.js';
import { createUsers } from '../../stages/root/create-users.js';
import { publishGeneration, removeUnfinishedGenerations } from '../../stages/root/publish-generation.js';
import type { BackendRequest } from '../../stages/root/root-backend.js';
import { runCommands } from '../../stages/root/run-commands.js';
import { sealRoot } from '../../stages/root/seal-root.js';
import { backendOf } from './root-backends.js';

/** What `mkroot build` was asked for. */
export interface BuildRequest {
  readonly recipe: LoadedRecipe;
  /** Absolute path of the state directory. */
  readonly state: BytePath;
  /** Of several programs that make the same root; mmdebstrap where it is installed, by default. */
  readonly backend?: string;
  /** Run every stage again. */
  readonly force?: boolean;
  /** Fail instead of waiting for another build. */
  readonly wait?: boolean;
  readonly hostArchitecture: DebianArchitecture;
  /** Version of mkroot. */
  readonly mkroot: string;
  readonly pid: number;
  /** The command line, for whoever waits for our lock. */
  readonly command: string;
  readonly signal?: AbortSignal;
}

/** One stage of a plan, for people and for --json. */
export interface PlanLine {
  readonly stage: string;
  readonly key: string;
  readonly action: 'cached' | 'run';
  /** Why it has to run: one line per difference to the most similar cached result. */
  readonly reason: readonly string[];
}

/** What came out. */
export interface BuildResult {
  readonly generation: Generation;
  readonly manifest: Manifest;
  /** False if the current generation was up to date already. */
  readonly built: boolean;
}

/**
 * The whole way from a recipe to a root, in order. Each stage builds on the results of all before it; a recipe that
 * wants nothing of a stage does not have it.
 */
function rootStages(recipe: Recipe, request: BackendRequest): Stage[] {
  const { environment } = request;
  return [
    ...backendOf(recipe).stages(request),
    ...(recipe.kernels.some(({ kind }) => kind === 'tree') ? [addKernels(recipe, environment)] : []),
    configureSystem(recipe, environment),
    ...(recipe.users.length > 0 ? [createUsers(recipe, environment)] : []),
    ...(recipe.files.length + recipe.overlays.length > 0 ? [addFiles(recipe, environment)] : []),
    ...(recipe.commands.length > 0 ? [runCommands(recipe, environment)] : []),
    sealRoot(environment),
  ];
}

/** What a build would do; nothing is run or changed but caches of digests and versions. */
export async function planRoot(ports: Ports, request: BuildRequest): Promise<PlanLine[]> {
  return (await prepare(ports, request).plan()).map((planned) => ({
    stage: planned.stage.name,
    key: planned.key,
    action: planned.cached === undefined ? 'run' : 'cached',
    reason: planned.cached !== undefined ? [] : reasonsOf(planned),
  }));
}

/**
 * Builds an image and makes it the current generation; if nothing has changed, does nothing at all.
 * @throws MkrootError of the stage that failed; Locked if another build is under way and waiting is not wanted.
 */
export async function buildRoot(ports: Ports, request: BuildRequest): Promise<BuildResult> {
  const { fs } = ports;
  const { state, force = false } = request;
  const { name } = request.recipe.recipe;
  requirePlainPath(state);
  const preparation = prepare(ports, request);
  const upToDate = force ? undefined : currentIfUpToDate(ports, request, await preparation.plan());
  if (upToDate !== undefined) return upToDate;

  fs.mkdir(state);
  const lock = await takeLock(ports, {
    path: `${state}/lock`,
    holder: holderOf(ports, request),
    wait: request.wait ?? true,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  try {
    preparation.store.removeUnfinished();
    removeUnfinishedGenerations(fs, state, name);
    // Planned again: whoever held the lock may have built the very same.
    const plan = await preparation.plan();
    const meanwhile = force ? undefined : currentIfUpToDate(ports, request, plan);
    if (meanwhile !== undefined) return meanwhile;
    const stages = await executePlan(plan, executeContext(ports, request, preparation.store));
    const generation = await publishGeneration(ports, publicationOf(request, plan, stages));
    return { generation, manifest: readManifest(fs, generation), built: true };
  } finally {
    await lock.release();
  }
}

/**
 * apt takes directories from configuration text, where blanks, quotes and some other characters have a meaning of their own: it loses its keys in
 * such a place, and says something else about it.
 */
function requirePlainPath(state: BytePath): void {
  if (/^[\w./-]+$/.test(state)) return;
  throw new MkrootError(
    `Cannot build in "${displayPath(state)}": apt cannot work below a directory with such a name`,
    {
      exitCode: ExitCode.Usage,
      hint: 'Choose a --state whose path has letters, digits and ./_- only.',
    },
  );
}

function prepare(ports: Ports, request: BuildRequest) {
  const { fs, runner } = ports;
  const { state, recipe, force = false } = request;
  const cache = `${state}/cache`;
  const stats = new StatCache(fs, `${cache}/stat-cache.json`);
  const store = new StageStore(fs, `${cache}/stages`);
  let strategy: ReturnType<typeof findTreeStrategy> | undefined;
  const environment: BuildEnvironment = {
    cache: (kind) => `${cache}/${kind}/${recipe.recipe.distribution}`,
    resolve: (path) => recipePath(recipe, path),
    strategy: () => {
      strategy ??= findTreeStrategy(ports, store.directory);
      return strategy;
    },
  };
  const stages = rootStages(recipe.recipe, {
    environment,
    runner,
    hostArchitecture: request.hostArchitecture,
    ...(request.backend === undefined ? {} : { program: request.backend }),
  });
  return {
    store,
    plan: async (): Promise<PlannedStage[]> => {
      const plan = await planStages(stages, {
        store,
        force,
        digests: new FileDigests(fs, stats),
        tools: new ToolVersions(fs, runner, stats),
      });
      stats.save();
      return plan;
    },
  };
}

function currentIfUpToDate(
  { fs }: Ports,
  { state, recipe }: BuildRequest,
  plan: readonly PlannedStage[],
): BuildResult | undefined {
  const generation = currentGeneration(fs, state, recipe.recipe.name);
  if (generation === undefined) return undefined;
  try {
    const manifest = readManifest(fs, generation);
    return manifest.key === plan.at(-1)?.key ? { generation, manifest, built: false } : undefined;
  } catch (error) {
    // Of another version of mkroot, or damaged: then it is not up to date, and a new one is what helps.
    if (error instanceof MkrootError && error.exitCode === ExitCode.InvalidInput) return undefined;
    throw error;
  }
}

function reasonsOf(planned: PlannedStage): readonly string[] {
  return planned.differences.length > 0 ? planned.differences : [reasonToRun(planned)];
}

function holderOf({ clock }: Ports, { pid, command }: BuildRequest): LockHolder {
  return { pid, command, since: clock.now().toISOString() };
}

function executeContext(ports: Ports, request: BuildRequest, store: StageStore): ExecuteContext {
  const logs = `${request.state}/logs`;
  const started = ports.clock
    .now()
    .toISOString()
    .replace(/[-:]|\.\d+/g, '');
  ports.fs.mkdir(logs);
  removeOldLogs(ports.fs, logs);
  return {
    ports,
    store,
    logFile: (stage) =>
      displayPath(`${logs}/${toBytePath(request.recipe.recipe.name)}-${started}-${stage}.log`),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
}

/** How many log files stay: some ten builds. */
const KEPT_LOGS = 60;

function removeOldLogs(fs: Ports['fs'], logs: BytePath): void {
  const byAge = fs
    .readdir(logs)
    .map((name) => ({ path: `${logs}/${name}`, mtime: fs.lstat(`${logs}/${name}`)?.mtime ?? 0 }))
    .sort((a, b) => b.mtime - a.mtime);
  for (const { path } of byAge.slice(KEPT_LOGS)) fs.remove(path);
}

function publicationOf(
  request: BuildRequest,
  plan: readonly PlannedStage[],
  stages: readonly FinishedStage[],
) {
  return {
    stages,
    state: request.state,
    recipe: request.recipe.recipe,
    backend: backendOf(request.recipe.recipe),
    recipePath: request.recipe.file,
    recipeLines: Object.fromEntries(
      [...request.recipe.positions]
        .filter(([path]) => path.startsWith('initrd'))
        .map(([path, { line }]) => [path, line]),
    ),
    tools: Object.assign({}, ...plan.map(({ inputs }) => inputs.tools)) as Record<string, string>,
    mkroot: request.mkroot,
  };
}
