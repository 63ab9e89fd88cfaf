import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchContext, mkrootArgv } from './bench-context.js';
import { type Contender, interleaved, measure, type Result } from './measure.js';
import type { Comparison, Target } from './report.js';

const COUNTS = [100, 1000, 10_000];
const GENERATION = '20261120T000000Z-00000000';

/** Inventories of 100 to 10,000 nodes: read, and boot files and server configuration rendered from them. */
export async function benchInventory(context: BenchContext): Promise<Comparison[]> {
  const state = publishedImage(context.directory);
  const sites = new Map(COUNTS.map((count) => [count, makeSite(context.directory, count)]));
  const rounds = { rounds: context.rounds ?? 3, warmUp: 1 };
  const compare = async (
    title: string,
    task: string,
    argv: (site: string) => readonly string[],
  ): Promise<Comparison> => {
    const contenders = [...sites].map(
      ([count, site]): Contender => ({
        name: `${count.toLocaleString('en')} nodes`,
        run: () => measure({ argv: mkrootArgv(context, ...argv(site)) }, context.directory),
      }),
    );
    const results = await interleaved(contenders, rounds);
    return { title, task, results, targets: targets(title, results.at(-1)!) };
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

function targets(title: string, { name, seconds, peakKiB }: Result): Target[] {
  return [
    { what: `${title}, ${name}, time`, value: seconds, limit: 2, unit: ' s' },
    { what: `${title}, ${name}, memory`, value: peakKiB / 1024, limit: 300, unit: ' MiB' },
  ];
}

/** A state directory with one image, as far as boot files need it. */
function publishedImage(directory: string): string {
  const state = join(directory, 'state');
  const image = join(state, 'images/compute');
  mkdirSync(join(image, 'generations', GENERATION, 'root'), { recursive: true });
  mkdirSync(join(image, 'initrds', GENERATION), { recursive: true });
  writeFileSync(join(image, 'generations', GENERATION, 'manifest.json'), '{}');
  writeFileSync(join(image, 'generations', GENERATION, 'vmlinuz'), '');
  writeFileSync(join(image, 'initrds', GENERATION, 'initrd.img'), '');
  symlinkSync(join('generations', GENERATION), join(image, 'current'));
  return state;
}

/** Each node has an entry of its own, with address, MAC address and a variable: the most text that there can be. */
function makeSite(directory: string, count: number): string {
  const site = join(directory, `site-${count}`);
  const bytes = (number: number) => [number >> 8, number & 255];
  const nodes = Array.from({ length: count }, (_, at) => {
    const mac = bytes(at).map((byte) => byte.toString(16).padStart(2, '0'));
    return `  n${at}:
    group: g${at % 8}
    ip: 10.1.${bytes(at + 0x1000).join('.')}
    mac: 52:54:00:00:${mac.join(':')}
    variables: { rack: r${at % 40} }
`;
  });
  const groups = Array.from({ length: 8 }, (_, at) => `  g${at}: { kernelArguments: [panic=${at}] }\n`);
  mkdirSync(site);
  writeFileSync(
    join(site, 'nodes.yaml'),
    `cluster:
  domain: cluster.example
  image: compute
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, http, nfs, dns, ntp] }
networks:
  internal: { subnet: 10.1.0.0/16, gateway: 10.1.0.1 }
groups:
${groups.join('')}nodes:
${nodes.join('')}`,
  );
  return site;
}
