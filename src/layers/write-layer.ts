import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem, ReadFileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import type { LayerEntry } from './layer-entry.js';
import {
  type LayerManifest,
  layerManifest,
  layerManifestText,
  type ManifestEntry,
  readLayerManifest,
} from './layer-manifest.js';
import type { LayerTree } from './layer-tree.js';
import { readLayer } from './read-layer.js';

/** Where a layer and its manifest lie below a directory of their own. */
export interface LayerPlace {
  readonly layer: BytePath;
  readonly manifest: BytePath;
}

/** One version of a layer. It is never changed: nodes may have it mounted, and a lower directory that is replaced goes empty. */
export interface LayerVersion extends LayerPlace {
  /** Begins with the digest of the contents. */
  readonly id: string;
}

/** The version that `current` points to. Pure names; nothing has to exist. */
export function layerPlace(directory: BytePath): LayerPlace {
  return { layer: `${directory}/current/layer`, manifest: `${directory}/current/manifest.json` };
}

/** Where all versions of a layer lie: DIRECTORY/versions/ID. */
export function layerVersions(directory: BytePath): BytePath {
  return `${directory}/versions`;
}

/** Pure names of one version; nothing has to exist. */
export function layerVersion(directory: BytePath, id: string): LayerVersion {
  const place = `${layerVersions(directory)}/${id}`;
  return { id, layer: `${place}/layer`, manifest: `${place}/manifest.json` };
}

/** What the first version with some contents is called; others follow if that was changed by hand. */
export function versionName(digest: string): string {
  return digest.slice(0, 16);
}

/** The version that `current` points to; undefined if the layer was never written. */
export function currentLayer(fs: ReadFileSystem, directory: BytePath): LayerVersion | undefined {
  const id = linkedVersion(fs, directory);
  if (id === undefined) return undefined;
  const version = layerVersion(directory, id);
  return fs.lstat(version.layer)?.kind === 'directory' ? version : undefined;
}

/** Id of the version that `current` points to, whether that is there or not. */
export function linkedVersion(fs: ReadFileSystem, directory: BytePath): string | undefined {
  const link = `${directory}/current`;
  if (fs.lstat(link)?.kind !== 'symlink') return undefined;
  const target = fs.readlink(link);
  return target.slice(target.lastIndexOf('/') + 1);
}

/** Makes `current` point to a version in one step. */
export function makeLayerCurrent(fs: FileSystem, directory: BytePath, id: string): void {
  const next = `${directory}/current.new`;
  fs.remove(next);
  fs.symlink(`versions/${id}`, next);
  fs.rename(next, `${directory}/current`);
}

/** What writing a layer came to. */
export interface WrittenLayer extends LayerVersion {
  readonly contents: LayerManifest;
  /** False if it was there already. */
  readonly changed: boolean;
}

/** Times say nothing in a layer: the same contents are the same bytes. */
const MTIME = 0;

/**
 * Writes a layer as a version of its own and makes it the current one. If the current one has the same contents, owners and
 * modes, nothing is touched. Takes the rights of root.
 */
export async function writeLayer(
  ports: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  tree: LayerTree,
  directory: BytePath,
): Promise<WrittenLayer> {
  const written = await writeLayerVersion(ports, tree, directory);
  const changed = currentLayer(ports.fs, directory)?.id !== written.id;
  if (changed) makeLayerCurrent(ports.fs, directory, written.id);
  return { ...written, changed };
}

/** Writes a layer as a version beside the others: under another name, then one rename. One that is there is not touched. */
export async function writeLayerVersion(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  tree: LayerTree,
  directory: BytePath,
): Promise<WrittenLayer> {
  const contents = layerManifest(fs, tree);
  const { version, there } = findLayerVersion(fs, directory, contents);
  if (there) return { ...version, contents, changed: false };
  const versions = layerVersions(directory);
  if (fs.lstat(versions) === undefined) fs.mkdir(versions);
  else removeUnfinishedVersions(fs, directory);
  const beside = fs.makeTemporaryDirectory(`${versions}/${UNFINISHED}`);
  try {
    fs.chmod(beside, 0o755);
    await buildLayer({ fs, runner }, tree, `${beside}/layer`);
    fs.writeFile(`${beside}/manifest.json`, layerManifestText(contents));
    fs.rename(beside, `${versions}/${version.id}`);
  } finally {
    fs.remove(beside);
  }
  return { ...version, contents, changed: true };
}

/** Versions that are not finished start with this. */
const UNFINISHED = '.new-';

/** Removes what a run that was killed left of versions. */
export function removeUnfinishedVersions(fs: FileSystem, directory: BytePath): void {
  fs.remove(`${directory}/current.new`);
  const versions = layerVersions(directory);
  if (fs.lstat(versions) === undefined) return;
  for (const name of fs.readdir(versions)) {
    if (name.startsWith(UNFINISHED)) fs.remove(`${versions}/${name}`);
  }
}

/**
 * The version that has these contents, or the name that it would get. One that somebody changed by hand is left to the
 * nodes that have it mounted, and passed over.
 */
export function findLayerVersion(
  fs: ReadFileSystem,
  directory: BytePath,
  contents: LayerManifest,
): { readonly version: LayerVersion; readonly there: boolean } {
  const id = versionName(contents.digest);
  for (let count = 1; ; count += 1) {
    const version = layerVersion(directory, count === 1 ? id : `${id}-${count}`);
    if (fs.lstat(version.layer) === undefined) return { version, there: false };
    if (isWhole(fs, version, contents)) return { version, there: true };
  }
}

/** Builds a layer as a directory that does not exist yet. */
export async function buildLayer(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  tree: LayerTree,
  target: BytePath,
): Promise<void> {
  const entries = tree.entries();
  const whiteouts: BytePath[] = [];
  for (const entry of entries) {
    const path = entry.path === '/' ? target : `${target}${entry.path}`;
    if (entry.kind === 'directory') fs.mkdir(path, 0o700);
    else if (entry.kind === 'whiteout') whiteouts.push(entry.path);
    else place(fs, entry, path);
  }
  if (whiteouts.length > 0) await makeWhiteouts(runner, whiteouts, target);
  // Children first: what is written into a directory changes its time.
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'directory') own(fs, entry, entry.path === '/' ? target : `${target}${entry.path}`);
  }
}

/** Whether a version is as it was written. Every file got the same time: one that was written to since has another. */
function isWhole(fs: ReadFileSystem, { layer, manifest }: LayerVersion, wanted: LayerManifest): boolean {
  if (readLayerManifest(fs, manifest)?.digest !== wanted.digest) return false;
  const found = readLayer(fs, layer, displayPath(layer)).entries();
  return (
    found.length === wanted.entries.length &&
    wanted.entries.every((entry, index) => isAsWritten(fs, entry, found[index]!))
  );
}

function isAsWritten(fs: ReadFileSystem, wanted: ManifestEntry, found: LayerEntry): boolean {
  const { path, kind, mode, uid, gid } = wanted;
  if (found.path !== path || found.kind !== kind || found.uid !== uid || found.gid !== gid) return false;
  if (found.kind === 'symlink') return found.target === wanted.target;
  if (found.kind === 'whiteout') return true;
  if (found.mode !== Number.parseInt(mode, 8)) return false;
  if (found.kind !== 'file' || !('source' in found.content)) return found.kind === 'directory';
  const stat = fs.lstat(found.content.source);
  return stat?.size === wanted.size && stat?.mtime === MTIME;
}

function place(fs: FileSystem, entry: LayerEntry, path: BytePath): void {
  if (entry.kind === 'symlink') {
    fs.symlink(entry.target, path);
    fs.chown(path, entry.uid, entry.gid);
    fs.setMtime(path, MTIME);
  } else if (entry.kind === 'file') {
    const { content, mode, uid, gid } = entry;
    const chunks = 'data' in content ? [content.data] : fs.readChunks(content.source);
    fs.addFile(path, chunks, { mode, uid, gid, mtime: MTIME });
  }
}

function own(fs: FileSystem, { mode, uid, gid }: LayerEntry, path: BytePath): void {
  fs.chown(path, uid, gid);
  fs.chmod(path, mode); // after chown(2), which takes setuid and setgid away
  fs.setMtime(path, MTIME);
}

/** Names go through standard input: they are bytes, and there may be many. */
async function makeWhiteouts(
  runner: ProcessRunner,
  whiteouts: readonly BytePath[],
  target: BytePath,
): Promise<void> {
  const cwd = Buffer.from(target, 'latin1').toString('utf8');
  const { exitCode, stderr } = await runner.run({
    argv: ['xargs', '-0', '-I{}', 'mknod', '-m', '0', './{}', 'c', '0', '0'],
    input: Buffer.from(whiteouts.map((path) => `${path}\0`).join(''), 'latin1'),
    cwd,
    accept: 'any',
  });
  if (exitCode === 0) return;
  throw new MkrootError(`Cannot write deletions to "${displayPath(target)}": mknod failed`, {
    exitCode: ExitCode.ToolFailed,
    details: stderr.trim().split('\n').slice(-5),
    hint: 'Whiteouts take root and a plain file system (ext4, xfs), not an overlay; choose another --state.',
  });
}
