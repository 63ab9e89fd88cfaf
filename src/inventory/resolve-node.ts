import { suggestion } from '../decode/nearest-name.js';
import type { Position } from '../decode/position.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { Inventory, Level, NodeEntry, SettingsSource } from './inventory.js';
import { SERVER_ROLES, type ServerRole, type Settings } from './inventory-schema.js';
import type { Node, PersistentPath, SerialConsole, Server } from './node.js';

/** Where a value of a node comes from. */
export interface Origin {
  /** As in the result: `image`, `overlays[0]`, `variables.rack`. */
  readonly field: string;
  readonly value: unknown;
  /** Network: from the network that its address lies in. Default: nobody said anything. */
  readonly level: Level | 'network' | 'default';
  /** Of the level, as it is written: n[001-128], compute, internal; empty for the cluster and for defaults. */
  readonly name: string;
  /** Absent for defaults. */
  readonly position?: Position;
}

/** A node, and where each of its values comes from. */
export interface ResolvedNode {
  readonly node: Node;
  readonly origins: readonly Origin[];
}

/**
 * A node with everything that it is told, and the origin of every value.
 * @throws MkrootError NotFound with the nearest name.
 */
export function resolveNode(inventory: Inventory, name: string): ResolvedNode {
  const entry = inventory.nodes.get(name);
  if (entry === undefined) throw unknownNode(inventory, name);
  const origins: Origin[] = [];
  return { node: new Resolution(inventory, entry, (origin) => origins.push(origin)).node(), origins };
}

/** All nodes, in the order of the inventory. */
export function resolveNodes(inventory: Inventory): Node[] {
  const inherited: Inherited = new Map();
  return [...inventory.nodes.values()].map((entry) =>
    new Resolution(inventory, entry, undefined, inherited).node(),
  );
}

function unknownNode(inventory: Inventory, name: string): MkrootError {
  const near = suggestion(name, [...inventory.nodes.keys()]);
  return new MkrootError(`Cannot find node "${name}": ${inventory.file} has none of that name${near}`, {
    exitCode: ExitCode.NotFound,
    hint: 'See all nodes by: mkroot nodes list',
  });
}

/** A value that one source gives, and the way to it there. */
interface Found<T> {
  readonly value: T;
  readonly source: SettingsSource;
  readonly path: readonly (string | number)[];
}

type List = 'overlays' | 'kernelArguments' | 'drivers' | 'persistent';
type Mapping = 'variables' | 'writableTop' | 'transport';
type Single = Exclude<keyof Settings, List | Mapping | 'servers'>;

/** What the nodes of a group have in common where none has a value of its own: group, then field. */
type Inherited = Map<string, Map<string, unknown>>;

/** One node while its values are picked. */
class Resolution {
  /** The nearest first. */
  readonly #sources: readonly SettingsSource[];

  constructor(
    readonly inventory: Inventory,
    readonly entry: NodeEntry,
    readonly note?: (origin: Origin) => void,
    /** Lets nodes share values that are the same; nothing is noted of these. */
    readonly inherited?: Inherited,
  ) {
    const group = inventory.groups.get(entry.group.value);
    this.#sources = [...entry.sources, ...(group === undefined ? [] : [group.source]), inventory.cluster];
  }

  node(): Node {
    const { inventory, entry } = this;
    const { name, mac, ip, group, network } = entry;
    const { gateway, mtu, vlan } = network;
    const { domain, dns, ntp } = inventory;
    this.#noteEntry();
    // An entry without an image is a problem of the inventory, and does not come here.
    const image = this.#single('image') ?? '';
    const generation = this.#ofImage('generation');
    const kernel = this.#ofImage('kernel');
    const firmware = this.#single('firmware');
    const disk = this.#single('disk');
    const servers = this.#shared('servers', () => this.#servers());
    const serialConsole = parseSerialConsole(this.#single('serialConsole'));
    return {
      name,
      ...(domain === undefined ? {} : { domain }),
      ...(mac === undefined ? {} : { mac: mac.value }),
      ip: ip.value,
      network,
      prefix: network.prefix,
      netmask: network.netmask,
      ...(gateway === undefined ? {} : { gateway }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(vlan === undefined ? {} : { vlan }),
      group: group.value,
      image,
      ...(generation === undefined || generation === 'current' ? {} : { generation }),
      ...(kernel === undefined ? {} : { kernel }),
      boot: this.#single('boot', 'image'),
      menu: this.#shared('menu', () => this.#single('menu') ?? []),
      menuTimeout: this.#single('menuTimeout') ?? 0,
      architecture: this.#single('architecture', 'amd64'),
      ...(firmware === undefined ? {} : { firmware }),
      ...(serialConsole === undefined ? {} : { serialConsole }),
      overlays: this.#shared('overlays', () => this.#list('overlays', (overlay) => overlay)),
      // The kernel takes the last of several, but console= and others may well stand there more than once.
      kernelArguments: this.#shared('kernelArguments', () =>
        this.#list('kernelArguments', (word) => word.replace(/=.*/s, ''), 'by level'),
      ),
      drivers: this.#shared('drivers', () => this.#list('drivers', (driver) => driver)),
      variables: this.#shared('variables', () => this.#mapping('variables')),
      persistent: this.#shared('persistent', () => this.#persistent(servers.nfs), 'servers'),
      ...(disk === undefined ? {} : { disk }),
      writableTop: this.#shared('writableTop', () => ({
        kind: 'tmpfs' as const,
        ...this.#mapping('writableTop'),
      })),
      transport: this.#shared('transport', () => ({
        protocol: 'nfs' as const,
        ...this.#mapping('transport'),
      })),
      dns,
      ntp,
      servers,
    };
  }

  /** A value that is the group's unless the node has one of its own, for this field or for one that it depends on. */
  #shared<T>(field: keyof Settings, pick: () => T, dependsOn: keyof Settings = field): T {
    const { entry, inherited } = this;
    const isOwn = entry.sources.some(
      ({ settings }) => settings[field] !== undefined || settings[dependsOn] !== undefined,
    );
    if (inherited === undefined || isOwn) return pick();
    const known = inherited.get(entry.group.value) ?? new Map<string, unknown>();
    inherited.set(entry.group.value, known);
    if (!known.has(field)) known.set(field, pick());
    return known.get(field) as T;
  }

  #single<F extends Single>(field: F): NonNullable<Settings[F]> | undefined;
  #single<F extends Single>(field: F, byDefault: NonNullable<Settings[F]>): NonNullable<Settings[F]>;
  #single<F extends Single>(field: F, byDefault?: Settings[F]): NonNullable<Settings[F]> | undefined {
    for (const source of this.#sources) {
      const value = source.settings[field];
      if (value === undefined) continue;
      this.#noteFound(field, { value, source, path: [field] });
      return value as NonNullable<Settings[F]>;
    }
    if (byDefault !== undefined) this.note?.({ field, value: byDefault, level: 'default', name: '' });
    return byDefault as NonNullable<Settings[F]> | undefined;
  }

  /** A generation and a kernel belong to an image: one that is named nearer to the node leaves them behind. */
  #ofImage(field: 'generation' | 'kernel'): string | undefined {
    for (const source of this.#sources) {
      const value = source.settings[field];
      if (value !== undefined) {
        this.#noteFound(field, { value, source, path: [field] });
        return value;
      }
      if (source.settings.image !== undefined) return undefined;
    }
    return undefined;
  }

  /** Fields of mappings, each from the nearest source that has it; in the order of their names. */
  #mapping<F extends Mapping>(field: F): WithoutUndefined<NonNullable<Settings[F]>> {
    const found = new Map<string, Found<unknown>>();
    for (const source of this.#sources) {
      for (const [name, value] of Object.entries(source.settings[field] ?? {})) {
        if (value === undefined || found.has(name)) continue;
        found.set(name, { value, source, path: [field, name] });
      }
    }
    const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, one] of sorted) this.#noteFound(`${field}.${name}`, one);
    return Object.fromEntries(sorted.map(([name, { value }]) => [name, value])) as WithoutUndefined<
      NonNullable<Settings[F]>
    >;
  }

  /** The cluster's first, the node's last. Of several with the same key the nearest stays, or all of the nearest source. */
  #found<F extends List>(
    field: F,
    keyOf: (item: Item<F>) => string,
    several: 'once' | 'by level' = 'once',
  ): Found<Item<F>>[] {
    const takenBy = new Map<string, SettingsSource>();
    const found: Found<Item<F>>[] = [];
    for (const source of this.#sources) {
      const items = (source.settings[field] ?? []) as readonly Item<F>[];
      const kept = items.flatMap((value, index) => {
        const key = keyOf(value);
        const by = takenBy.get(key);
        if (by !== undefined && (several === 'once' || by !== source)) return [];
        takenBy.set(key, source);
        return [{ value, source, path: [field, index] }];
      });
      found.unshift(...kept);
    }
    return found;
  }

  #list<F extends List>(
    field: F,
    keyOf: (item: Item<F>) => string,
    several: 'once' | 'by level' = 'once',
  ): Item<F>[] {
    const found = this.#found(field, keyOf, several);
    found.forEach((one, index) => {
      this.#noteFound(`${field}[${index}]`, one);
    });
    return found.map(({ value }) => value);
  }

  #persistent([defaultServer]: readonly Server[]): PersistentPath[] {
    const found = this.#found('persistent', ({ path }) => path);
    found.sort(({ value: a }, { value: b }) => (a.path < b.path ? -1 : 1));
    return found.flatMap((one, index) => {
      const { path, server: name, export: exported, readOnly, options } = one.value;
      const server = name === undefined ? defaultServer : this.inventory.servers.get(name);
      // That there is one has been checked with the inventory.
      if (server === undefined) return [];
      this.#noteFound(`persistent[${index}]`, one);
      return [
        {
          path,
          server,
          readOnly,
          ...(exported === undefined ? {} : { export: exported }),
          ...(options === undefined ? {} : { options }),
        },
      ];
    });
  }

  #servers(): Node['servers'] {
    const all = [...this.inventory.servers.values()];
    const preferred = this.#sources
      .flatMap(({ settings }) => settings.servers ?? [])
      .flatMap((name) => this.inventory.servers.get(name) ?? []);
    const ranked = [...new Set([...preferred, ...all])];
    const roles = SERVER_ROLES.map((role): [ServerRole, Server[]] => [
      role,
      ranked.filter((server) => server.roles.includes(role)),
    ]);
    for (const [role, servers] of this.note === undefined ? [] : roles) {
      const names = servers.map(({ name }) => name);
      const position = this.inventory.position(['cluster', 'servers', names[0] ?? '']);
      if (names.length > 0)
        this.note?.({ field: `servers.${role}`, value: names, level: 'cluster', name: '', position });
    }
    return Object.fromEntries(roles) as Record<ServerRole, Server[]>;
  }

  /** The origins of what is not a setting. */
  #noteEntry(): void {
    // Places have to be looked up, which is not for ten thousand nodes that nobody asks about.
    if (this.note === undefined) return;
    const { inventory, entry, note } = this;
    const { name, mac, ip, group, network } = entry;
    for (const [field, given] of Object.entries({ ip, mac, group })) {
      if (given === undefined) continue;
      note({ field, value: given.value, position: given.position(), level: 'node', name });
    }
    const { gateway, mtu, vlan } = network;
    for (const [field, value] of Object.entries({ network: network.name, gateway, mtu, vlan })) {
      if (value === undefined) continue;
      const position = inventory.position([
        'networks',
        network.name,
        ...(field === 'network' ? [] : [field]),
      ]);
      note({ field, value, level: 'network', name: network.name, position });
    }
    const { domain, dns, ntp } = inventory;
    for (const [field, value] of Object.entries({ domain, dns, ntp })) {
      if (value === undefined || value.length === 0) continue;
      note({ field, value, level: 'cluster', name: '', position: inventory.position(['cluster', field]) });
    }
  }

  #noteFound(field: string, { value, source, path }: Found<unknown>): void {
    if (this.note === undefined) return;
    this.note({ field, value, level: source.level, name: source.name, position: source.position(path) });
  }
}

type Item<F extends List> = NonNullable<Settings[F]>[number];

/** Optional fields are absent rather than undefined. */
type WithoutUndefined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** `ttyS1,9600n8`: the port is the number at the end of the device's name. */
function parseSerialConsole(text: string | undefined): SerialConsole | undefined {
  const [, device, port, baud = '115200'] = /^(tty[A-Z]+(\d+))(?:,(\d+))?/.exec(text ?? '') ?? [];
  return device === undefined ? undefined : { device, port: Number(port), baud: Number(baud) };
}
