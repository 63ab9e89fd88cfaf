import { ExitCode, MkrootError } from '../../errors.js';
import { type Ipv4Subnet, ipv4Subnet } from '../../netboot/ipv4-subnet.js';
import type { NetbootSite } from '../../netboot/netboot-site.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { type PublishedRecord, publishedTree, readRecord, recordPath } from '../publish/published-record.js';

/** Files below STATE/netboot/etc that running servers have read. */
const READ_BY_SERVERS = ['dnsmasq.conf', 'exports', 'ganesha/ganesha.conf'] as const;

/** One of the files. */
export type ServerFile = (typeof READ_BY_SERVERS)[number];

/** What was published while it was served. */
export interface Publication {
  /** When (ISO 8601, UTC). */
  readonly at: string;
  readonly site: NetbootSite;
  /** Files that servers have to read again. */
  readonly changed: ReadonlySet<ServerFile>;
  /** Changes that only a new start of mkroot serve can follow. */
  readonly warnings: readonly string[];
}

/** A file that servers read, as a program is told of it. */
export function configuration(state: BytePath, name: ServerFile): string {
  return Buffer.from(`${publishedTree(state)}/etc/${name}`, 'latin1').toString('utf8');
}

/** @throws MkrootError NotFound if nothing was ever published. */
export function publishedSite(
  fs: ReadFileSystem,
  state: BytePath,
  action = 'serve',
): PublishedRecord & { readonly site: NetbootSite } {
  const record = readRecord(fs, state);
  if (record?.site === undefined) {
    throw new MkrootError(`Cannot ${action} "${displayPath(state)}": nothing was published there`, {
      exitCode: ExitCode.NotFound,
      hint: 'Publish first: mkroot publish --interface NAME',
    });
  }
  return { ...record, site: record.site };
}

/** Notices that something is published, by the record that a publish replaces at its end. */
export class PublishWatch {
  #site: NetbootSite;
  #subnets: readonly Ipv4Subnet[];
  #seen: string;
  #texts: ReadonlyMap<ServerFile, string>;

  constructor(
    private readonly fs: ReadFileSystem,
    private readonly state: BytePath,
    site: NetbootSite,
  ) {
    this.#site = site;
    this.#subnets = subnetsOf(site);
    this.#seen = this.#stamp();
    this.#texts = this.#read();
  }

  /** Whether an address is the server's own or in one of the networks of what is published now. */
  permits(address: string): boolean {
    return address === this.#site.server.address || this.#subnets.some((subnet) => subnet.contains(address));
  }

  /** What was published since the last look; undefined if nothing was, or a publish is under way. */
  look(): Publication | undefined {
    const stamp = this.#stamp();
    if (stamp === this.#seen) return undefined;
    const record = readRecord(this.fs, this.state);
    if (record?.site === undefined || record.unfinished) return undefined;
    const before = { site: this.#site, texts: this.#texts };
    const { site, at } = record;
    this.#seen = stamp;
    this.#site = site;
    this.#subnets = subnetsOf(site);
    this.#texts = this.#read();
    return {
      at,
      site,
      changed: new Set(READ_BY_SERVERS.filter((name) => before.texts.get(name) !== this.#texts.get(name))),
      warnings:
        JSON.stringify(before.site.server) === JSON.stringify(site.server)
          ? []
          : ["The server's address, interfaces or URL have changed: start mkroot serve again"],
    };
  }

  #stamp(): string {
    const stat = this.fs.lstat(recordPath(this.state));
    return stat === undefined ? '' : `${stat.ino} ${stat.changedMs} ${stat.size}`;
  }

  #read(): ReadonlyMap<ServerFile, string> {
    return new Map(
      READ_BY_SERVERS.map((name) => {
        const path = `${publishedTree(this.state)}/etc/${name}`;
        const text =
          this.fs.lstat(path) === undefined ? '' : Buffer.from(this.fs.readFile(path)).toString('latin1');
        return [name, text];
      }),
    );
  }
}

function subnetsOf({ networks }: NetbootSite): readonly Ipv4Subnet[] {
  return networks.map(({ subnet }) => ipv4Subnet(subnet));
}
