import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { hostPorts } from '../../src/cli/host-ports.js';
import { recipeSearch } from '../../src/cli/recipe-search.js';
import { loadRecipe } from '../../src/recipe/load-recipe.js';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { type Contender, interleaved, type Measurement, measure, type Result } from './measure.js';
import type { Comparison, Target } from './report.js';

/** The recipe that is built. */
const RECIPE = 'compute';

type Backend = 'mmdebstrap' | 'debootstrap';

/** A whole root from nothing by mkroot and by the bare bootstrap tools, then what mkroot's cache is for. */
export async function benchBuild(context: BenchContext): Promise<Comparison[]> {
  const file = `${context.repository}/recipes/${RECIPE}.yaml`;
  const { fs } = hostPorts();
  const { recipe } = loadRecipe(fs, file, recipeSearch(fs, context.repository));
  if (recipe.distribution !== 'debian') throw new Error(`${RECIPE} is not a recipe of Debian`);
  const { variant, suite } = recipe;
  const packages = [
    ...recipe.packages,
    ...recipe.kernels.flatMap((one) => (one.kind === 'package' ? [one.package] : [])),
  ].join(',');
  const bare = (backend: Backend, name: string, remark: string, env = {}): Contender => ({
    name,
    remark,
    run: () => {
      const target = `${context.directory}/bare`;
      const argv = [backend, `--variant=${variant}`, `--include=${packages}`, suite, target];
      // Its mounts end with its namespace, as mkroot's do.
      return cold(context, target, { argv, env, setUp: ':' });
    },
  });
  const mkroot = (backend: Backend): Contender => ({
    name: `mkroot build --backend ${backend}`,
    run: () => {
      const state = `${context.directory}/state`;
      return cold(context, state, { argv: buildArgv(context, file, backend, state), setUp: ':' });
    },
  });
  const rounds = context.rounds ?? 3;
  const all = await interleaved(
    [
      mkroot('mmdebstrap'),
      bare('mmdebstrap', 'bare mmdebstrap', 'its kernel package runs update-initramfs; mkroot forbids that'),
      bare('mmdebstrap', 'bare mmdebstrap, INITRD=No', 'makes no initramfs either', { INITRD: 'No' }),
      mkroot('debootstrap'),
      bare(
        'debootstrap',
        'bare debootstrap',
        'the suite alone; mkroot upgrades to what the security and update suites have. It makes an initramfs, too',
      ),
    ],
    { rounds },
  );
  const withMmdebstrap = all.slice(0, 3);
  const again = await rebuilds(context, file, rounds);
  return [
    {
      ...comparisonOf('mmdebstrap', withMmdebstrap),
      targets: withMmdebstrap.slice(1).map((other) => withinFivePercent(withMmdebstrap[0]!, other)),
    },
    comparisonOf('debootstrap', all.slice(3)),
    again,
  ];
}

function comparisonOf(backend: Backend, results: readonly Result[]): Comparison {
  return {
    title: `root from nothing, ${backend}`,
    task: `recipe "${RECIPE}", empty state directory, packages downloaded by both. mkroot also configures the system, runs the recipe's commands, writes a manifest and publishes.`,
    results,
    targets: [],
  };
}

function withinFivePercent(mkroot: Result, bare: Result): Target {
  return {
    what: `mkroot build, time compared with ${bare.name}`,
    value: mkroot.seconds / bare.seconds,
    limit: 1.05,
    unit: '',
  };
}

/** Nothing has changed; a file has been added. */
async function rebuilds(context: BenchContext, recipe: string, rounds: number): Promise<Comparison> {
  const state = `${context.directory}/warm-state`;
  const changed = `${context.directory}/${RECIPE}.yaml`;
  const build = (file: string) =>
    measure({ argv: buildArgv(context, file, 'mmdebstrap', state) }, context.directory);
  build(recipe);
  let file = 0;
  const results = await interleaved(
    [
      {
        name: 'mkroot build, nothing has changed',
        run: () => {
          // What ran before built another recipe of the same name.
          build(recipe);
          return build(recipe);
        },
      },
      {
        name: 'mkroot build, one more file',
        remark: 'its content is new in each run; a new generation is published',
        run: () => {
          file += 1;
          writeFileSync(changed, withFile(readFileSync(recipe, 'utf8'), `benchmark ${file}\n`));
          return build(changed);
        },
      },
    ],
    { rounds: Math.max(rounds, 3) },
  );
  rmSync(state, { recursive: true });
  return {
    title: 'root again',
    task: 'the same recipe and state directory, with mmdebstrap.',
    results,
    targets: [
      { what: 'mkroot build, nothing has changed', value: results[0]!.seconds, limit: 0.5, unit: ' s' },
    ],
  };
}

function buildArgv(context: BenchContext, recipe: string, backend: Backend, state: string): string[] {
  return mkrootArgv(context, 'build', recipe, '--backend', backend, '--state', state);
}

/** Measures with `target` not there before and removed afterwards; what others left to be written is written before. */
function cold(context: BenchContext, target: string, measured: Parameters<typeof measure>[0]): Measurement {
  mkdirSync(context.directory, { recursive: true });
  execFileSync('sync');
  try {
    return measure(measured, context.directory);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

function withFile(recipe: string, content: string): string {
  const document = parse(recipe) as { files?: unknown[] };
  const added = { destination: '/etc/benchmark', content };
  return stringify({ ...document, files: [...(document.files ?? []), added] });
}
