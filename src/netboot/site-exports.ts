import { createHash } from 'node:crypto';
import { MkrootError } from '../errors.js';
import { type KernelExport, renderExports } from './exports.js';
import { exportIdsIn, renderGanesha } from './ganesha.js';
import type { NetbootSite, ServedDirectory } from './netboot-site.js';

/** A directory of the site and who may mount it. */
interface SiteExport extends ServedDirectory {
  /** The one node's address, or the networks. */
  readonly clients: readonly string[];
  /** What many nodes write to belongs to none of their roots. */
  readonly squashRoot: boolean;
}

/** Shared directories for the networks, first, then each node's own for its address. */
function siteExports({ directories, networks, nodes }: NetbootSite): SiteExport[] {
  const subnets = networks.map(({ subnet }) => subnet);
  const shared = directories.map((directory) => ({
    ...directory,
    clients: subnets,
    squashRoot: directory.access === 'rw',
  }));
  const own = nodes.flatMap(({ address, directories: directoriesOfNode = [] }) =>
    directoriesOfNode.map((directory) => ({
      ...directory,
      clients: [address],
      squashRoot: false,
    })),
  );
  const owners = new Map<string, string>();
  for (const { path, clients } of [...shared, ...own]) {
    const other = owners.get(path);
    if (other !== undefined) {
      throw new MkrootError(
        `Cannot export "${path}" to ${clients.join(', ')}: it is exported to ${other} already`,
      );
    }
    owners.set(path, clients.join(', '));
  }
  return [...shared, ...own];
}

/**
 * /etc/exports of a site for the kernel's NFS server. Every directory has subtree_check: many of them lie on one file system,
 * and without it a node's root could reach another node's directory by a guessed file handle.
 */
export function renderSiteExports(site: NetbootSite): string {
  const entries = siteExports(site).map(
    ({ path, clients, access, squashRoot }): KernelExport => ({
      path,
      clients,
      access,
      squashRoot,
      subtreeCheck: true,
    }),
  );
  return `# Written by mkroot.\n${renderExports(entries)}`;
}

/**
 * ganesha.conf of a site. Export numbers are part of the file handles that running nodes hold: a node that comes or goes changes no
 * other's. A new one follows from its path, as far as it is free (there are 65,535).
 * @param before the configuration that this one takes the place of, whose exports keep their numbers.
 */
export function renderSiteGanesha(site: NetbootSite, before = ''): string {
  const exported = siteExports(site);
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  const known = exportIdsIn(before);
  for (const { path } of exported) {
    const id = known.get(path);
    if (id === undefined || id < 1 || id > MOST_EXPORTS || taken.has(id)) continue;
    taken.add(id);
    ids.set(path, id);
  }
  return renderGanesha({
    bindAddress: site.server.address,
    recoveryRoot: '/var/lib/nfs/ganesha',
    exports: exported.map(({ path, clients, access, squashRoot }) => ({
      path,
      clients,
      access: access === 'ro' ? 'RO' : 'RW',
      squashRoot,
      id: ids.get(path) ?? freeId(taken, path),
    })),
  });
}

/** Numbers of exports have 16 bits, and 0 is nfs-ganesha's own. */
const MOST_EXPORTS = 65_535;

function freeId(taken: Set<number>, path: string): number {
  const preferred = createHash('sha256').update(path).digest().readUInt16BE() || 1;
  for (let step = 0; step < MOST_EXPORTS; step += 1) {
    const id = ((preferred - 1 + step) % MOST_EXPORTS) + 1;
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
  throw new MkrootError('Cannot number the exports of nfs-ganesha: it can have 65,535 at most', {
    hint: 'Use the NFS server of the kernel, or several servers.',
  });
}
