import { join } from 'node:path';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { COUNTS, writeImage, writeSite } from './cluster-site.js';
import { type Contender, interleaved, measure } from './measure.js';
import { type Comparison, largestTargets } from './report.js';

/** Inventories of 100 to 10,000 nodes: read, and boot files and server configuration rendered from them. */
export async function benchInventory(context: BenchContext): Promise<Comparison[]> {
  const state = join(context.directory, 'state');
  writeImage(state, 'compute');
  const siteOf = (count: number) => join(context.directory, `site-${count}`);
  for (const count of COUNTS) writeSite(siteOf(count), count);
  const rounds = { rounds: context.rounds ?? 3, warmUp: 1 };
  const compare = async (
    title: string,
    task: string,
    argv: (site: string) => readonly string[],
  ): Promise<Comparison> => {
    const contenders = COUNTS.map(
      (count): Contender => ({
        name: `${count.toLocaleString('en')} nodes`,
        run: () => measure({ argv: mkrootArgv(context, ...argv(siteOf(count))) }, context.directory),
      }),
    );
    const results = await interleaved(contenders, rounds);
    return { title, task, results, targets: largestTargets(title, results), sizes: COUNTS };
  };
  return [
    await compare(
      'Inventory: read',
      '`mkroot nodes list`: nodes.yaml with an entry for each node is decoded, and what each node comes to is printed.',
      (site) => ['nodes', 'list', '--site', site],
    ),
    await compare(
      'Inventory: read and rendered',
      '`mkroot netboot write --dry-run`: boot files of every node and the configuration of every server are rendered and compared with an empty directory.',
      (site) => ['netboot', 'write', join(site, 'netboot'), '--dry-run', '--site', site, '--state', state],
    ),
  ];
}
