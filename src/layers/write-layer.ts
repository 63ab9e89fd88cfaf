import { ExitCode, MkrootError } from '../errors.js';
import { type BytePath, displayPath } from '../ports/byte-path.js';
import type { FileSystem } from '../ports/file-system.js';
import type { ProcessRunner } from '../ports/process-runner.js';
import type { LayerEntry, LayerFile } from './layer-entry.js';
import { type LayerManifest, layerManifest, layerManifestText, readLayerManifest } from './layer-manifest.js';
import type { LayerTree } from './layer-tree.js';
import { readLayer } from './read-layer.js';

/** Where a layer and its manifest lie below a directory of their own. */
export interface LayerPlace {
  readonly layer: BytePath;
  readonly manifest: BytePath;
}

/** Pure names; nothing has to exist. */
export function layerPlace(directory: BytePath): LayerPlace {
  return { layer: `${directory}/layer`, manifest: `${directory}/manifest.json` };
}

/** What writing a layer came to. */
export interface WrittenLayer extends LayerPlace {
  readonly contents: LayerManifest;
  /** False if it was there already, byte for byte. */
  readonly changed: boolean;
}

/** Times say nothing in a layer: the same contents are the same bytes. */
const MTIME = 0;

/**
 * Writes a layer to DIRECTORY/layer, and DIRECTORY/manifest.json. A layer that is there already, with the same contents,
 * owners and modes, is not touched; another one is built beside it and takes its place by a rename. Takes the rights of root.
 */
export async function writeLayer(
  { fs, runner }: { readonly fs: FileSystem; readonly runner: ProcessRunner },
  tree: LayerTree,
  directory: BytePath,
): Promise<WrittenLayer> {
  const place = layerPlace(directory);
  const contents = layerManifest(fs, tree);
  const result = { ...place, contents };
  if (isThere(fs, place, contents)) return { ...result, changed: false };
  fs.mkdir(directory);
  for (const name of fs.readdir(directory)) {
    if (name.startsWith('.new-')) fs.remove(`${directory}/${name}`); // of a run that was killed
  }
  const beside = fs.makeTemporaryDirectory(`${directory}/.new-`);
  try {
    await buildLayer({ fs, runner }, tree, `${beside}/layer`);
    if (fs.lstat(place.layer) !== undefined) fs.rename(place.layer, `${beside}/old`);
    fs.rename(`${beside}/layer`, place.layer);
    fs.writeFile(place.manifest, layerManifestText(contents));
  } finally {
    fs.remove(beside);
  }
  return { ...result, changed: true };
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
  for (const entry of entries.reverse()) {
    if (entry.kind === 'directory') own(fs, entry, entry.path === '/' ? target : `${target}${entry.path}`);
  }
}

function isThere(fs: FileSystem, place: LayerPlace, wanted: LayerManifest): boolean {
  if (readLayerManifest(fs, place.manifest)?.digest !== wanted.digest) return false;
  if (fs.lstat(place.layer)?.kind !== 'directory') return false;
  // The manifest says what was written; what is there may have been edited since.
  return layerManifest(fs, readLayer(fs, place.layer, displayPath(place.layer))).digest === wanted.digest;
}

function place(fs: FileSystem, entry: LayerEntry, path: BytePath): void {
  if (entry.kind === 'symlink') {
    fs.symlink(entry.target, path);
    fs.chown(path, entry.uid, entry.gid);
    fs.setMtime(path, MTIME);
  } else if (entry.kind === 'file') {
    writeFile(fs, entry, path);
    own(fs, entry, path);
  }
}

function writeFile(fs: FileSystem, { content }: LayerFile, path: BytePath): void {
  const output = fs.create(path, 0o600);
  try {
    for (const chunk of 'data' in content ? [content.data] : fs.readChunks(content.source))
      output.write(chunk);
    output.commit();
  } catch (error) {
    output.abort();
    throw error;
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
