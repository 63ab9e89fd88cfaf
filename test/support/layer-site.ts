import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A site with a published image that is small and yet has a shell, for tests of layers. */
export interface LayerSite {
  readonly directory: string;
  readonly site: string;
  readonly state: string;
  /** The image's root. Shares inodes with a judge root: never write into files of it. */
  readonly root: string;
  /** Writes a file of the site. */
  write(path: string, text: string): void;
  remove(): void;
}

/** Two groups that boot one image. */
const NODES = `cluster:
  domain: lab.example
  overlays: [cluster]
  variables: { rack: 7 }
  servers:
    head: { address: 10.1.0.1, roles: [dhcp, tftp, http, nfs] }
networks:
  internal: { subnet: 10.1.0.0/16 }
groups:
  compute: { image: compute, overlays: [compute] }
  storage: { image: compute, variables: { rack: 9 } }
nodes:
  n[001-002]: { group: compute, ip: 10.1.1.1, mac: ["52:54:00:00:00:01", "52:54:00:00:00:02"] }
  s001: { group: storage, ip: 10.1.2.1, mac: "52:54:00:00:00:03" }
`;

const GENERATION = '20261120T000000Z-00000000';

/** Makes a site below /var/tmp; programs, libraries and accounts of the image are hard links into a judge root. */
export function layerSite(judge: string): LayerSite {
  const directory = mkdtempSync('/var/tmp/mkroot-test-layers-');
  const state = join(directory, 'state');
  const site = join(directory, 'site');
  const generation = join(state, 'images/compute/generations', GENERATION);
  const root = join(generation, 'root');
  for (const path of [
    'usr/lib',
    'dev/pts',
    'dev/shm',
    'proc',
    'sys',
    'run',
    'tmp',
    'root',
    'srv',
    'var/cache',
    'var/tmp',
  ]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const link = (paths: readonly string[], below: string) =>
    execFileSync('cp', ['-al', ...paths.map((path) => join(judge, path)), join(root, below)]);
  link(['usr/bin', 'usr/sbin', 'usr/lib64'], 'usr');
  link(['usr/lib/x86_64-linux-gnu'], 'usr/lib');
  link(['bin', 'sbin', 'lib', 'lib64', 'etc'], '.');
  chmodSync(join(root, 'root'), 0o700);
  chmodSync(join(root, 'var/tmp'), 0o1777);
  mkdirSync(join(root, 'etc/drop.d'));
  writeFileSync(join(root, 'etc/drop.d/old.conf'), 'old');
  writeFileSync(join(generation, 'manifest.json'), '{}');
  symlinkSync(`generations/${GENERATION}`, join(state, 'images/compute/current'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(site, path)), { recursive: true });
    writeFileSync(join(site, path), text);
  };
  write('nodes.yaml', NODES);
  write('recipes/compute.yaml', 'name: compute\ndistribution: debian\nsuite: trixie\narchitecture: amd64\n');
  write('overlays/cluster/etc/motd', 'shared\n');
  write(
    'overlays/cluster/etc/hosts.liquid',
    '127.0.0.1 localhost\n{% for n in nodes %}{{ n.ip }} {{ n.name }}\n{% endfor %}',
  );
  write('overlays/compute/etc/rack.liquid', '{{ group.name }} {{ variables.rack }}\n');
  write('overlays/compute/overlay.yaml', '# about the compute nodes\ndelete: [/etc/debian_version]\n');
  return { directory, site, state, root, write, remove: () => rmSync(directory, { recursive: true }) };
}
