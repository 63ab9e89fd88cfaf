import type { Complaints } from './complaints.js';
import type { SettingsSource } from './inventory.js';

/** Everything that values can name. */
export interface KnownNames {
  readonly images: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
  readonly servers: ReadonlySet<string>;
  /** Whether there is an NFS server for persistent paths that name none. */
  readonly hasNfsServer: boolean;
  /** Whether overlays/NAME is there. */
  overlayExists(name: string): boolean;
  /** Names below overlays/, for hints. */
  readonly overlays: readonly string[];
}

/** Complains about each name in a source that nothing has. */
export function checkReferences(source: SettingsSource, known: KnownNames, complaints: Complaints): void {
  const { image, network, servers = [], persistent = [], overlays = [], transport } = source.settings;
  const unknown = (what: string, path: (string | number)[], name: string, names: Iterable<string>) => {
    const near = complaints.suggestion(name, names);
    complaints.add(
      source.position(path),
      `${what} "${name}" is not known${near || list(names)}`,
      'unknown-name',
    );
  };
  if (image !== undefined && !known.images.has(image)) unknown('image', ['image'], image, known.images);
  if (network !== undefined && !known.networks.has(network)) {
    unknown('network', ['network'], network, known.networks);
  }
  servers.forEach((name, index) => {
    if (!known.servers.has(name)) unknown('server', ['servers', index], name, known.servers);
  });
  checkTop(source, complaints);
  checkDisk(source, complaints);
  const paths = new Set<string>();
  transport?.servers?.forEach((name, index) => {
    if (!known.servers.has(name)) unknown('server', ['transport', 'servers', index], name, known.servers);
  });
  persistent.forEach(({ path, server }, index) => {
    if (server !== undefined && !known.servers.has(server)) {
      unknown('server', ['persistent', index, 'server'], server, known.servers);
    }
    if (server === undefined && !known.hasNfsServer) {
      complaints.add(
        source.position(['persistent', index]),
        `persistent path "${path}" needs a server: none in cluster.servers has the role nfs`,
        'missing-role',
      );
    }
    if (paths.has(path)) {
      complaints.add(source.position(['persistent', index]), `persistent path "${path}" is given twice`);
    }
    paths.add(path);
  });
  overlays.forEach((name, index) => {
    if (known.overlayExists(name)) return;
    const near = complaints.suggestion(name, known.overlays);
    complaints.add(
      source.position(['overlays', index]),
      `there is no directory overlays/${name}${near}`,
      'missing-overlay',
    );
  });
}

/** What a kind of writable top needs has to stand beside it, and what it cannot have must not. */
function checkTop(source: SettingsSource, complaints: Complaints): void {
  const { kind, label, size = '' } = source.settings.writableTop ?? {};
  if (kind === 'disk' && label === undefined) {
    complaints.add(source.position(['writableTop']), 'writableTop of kind disk needs the label of the disk');
  }
  if (kind === 'image' && size.endsWith('%')) {
    complaints.add(
      source.position(['writableTop', 'size']),
      'an image has a size of its own: a number with k, m or g',
    );
  }
}

/** A disk has to be wanted for something, and the consent to lose what is on it is for that disk. */
function checkDisk(source: SettingsSource, complaints: Complaints): void {
  const { disk } = source.settings;
  if (disk === undefined) return;
  if (disk.swap === undefined && disk.scratch === undefined) {
    complaints.add(source.position(['disk']), 'disk needs swap, scratch or both');
  }
  const wiped = disk.consent?.replace(/^(yes-wipe-|if-empty$)/, '') ?? '';
  if (wiped !== '' && wiped !== disk.device) {
    complaints.add(
      source.position(['disk', 'consent']),
      `the consent is for ${wiped}, and the disk is ${disk.device}`,
    );
  }
}

function list(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0 ? '; there is none' : `; known are ${all.slice(0, 12).join(', ')}`;
}
