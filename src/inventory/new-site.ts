import { join } from 'node:path';
import { ExitCode, MkrootError } from '../errors.js';
import { toBytePath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import { inventoryJsonSchema } from './inventory-json-schema.js';

const NODES_YAML = `# yaml-language-server: $schema=./nodes.schema.json
#
# The nodes of a cluster: who they are, what they boot, who serves them. Every field is explained in
# docs/inventory-reference.md. \`mkroot nodes check\` finds mistakes, \`mkroot nodes show n001\` prints what a node comes to
# and where each value comes from. A node's own values go before those of its group, and these before the cluster's.

cluster:
  # DNS domain of the nodes.
  domain: cluster.example
  # Image that nodes boot: the name of a recipe, here of recipes/compute.yaml.
  image: compute
  # Directories below overlays/, laid over the image on every node.
  overlays: [cluster]
  # Machines that serve nodes. One may have all roles.
  servers:
    head:
      address: 10.1.0.1
      roles: [dhcp, tftp, http, nfs, dns, ntp]

networks:
  internal:
    subnet: 10.1.0.0/16
    # Handed out to machines that are not named below, so that they can be seen and imported.
    range: 10.1.250.1-10.1.250.254
    gateway: 10.1.0.1
    # mtu: 9000

groups:
  compute:
    description: Compute nodes
    # Values for templates in overlays.
    variables:
      rack: r1
    # Directories that outlive reboots; without \`export\` each node gets one of its own from the NFS server.
    # persistent:
    #   - { path: /var/log }
    #   - { path: /home, server: head, export: /srv/home }
    # kernelArguments: [panic=30]
    # serialConsole: ttyS0,115200

nodes:
  # Names in ClusterShell's syntax; addresses are counted up from the first.
  n[001-004]:
    group: compute
    ip: 10.1.1.1

# MAC addresses, a row per node: name,mac. Switch the nodes on and let mkroot write it:
#   mkroot nodes import --from dnsmasq.leases /var/lib/misc/dnsmasq.leases --names 'n[001-004]' --write
# csv: nodes.csv

# What is different for a single node; \`mkroot node set n003 --image compute-bookworm\` writes it here.
# overrides:
#   n003: { image: compute-bookworm }
`;

const MOTD = `Diskless node: what you write here is gone at the next boot.
`;

/** Files that come with mkroot and that a new site gets a copy of, by path relative to the site. */
export type SiteSources = Readonly<Record<string, Uint8Array>>;

/**
 * Makes the files of a new site: nodes.yaml with its schema, a recipe, an overlay. An existing directory is used as it is.
 * @param sources The recipe and its schema.
 * @returns Paths relative to the site, in the order in which they are worth reading.
 * @throws MkrootError (Usage) that names every file that is there already; then nothing is written.
 */
export function createSite(fs: FileSystem, directory: string, sources: SiteSources): string[] {
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'nodes.yaml': NODES_YAML,
    ...sources,
    'overlays/cluster/etc/motd': MOTD,
    'nodes.schema.json': `${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`,
  };
  const names = Object.keys(files);
  const there = names.filter((name) => fs.lstat(toBytePath(join(directory, name))) !== undefined);
  if (there.length > 0) {
    throw new MkrootError(`Cannot make a site in "${directory}": ${there.join(', ')} would be overwritten`, {
      exitCode: ExitCode.Usage,
      hint: 'Name another directory, or move these files away.',
    });
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    fs.mkdir(toBytePath(join(path, '..')), 0o755);
    fs.writeFile(toBytePath(path), content, 0o644);
  }
  return names;
}
