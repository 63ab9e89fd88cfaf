import { createHash } from 'node:crypto';
import type { LayerEntry } from '../../layers/layer-entry.js';
import type { LayerTree } from '../../layers/layer-tree.js';
import { readLayer } from '../../layers/read-layer.js';
import { type BytePath, displayPath } from '../../ports/byte-path.js';
import type { ReadFileSystem } from '../../ports/file-system.js';
import { Sysroot } from '../../rootfs/sysroot.js';

/** The layers that a node boots, as they lie on the server. */
export interface PublishedLayers {
  /** Root of the base. */
  readonly base: BytePath;
  /** The node gets it as one file with all of it inside. */
  readonly baseIsImage?: boolean;
  /** Its base comes over HTTP: the node copies its other layers into memory, and needs no server then. */
  readonly inMemory?: boolean;
  /** From the lowest to the topmost. */
  readonly cluster: readonly BytePath[];
  readonly host: BytePath;
}

/** What a node should find of its layers: contents of the files that cluster-check.sh reads, by name. */
export interface LayerFacts {
  /** Names of the layers below /run/mkroot, topmost first. */
  readonly names: readonly string[];
  readonly files: Readonly<Record<'mounts' | 'files' | 'whiteouts' | 'keys' | 'machine-id', string>>;
}

/** Files that are compared, of each layer. */
const FILES_PER_LAYER = 5;

/** What /init and the system write at boot: there the node sees another content than the layer has. */
const WRITTEN_AT_BOOT =
  /^\/(etc\/(fstab|hosts|hostname|machine-id|mtab|resolv\.conf|adjtime|ld\.so\.cache|\.updated)|var\/(log|lib|cache)\/.*)$/;

/** Files that every base has one of. */
const BASE_FILES: readonly BytePath[] = ['/usr/lib/os-release', '/etc/passwd', '/bin/sh'];

/** Lines of a file that a shell reads word by word: names with anything else cannot be in it. */
const PLAIN = /^\/[A-Za-z0-9._/+@=,-]+$/;

/**
 * Reads the layers on the server and says what a node that boots them has to see.
 * @param hostMount where the node mounts its host layer from
 */
export function publishedLayerFacts(
  fs: ReadFileSystem,
  { base, baseIsImage, inMemory, cluster, host }: PublishedLayers,
  hostMount: BytePath,
): LayerFacts {
  const trees = [
    ...cluster.map((path, index) => ({ name: index === 0 ? 'cluster' : `cluster-${index + 1}`, path })),
    { name: 'host', path: host },
  ].map((layer) => ({ ...layer, tree: readLayer(fs, layer.path, displayPath(layer.path)) }));
  const above = (index: number) => trees.slice(index + 1).map(({ tree }) => tree);
  const root = new Sysroot(fs, base);

  const samples = trees.flatMap(({ name, tree }, index) =>
    regularFiles(tree)
      .slice(0, FILES_PER_LAYER)
      .map(({ path, source }) => sample(fs, name, path, source, above(index))),
  );
  const baseFile = BASE_FILES.flatMap((path) => root.resolve(path) ?? [])[0];
  const whiteouts = trees.flatMap(({ tree }, index) =>
    tree
      .entries()
      .filter(({ kind, path }) => kind === 'whiteout' && PLAIN.test(path))
      .filter(({ path }) => root.resolveLink(path) !== undefined && !covered(path, above(index)))
      .map(({ path }) => path),
  );
  const hostTree = trees.at(-1)!.tree;
  const keys = hostTree
    .entries()
    .filter(({ path, kind }) => kind === 'file' && /^\/etc\/ssh\/ssh_host_\w+_key$/.test(path));
  const machineId = hostTree.get('/etc/machine-id');
  return {
    names: [...trees.map(({ name }) => name).reverse(), 'base'],
    files: {
      mounts: lines(
        [{ name: 'base', path: baseIsImage ? 'image' : base }, ...trees].map(({ name, path }) => {
          const place = name === 'host' ? hostMount : path;
          return `${name} ${inMemory && name !== 'base' ? 'memory' : place}`;
        }),
      ),
      files: lines([
        ...(baseFile === undefined
          ? []
          : [
              sample(
                fs,
                'base',
                baseFile.path,
                baseFile.hostPath,
                trees.map(({ tree }) => tree),
              ),
            ]),
        ...samples,
      ]),
      whiteouts: lines(whiteouts),
      keys: lines(keys.map(({ path }) => `${digest(fs, `${host}${path}`)} ${path}`)),
      'machine-id':
        machineId?.kind === 'file'
          ? Buffer.from(fs.readFile(`${host}/etc/machine-id`)).toString('latin1')
          : '',
    },
  };
}

function regularFiles(tree: LayerTree): { path: BytePath; source: BytePath }[] {
  return tree
    .entries()
    .flatMap((entry: LayerEntry) =>
      entry.kind === 'file' &&
      'source' in entry.content &&
      PLAIN.test(entry.path) &&
      !WRITTEN_AT_BOOT.test(entry.path)
        ? [{ path: entry.path, source: entry.content.source }]
        : [],
    );
}

function sample(
  fs: ReadFileSystem,
  layer: string,
  path: BytePath,
  source: BytePath,
  above: readonly LayerTree[],
): string {
  return `${layer} ${covered(path, above) ? 'no' : 'yes'} ${digest(fs, source)} ${path}`;
}

/** A layer above has something else at the path, or at a directory on the way there. */
function covered(path: BytePath, above: readonly LayerTree[]): boolean {
  const parts = path.split('/').slice(1);
  return above.some((tree) =>
    parts.some((_, index) => {
      const kind = tree.get(`/${parts.slice(0, index + 1).join('/')}`)?.kind;
      return kind !== undefined && (kind !== 'directory' || index === parts.length - 1);
    }),
  );
}

function digest(fs: ReadFileSystem, path: BytePath): string {
  const hash = createHash('sha256');
  for (const chunk of fs.readChunks(path)) hash.update(chunk);
  return hash.digest('hex');
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
