import { createHash } from 'node:crypto';
import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { sha256 } from '../ports/sha256.js';
import type { LayerEntry, LayerFile } from './layer-entry.js';
import type { LayerTree } from './layer-tree.js';

/** Version of the layout of a layer's manifest; a reader refuses another one. */
export const LAYER_MANIFEST_FORMAT = 1;

/** One path of a layer as its manifest has it. */
export interface ManifestEntry {
  readonly path: BytePath;
  readonly kind: 'directory' | 'file' | 'symlink' | 'whiteout';
  /** Permission bits, in octal: 0644. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Of a file, in bytes. */
  readonly size?: number;
  /** Of a file, in hex. */
  readonly sha256?: string;
  readonly target?: BytePath;
}

/** What a layer consists of, with digests: `manifest.json` beside it. */
export interface LayerManifest {
  readonly format: typeof LAYER_MANIFEST_FORMAT;
  /** sha256 in hex over all entries: layers with the same digest have the same bytes, owners and modes. */
  readonly digest: string;
  /** In the order of their paths. */
  readonly entries: readonly ManifestEntry[];
}

/** How a path differs between two layers. */
export interface LayerDifference {
  readonly path: BytePath;
  readonly change: 'added' | 'removed' | 'changed';
  /** What changed: content, mode, owner, kind, target. Empty for what was added or removed. */
  readonly what: readonly string[];
}

/**
 * Reads every byte of a layer and notes what it is.
 * @throws MkrootError InvalidInput for what no layer can have: devices, pipes, sockets.
 */
export function layerManifest(fs: ReadFileSystem, tree: LayerTree): LayerManifest {
  const entries = tree.entries().map((entry) => manifestEntry(fs, entry));
  const digest = sha256(JSON.stringify(entries));
  return { format: LAYER_MANIFEST_FORMAT, digest, entries };
}

/** The text of manifest.json. Paths are bytes: one character of the text per byte. */
export function layerManifestText(manifest: LayerManifest): string {
  const lines = manifest.entries.map((entry) => `    ${JSON.stringify(entry)}`);
  return `{\n  "format": ${manifest.format},\n  "digest": "${manifest.digest}",\n  "entries": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** Reads manifest.json; undefined if there is none, or none that this version of mkroot can read. */
export function readLayerManifest(fs: ReadFileSystem, path: BytePath): LayerManifest | undefined {
  if (fs.lstat(path)?.kind !== 'file') return undefined;
  try {
    const value = JSON.parse(Buffer.from(fs.readFile(path)).toString('utf8')) as Partial<LayerManifest>;
    return value.format === LAYER_MANIFEST_FORMAT && Array.isArray(value.entries)
      ? (value as LayerManifest)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const NOTHING: readonly string[] = [];

/** What changed between two layers, in the order of the paths. */
export function diffLayers(before: LayerManifest | undefined, after: LayerManifest): LayerDifference[] {
  const old = new Map((before?.entries ?? []).map((entry) => [entry.path, entry]));
  const differences: LayerDifference[] = [];
  for (const entry of after.entries) {
    const was = old.get(entry.path);
    old.delete(entry.path);
    if (was === undefined) differences.push({ path: entry.path, change: 'added', what: NOTHING });
    else {
      const what = changesOf(was, entry);
      if (what.length > 0) differences.push({ path: entry.path, change: 'changed', what });
    }
  }
  for (const path of old.keys()) differences.push({ path, change: 'removed', what: NOTHING });
  return differences.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function changesOf(was: ManifestEntry, is: ManifestEntry): string[] {
  if (was.kind !== is.kind) return [`${was.kind} became ${is.kind}`];
  return [
    ...(was.sha256 === is.sha256 ? [] : [`content (${was.size} to ${is.size} bytes)`]),
    ...(was.target === is.target
      ? []
      : [`target ${displayPath(was.target ?? '')} to ${displayPath(is.target ?? '')}`]),
    ...(was.mode === is.mode ? [] : [`mode ${was.mode} to ${is.mode}`]),
    ...(was.uid === is.uid && was.gid === is.gid
      ? []
      : [`owner ${was.uid}:${was.gid} to ${is.uid}:${is.gid}`]),
  ];
}

function manifestEntry(fs: ReadFileSystem, entry: LayerEntry): ManifestEntry {
  const { path, uid, gid, kind } = entry;
  const mode = octal(entry.mode);
  switch (kind) {
    case 'directory':
      return { path, uid, gid, mode, kind };
    case 'file': {
      const { size, sha256 } = digestOf(fs, entry);
      return { path, uid, gid, mode, kind, size, sha256 };
    }
    case 'symlink':
      return { path, uid, gid, mode: '0777', kind, target: entry.target };
    case 'whiteout':
      return { path, uid: 0, gid: 0, mode: '0000', kind };
    case 'special':
      throw new MkrootError(
        `Cannot put "${displayPath(path)}" into a layer: it is a ${entry.what} (from ${entry.origin})`,
        { exitCode: ExitCode.InvalidInput, hint: 'Leave it out of the overlay.' },
      );
  }
}

/** `0644`. */
function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function digestOf(fs: ReadFileSystem, { content }: LayerFile): { size: number; sha256: string } {
  if ('data' in content) return { size: content.data.length, sha256: sha256(content.data) };
  const hash = createHash('sha256');
  let size = 0;
  for (const chunk of fs.readChunks(content.source)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}
