import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import {
  COUNTS,
  GENERATIONS,
  makeCurrent,
  withOtherImage,
  writeIdentities,
  writeImage,
  writeSite,
} from './cluster-site.js';
import { type Contender, interleaved, type Measurement, measure } from './measure.js';
import { type Comparison, largestTargets } from './report.js';

/** A cluster that is measured. */
interface Cluster {
  readonly count: number;
  readonly site: string;
  readonly state: string;
}

/** Plans and publishes of 100 to 10,000 nodes. */
export async function benchPublish(context: BenchContext): Promise<Comparison[]> {
  const clusters = COUNTS.map((count): Cluster => {
    const site = join(context.directory, `site-${count}`);
    writeSite(site, count);
    return { count, site, state: join(context.directory, `state-${count}`) };
  });
  const run = ({ site, state }: Cluster, ...words: string[]) =>
    measure(
      { argv: mkrootArgv(context, 'publish', ...words, '--site', site, '--state', state) },
      context.directory,
    );
  const plan = (cluster: Cluster) => run(cluster, '--dry-run');
  const compare = async (
    title: string,
    task: string,
    act: (cluster: Cluster) => Measurement,
    { warmUp, rounds }: { warmUp: number; rounds: number } = { warmUp: 1, rounds: 3 },
  ): Promise<Comparison> => {
    const contenders = clusters.map(
      (cluster): Contender => ({
        name: `${cluster.count.toLocaleString('en')} nodes`,
        run: () => act(cluster),
      }),
    );
    const results = await interleaved(contenders, { rounds: context.rounds ?? rounds, warmUp });
    const isPlan = title.startsWith('Plan');
    return { title, task, results, sizes: COUNTS, targets: isPlan ? largestTargets(title, results) : [] };
  };
  const fresh = (cluster: Cluster, identities: boolean) => {
    rmSync(cluster.state, { recursive: true, force: true });
    for (const image of ['compute', 'minimal']) writeImage(cluster.state, image);
    if (identities) writeIdentities(cluster.state, cluster.count, context.directory);
  };

  for (const cluster of clusters) fresh(cluster, false);
  return [
    await compare(
      'Plan: first',
      '`mkroot publish --dry-run` where nothing was ever published: every layer is put together, every file rendered.',
      plan,
    ),
    await compare(
      'Publish: first',
      '`mkroot publish`: for each node a layer of 14 files and six boot files are written, and the file system is synchronised. Host keys are there already: each node’s take ssh-keygen as long as before, some 0.4 s for its RSA key.',
      (cluster) => {
        fresh(cluster, true);
        return run(cluster, '--interface', 'br0');
      },
      { warmUp: 0, rounds: 1 },
    ),
    await compare(
      'Plan: nothing has changed',
      '`mkroot publish --dry-run` after that; it has to notice a file that somebody edited, so it looks at every file of the tree and of the layers.',
      plan,
    ),
    await compare(
      'Plan: another image for one node',
      'the same, after one line was added to nodes.yaml.',
      (cluster) => {
        const file = join(cluster.site, 'nodes.yaml');
        const nodes = readFileSync(file, 'utf8');
        writeFileSync(file, withOtherImage(nodes, 'n7', 'minimal'));
        const measured = plan(cluster);
        writeFileSync(file, nodes);
        return measured;
      },
    ),
    await compare(
      'Plan: a new generation for all',
      'the same, after `mkroot build`: every node’s layer, which names the generation, and every boot file become others.',
      (cluster) => {
        makeCurrent(cluster.state, 'compute', GENERATIONS[1]);
        const measured = plan(cluster);
        makeCurrent(cluster.state, 'compute', GENERATIONS[0]);
        return measured;
      },
    ),
  ];
}
