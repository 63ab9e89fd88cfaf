import { beforeEach, describe, expect, it } from 'vitest';
import { executePlan } from '../../../src/engine/execute.js';
import { FileDigests } from '../../../src/engine/file-digests.js';
import { planStages, reasonToRun } from '../../../src/engine/plan.js';
import type { Stage, StageContext } from '../../../src/engine/stage.js';
import { StageStore } from '../../../src/engine/stage-store.js';
import { StatCache } from '../../../src/engine/stat-cache.js';
import { ToolVersions } from '../../../src/engine/tool-versions.js';
import { ExitCode, MkrootError } from '../../../src/errors.js';
import { systemClock } from '../../../src/host/system-clock.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';
import { ScriptedRunner } from '../../support/scripted-runner.js';
import { SilentProgress } from '../../support/silent-progress.js';

let fs: ReturnType<typeof memoryFileSystem>;
let runs: string[];

beforeEach(() => {
  fs = memoryFileSystem({ '/srv/motd': 'hello' });
  runs = [];
});

function stage(name: string, options = {}, run: (context: StageContext) => void = () => {}): Stage {
  return {
    name,
    options,
    title: name,
    version: 1,
    files: name === 'add' ? ['/srv/motd'] : [],
    tools: [],
    run: async (context) => {
      runs.push(name);
      run(context);
      fs.writeFile(`${context.result}/made-by`, name);
    },
  };
}

async function build(
  stages: readonly Stage[],
  { force = false, signal }: { force?: boolean; signal?: AbortSignal } = {},
) {
  const store = new StageStore(fs, '/state/stages');
  const runner = new ScriptedRunner();
  const stats = new StatCache(fs, '/state/stats.json');
  const context = {
    store,
    force,
    digests: new FileDigests(fs, stats),
    tools: new ToolVersions(fs, runner, stats),
  };
  const plan = await planStages(stages, context);
  stats.save();
  const progress = new SilentProgress();
  const ports = { fs, runner, progress, clock: systemClock };
  const interruption = signal === undefined ? {} : { signal };
  const finished = await executePlan(plan, {
    ports,
    store,
    logFile: (name) => `/log/${name}`,
    ...interruption,
  });
  return { plan, finished, progress, store };
}

describe('executePlan', () => {
  it('names the stage that Ctrl-C ended, not the program that it ran, and says what is kept', async () => {
    const abort = new AbortController();
    const slow = stage('install', {}, () => {
      abort.abort();
      throw new MkrootError('Cannot finish "nsenter": interrupted', { exitCode: ExitCode.Interrupted });
    });
    const stages = [stage('bootstrap'), { ...slow, title: 'Installing packages' }];
    await expect(build(stages, { signal: abort.signal })).rejects.toMatchObject({
      message: 'Cannot finish "Installing packages": interrupted',
      hint: 'What was done before is kept: the next build goes on from there, unless by --force.',
      exitCode: ExitCode.Interrupted,
    });
    expect((await build([stage('bootstrap')])).finished[0]?.cached).toBe(true);
  });

  it('runs each stage once, and nothing at all the second time', async () => {
    const stages = [stage('bootstrap'), stage('install'), stage('add')];
    const first = await build(stages);
    expect(runs).toEqual(['bootstrap', 'install', 'add']);
    const second = await build(stages);
    expect(runs).toHaveLength(3);
    expect(second.finished.map(({ cached }) => cached)).toEqual([true, true, true]);
    expect(second.plan.map(({ key }) => key)).toEqual(first.plan.map(({ key }) => key));
  });

  it('runs what changed and everything after it, starting from the cached result before', async () => {
    await build([stage('bootstrap'), stage('install', { packages: ['a'] }), stage('add')]);
    runs = [];
    let earlier: readonly string[] = [];
    const { plan, store } = await build([
      stage('bootstrap'),
      stage('install', { packages: ['a', 'b'] }, (context) => {
        earlier = context.earlier;
      }),
      stage('add'),
    ]);
    expect(runs).toEqual(['install', 'add']);
    expect(earlier).toEqual([store.resultPath(plan[0]!.key)]);
    expect(Buffer.from(fs.readFile(`${earlier[0]}/made-by`)).toString()).toBe('bootstrap');
    expect(plan[1]!.differences).toEqual(['packages: + b']);
    expect(plan[2]!.differences).toEqual(['the result of the stage before']);
  });

  it('runs a stage again when a file that it reads has changed, and says which', async () => {
    await build([stage('bootstrap'), stage('add')]);
    fs.writeFile('/srv/motd', 'changed');
    runs = [];
    const { plan } = await build([stage('bootstrap'), stage('add')]);
    expect(runs).toEqual(['add']);
    expect(reasonToRun(plan[1]!)).toBe('file /srv/motd: changed');
  });

  it('compares with the most similar of several cached results', async () => {
    await build([stage('install', { packages: ['a', 'b'], hostname: 'x' })]);
    await build([stage('install', { packages: ['z'], hostname: 'y' })]);
    const { plan } = await build([stage('install', { packages: ['a', 'b', 'c'], hostname: 'x' })]);
    expect(plan[0]!.differences).toEqual(['packages: + c']);
  });

  it('keeps what was finished when a later stage fails, and leaves nothing of the failed one', async () => {
    const failing = stage('install', {}, ({ result }) => {
      fs.writeFile(`${result}/half`, '');
      throw new Error('disk on fire');
    });
    await expect(build([stage('bootstrap'), failing])).rejects.toThrow('disk on fire');
    expect(fs.readdir('/state/stages')).toHaveLength(1);
    runs = [];
    await build([stage('bootstrap'), stage('install')]);
    expect(runs).toEqual(['install']);
  });

  it('runs everything with force, and replaces the cached results', async () => {
    await build([stage('bootstrap'), stage('install')]);
    const { plan } = await build([stage('bootstrap'), stage('install')], { force: true });
    expect(runs).toEqual(['bootstrap', 'install', 'bootstrap', 'install']);
    expect(reasonToRun(plan[0]!)).toBe('forced');
    expect(fs.readdir('/state/stages')).toHaveLength(2);
  });

  it('takes a record that was cut off as absent, and removes what a killed build left', async () => {
    const { plan, store } = await build([stage('bootstrap')]);
    fs.remove(`/state/stages/${plan[0]!.key}/stage.json`);
    fs.writeFile(`/state/stages/${plan[0]!.key}/stage.json`, '{"key":');
    fs.mkdir('/state/stages/.new-abc/result');
    store.removeUnfinished();
    expect(fs.readdir('/state/stages')).toEqual([plan[0]!.key]);
    await build([stage('bootstrap')]);
    expect(runs).toEqual(['bootstrap', 'bootstrap']);
  });
});
