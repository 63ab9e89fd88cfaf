import type { Position } from '../decode/position.js';
import type { BootLoader, Settings } from './inventory-schema.js';
import type { Network, Server } from './node.js';

/** A value and where it stands. */
export interface Given<T> {
  readonly value: T;
  /** Places are looked up when somebody asks: ten thousand nodes have many, and hardly ever a problem. */
  readonly position: () => Position;
}

/** How near to a node a value stands: the nearest goes first. */
export type Level = 'node' | 'group' | 'cluster';

/** Some values of one level, and where each stands. */
export interface SettingsSource {
  readonly level: Level;
  /** As it is written: n017, n[001-128], the name of the group; empty for the cluster. */
  readonly name: string;
  readonly settings: Settings;
  /** Where the value at a path stands, such as ['overlays', 0]. */
  position(path: readonly (string | number)[]): Position;
}

/** A group of nodes. */
export interface Group {
  readonly name: string;
  readonly description?: string;
  readonly source: SettingsSource;
}

/** A node as it is written, before groups and cluster fill in the rest. */
export interface NodeEntry {
  readonly name: string;
  /** Where it is named first. */
  readonly position: () => Position;
  readonly group: Given<string>;
  /** Dotted decimal. */
  readonly ip: Given<string>;
  /** Lower case with colons. */
  readonly mac?: Given<string>;
  readonly network: Network;
  /** Its own values, the nearest first: overrides from the last to the first, its CSV row, its entry in nodes. */
  readonly sources: readonly SettingsSource[];
}

/** A decoded inventory: everything in it is known to fit together. */
export interface Inventory {
  /** nodes.yaml, as the user knows it. */
  readonly file: string;
  readonly domain?: string;
  /** Absent means that it depends on the machine. */
  readonly bootLoader?: BootLoader;
  readonly dns: readonly string[];
  readonly ntp: readonly string[];
  /** Whether nodes report how their boot goes, to the server that they boot from or to ADDRESS[:PORT]. */
  readonly report: boolean | string;
  /** By name, in the order of the file. */
  readonly servers: ReadonlyMap<string, Server>;
  readonly networks: ReadonlyMap<string, Network>;
  readonly groups: ReadonlyMap<string, Group>;
  /** By name: those of nodes.yaml in its order, then those that stand only in a CSV file. */
  readonly nodes: ReadonlyMap<string, NodeEntry>;
  readonly cluster: SettingsSource;
  /** CSV files that it names, relative to the site. */
  readonly csv: readonly string[];
  /** Where the value at a path of nodes.yaml stands. */
  position(path: readonly (string | number)[]): Position;
}
